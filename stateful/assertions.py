"""`torch._assert`, `torch._check`, ...: conditions that a program insists on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dtypes
from .tensor import Tensor


def _assert(condition: Any, message: str) -> None:
    """AssertionError with ``message`` unless ``condition`` holds."""
    if not condition:
        raise AssertionError(message)


def _check_with(error_type: type[Exception], cond: bool, message: Callable | None = None) -> None:
    """``error_type`` with ``message()`` unless ``cond``, which must be a bool."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise error_type("Expected cond to be True, but got False.")
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error_type(str(message()))


def _check_tensor_all_with(
    error_type: type[Exception], cond: Any, message: Callable | None = None
) -> None:
    """As `_check_with`, of all elements of a tensor of bools."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not dtypes.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)  # type: ignore[attr-defined]


def _raising(error_type: type[Exception], name: str, check: Callable = _check_with) -> Callable:
    def checks(cond: Any, message: Callable | None = None) -> None:
        check(error_type, cond, message)

    checks.__name__ = checks.__qualname__ = name
    checks.__doc__ = f"{error_type.__name__} with ``message()`` unless ``cond``."
    return checks


def _check_is_size(i: int, message: Callable | None = None) -> None:
    """RuntimeError unless ``i`` may be a size."""
    _check_with(RuntimeError, i >= 0, message)


ASSERTIONS: dict[str, Callable] = {
    function.__name__: function for function in (
        _assert, _check_with, _check_tensor_all_with, _check_is_size,
        _raising(RuntimeError, "_check"), _raising(IndexError, "_check_index"),
        _raising(ValueError, "_check_value"), _raising(TypeError, "_check_type"),
        _raising(NotImplementedError, "_check_not_implemented"),
        _raising(RuntimeError, "_check_tensor_all", _check_tensor_all_with),
    )
}  # fmt: skip
