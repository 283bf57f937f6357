"""`__torch_dispatch__`: classes and modes that decide what ops mean, below autograd.

Where ``__torch_function__`` is asked about the call of a public function, this is asked about each
op of it, of its gradient too: as one of `torch.ops.aten`, while nothing is recorded. Ops look for
such classes only once there is one, see ``dispatching.py``.
Source of the protocol: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-all-torch-api
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import modes
from .torch_function import overloaded


class _State(threading.local):
    """What ops of this thread look for."""

    subclasses: bool = True
    modes: tuple = ()


state = _State()


class DisableTorchDispatch:
    """Context manager: ops inside ignore ``__torch_dispatch__`` of their arguments, and modes.

    >>> import stateful as torch
    >>> with torch._C._DisableTorchDispatch():
    ...     torch.ones(2) + 1
    tensor([2., 2.])
    """

    def __enter__(self) -> None:
        self._before = state.subclasses, state.modes
        state.subclasses, state.modes = False, ()

    def __exit__(self, *exc) -> None:
        state.subclasses, state.modes = self._before


def disabled_torch_dispatch(func: Callable, types: Iterable, args: tuple = (), kwargs: Any = None):
    """The ``__torch_dispatch__`` of a class whose tensors are like any other: `Tensor`."""
    with DisableTorchDispatch():
        return func(*args, **(kwargs or {}))


def dispatches(kind: type) -> bool:
    """Whether a class decides what ops on its instances mean."""
    handler = getattr(kind, "__torch_dispatch__", disabled_torch_dispatch)
    return handler is not disabled_torch_dispatch


def decided(values: Sequence) -> bool:
    """Whether a mode, or the class of one of ``values``, decides what ops mean now."""
    if state.modes:
        return True
    return state.subclasses and any(dispatches(type(x)) for x in values)


def asked(arguments: Iterable) -> list:
    """The first argument of each class that decides; a subclass stands before its bases."""
    return overloaded(arguments, dispatches) if state.subclasses else []


def handle(op: Any, given: Sequence, args: Sequence, kwargs: dict) -> Any:
    """What the innermost mode, else the classes of ``given``, say that an op is.

    Nothing of it is recorded. Raises TypeError if each of them returns NotImplemented.
    """
    types = tuple(type(argument) for argument in given)
    with modes.no_grad():
        if state.modes:
            result = _of_mode(op, types, args, kwargs)
            if result is not NotImplemented:
                return result
        for kind in types:
            result = kind.__torch_dispatch__(op, types, tuple(args), kwargs)
            if result is not NotImplemented:
                return result
    names = ", ".join(kind.__name__ for kind in types)
    raise TypeError(
        f"Multiple dispatch failed for 'torch._ops.{op}'; all __torch_dispatch__ handlers "
        f"returned NotImplemented: those of {names}"
    )


def _of_mode(op: Any, types: tuple, args: Sequence, kwargs: dict) -> Any:
    before = state.modes
    mode, state.modes = before[-1], before[:-1]
    try:
        return mode.__torch_dispatch__(op, types, tuple(args), kwargs)
    finally:
        state.modes = before
