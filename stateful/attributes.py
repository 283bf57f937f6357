"""Attributes of `Tensor` that few programs ask for: ``grad_dtype``, and what may not be deleted."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import jax

from funcgrad.unsupported import type_name

from . import devices, dtypes
from .execute import Aval
from .input_metadata import InputMetadata
from .tensor import Tensor


class AnyDtype(NamedTuple):
    """In place of an `Aval`: a gradient of this shape is taken in the dtype in which it comes."""

    shape: tuple[int, ...]
    dtype: None = None


def _grad_dtype(self: Tensor) -> Any:
    """The dtype that gradients of this leaf are cast to; None: they stay as they come.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.grad_dtype = torch.float64
    >>> (x * 2).sum().backward()
    >>> x.grad.dtype
    torch.float64
    """
    if self._current_grad_fn() is not None:
        raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
    aval = self._grad_aval or self._aval
    return None if aval.dtype is None else dtypes.from_numpy(aval.dtype)


def _set_grad_dtype(self: Tensor, dtype: Any) -> None:
    if dtype is not None and not isinstance(dtype, dtypes.dtype):
        raise RuntimeError(
            f"grad_dtype must be a torch.dtype or None, but got {type(dtype).__name__}"
        )
    if self._current_grad_fn() is not None:
        raise RuntimeError("grad_dtype can only be set on leaf tensors.")
    wanted = None if dtype is None else dtype.numpy
    present = self._grad
    if wanted is not None and present is not None and present._aval.dtype != wanted:
        raise RuntimeError(
            f"Cannot set grad_dtype to '{type_name(wanted)}' because there is already a gradient "
            f"with dtype '{type_name(present._aval.dtype)}'. Please clear the gradient "
            "(.grad = None) before changing grad_dtype, or ensure the new grad_dtype matches the "
            "existing gradient's dtype."
        )
    shape = self._aval.shape
    self._grad_aval = AnyDtype(shape) if wanted is None else Aval.of(shape, wanted)
    node = self._accumulator() if self._accumulator is not None else None
    if node is not None:
        node.avals = (self._grad_aval,)


def _set_backward_hooks(self: Tensor, hooks: Any) -> None:
    """The hooks of a leaf, by number; those of other tensors belong to their node, not to them."""
    self._hooks = _checked_hooks("_backward_hooks", hooks)


def _checked_hooks(name: str, hooks: Any) -> Any:
    if hooks is not None and not isinstance(hooks, dict):
        raise TypeError(
            f"{name} must be a dict of hooks or None, but got {type(hooks).__name__}: use the "
            "method that registers hooks"
        )
    return hooks


def _refuse(message: str):
    def delete(self):
        raise RuntimeError(message)

    return delete


def _volatile(self: Tensor) -> bool:
    """Always False; the attribute has had no meaning since there is `no_grad`.

    >>> import stateful as torch, warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.ones(1).volatile
    False
    """
    warnings.warn(
        "volatile was removed (Variable.volatile is always False)",
        stacklevel=2,
    )
    return False


def _set_volatile(self: Tensor, value: Any) -> None:
    warnings.warn(
        "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
        stacklevel=2,
    )


def _set_post_accumulate_grad_hooks(self: Tensor, hooks: Any) -> None:
    """Other hooks: an ordered dictionary as hooks are registered in, or None."""
    self._post_accumulate_hooks = _checked_hooks("_post_accumulate_grad_hooks", hooks)


def _forget_grad_fn(self: Tensor, value: Any) -> None:
    if value is not None:
        raise RuntimeError(f"_grad_fn can be only set to None, not to {value!r}")
    self.detach_()  # type: ignore[attr-defined]


_REFUSALS = {
    "data": "Deleting tensor data is not allowed. Delete tensor instead!",
    "requires_grad": "requires_grad must be a bool: it is set, not deleted",
    "_backward_hooks": "Deletion of _backwards_hooks not allowed!",
}
_hooks_of: Any = Tensor._backward_hooks
Tensor._backward_hooks = _hooks_of.setter(_set_backward_hooks)  # type: ignore[method-assign]
for _name, _message in _REFUSALS.items():
    setattr(Tensor, _name, getattr(Tensor, _name).deleter(_refuse(_message)))
Tensor.grad_dtype = property(_grad_dtype, _set_grad_dtype)  # type: ignore[attr-defined]
Tensor._post_accumulate_grad_hooks = property(  # type: ignore[attr-defined]
    lambda self: self._post_accumulate_hooks,
    _set_post_accumulate_grad_hooks,
    _refuse("Deletion of _post_accumulate_grad_hooks not allowed! Set it to None instead."),
)
Tensor._grad_fn = property(  # type: ignore[attr-defined]
    lambda self: self.grad_fn,
    _forget_grad_fn,
    _refuse("Deletion of _grad_fn not allowed. Detach tensor instead!"),
)
Tensor.name = property(  # type: ignore[attr-defined]
    lambda self: None, doc="None: no tensor has a name of its own."
)
Tensor.volatile = property(_volatile, _set_volatile)  # type: ignore[attr-defined]
InputMetadata.dtype_of = staticmethod(lambda aval: dtypes.from_numpy(aval.dtype))
InputMetadata.device_of = staticmethod(lambda: devices.from_jax(jax.devices()[0]))
