"""`torch.utils._python_dispatch`: modes that decide what ops mean, below autograd."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..dispatching import install
from ..operators import OpOverload
from ..tensor import Tensor
from ..torch_dispatch import disabled_torch_dispatch, state


class TorchDispatchMode:
    """Context manager: ``__torch_dispatch__`` of this object is asked about every op inside.

    Ops of backward passes too. Within it the mode is off.

    >>> import stateful as torch
    >>> from stateful.utils._python_dispatch import TorchDispatchMode
    >>> class Names(TorchDispatchMode):
    ...     def __torch_dispatch__(self, func, types, args=(), kwargs=None):
    ...         print(func)
    ...         return func(*args, **(kwargs or {}))
    >>> x = torch.ones(2, requires_grad=True)
    >>> with Names():
    ...     (grad,) = torch.autograd.grad(x * 3, x, torch.ones(2))
    aten.mul.Tensor
    aten.ones.default
    aten.mul.Tensor
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        install()
        state.modes = (*state.modes, self)
        return self

    def __exit__(self, *exc) -> None:
        state.modes = state.modes[:-1]

    @classmethod
    def push(cls, *args, **kwargs):
        """A new mode, to be entered."""
        return cls(*args, **kwargs)


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that changes nothing."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def _get_current_dispatch_mode() -> TorchDispatchMode | None:
    """The innermost mode."""
    return state.modes[-1] if state.modes else None


def _get_current_dispatch_mode_stack() -> list[TorchDispatchMode]:
    """All modes, innermost last."""
    return list(state.modes)


@contextlib.contextmanager
def _disable_current_modes() -> Iterator[list[TorchDispatchMode]]:
    """No mode is asked inside."""
    before, state.modes = state.modes, ()
    try:
        yield list(before)
    finally:
        state.modes = before


@contextlib.contextmanager
def _pop_mode_temporarily() -> Iterator[TorchDispatchMode]:
    """The innermost mode is not asked inside."""
    before, state.modes = state.modes, state.modes[:-1]
    try:
        yield before[-1]
    finally:
        state.modes = before


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """Whether a tensor says what it is made of, with ``__tensor_flatten__``."""
    kind = type(t)
    wraps = isinstance(t, Tensor) and kind.__torch_dispatch__ is not disabled_torch_dispatch
    return wraps and hasattr(kind, "__tensor_flatten__") and hasattr(kind, "__tensor_unflatten__")


def return_and_correct_aliasing(func: OpOverload, args: tuple, kwargs: dict, out: Any) -> Any:
    """What a ``__torch_dispatch__`` is to return: of an op in place the tensor written to."""
    return args[0] if func._schema.is_mutable else out
