"""Switches and questions of the `torch` namespace: default dtype, threads, `is_tensor`, ..."""

from __future__ import annotations

import os
import warnings
from typing import Any

from funcgrad.unsupported import TYPE_NAMES

from . import devices, dtypes
from .execute import clear_kernels
from .storages import UntypedStorage
from .tensor import Tensor


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor.

    >>> import stateful as torch
    >>> torch.is_tensor(torch.ones(1)), torch.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is the storage of a tensor.

    >>> import stateful as torch
    >>> torch.is_storage(torch.ones(1).untyped_storage()), torch.is_storage(torch.ones(1))
    (True, False)
    """
    return isinstance(obj, UntypedStorage)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a real floating one."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Whether the dtype holds negative numbers.

    >>> import stateful as torch
    >>> torch.is_signed(torch.tensor([1]))
    True
    """
    return input.dtype.is_signed


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode.

    >>> import stateful as torch
    >>> torch.is_inference(torch.ones(1))
    False
    """
    return input._inference


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero.

    >>> import stateful as torch
    >>> torch.is_nonzero(torch.tensor([2]))
    True
    """
    if input.numel() != 1:
        many = "no values" if not input.numel() else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
    return bool(input)


def numel(input: Tensor) -> int:
    """The number of elements.

    >>> import stateful as torch
    >>> torch.numel(torch.zeros(2, 3))
    6
    """
    return input.numel()


def typename(obj: Any) -> str:
    """The name of the type of an object; of a tensor its legacy type.

    >>> import stateful as torch
    >>> torch.typename(torch.ones(1))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return f"torch.{TYPE_NAMES[obj._aval.dtype.name]}Tensor"
    cls = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(cls, "__module__", None) or ""
    return cls.__qualname__ if module in ("", "builtins") else f"{module}.{cls.__qualname__}"


def set_default_dtype(d: dtypes.dtype) -> None:
    """Set the dtype of tensors made from Python floats. TypeError unless it is a floating dtype.

    >>> import stateful as torch
    >>> torch.set_default_dtype(torch.float64)
    >>> torch.tensor([1.0]).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    dtypes.set_default_dtype(d)
    clear_kernels()


def set_default_tensor_type(t: Any) -> None:
    """Deprecated: see `set_default_dtype`.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.set_default_tensor_type(torch.DoubleTensor)
    >>> torch.tensor(1.0).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    names = {f"torch.{name}Tensor": name for name in TYPE_NAMES.values()}
    by_name = {name: dtype for dtype, name in TYPE_NAMES.items()}
    name = t if isinstance(t, str) else f"torch.{t.__name__}"
    if name not in names:
        raise TypeError(f"invalid type object: {t}; pass a tensor type such as torch.DoubleTensor")
    set_default_dtype(getattr(dtypes, by_name[names[name]]))


class _Threads:
    """What was asked for; XLA decides by itself."""

    within = os.cpu_count() or 1
    between = os.cpu_count() or 1


def get_num_threads() -> int:
    """The number set by `set_num_threads`; XLA chooses its own.

    >>> import stateful as torch
    >>> torch.get_num_threads() >= 1
    True
    """
    return _Threads.within


def set_num_threads(num: int) -> None:
    """Remembered only: XLA chooses its number of threads.

    >>> import stateful as torch
    >>> threads = torch.get_num_threads()
    >>> torch.set_num_threads(1)
    >>> torch.get_num_threads()
    1
    >>> torch.set_num_threads(threads)
    """
    if not isinstance(num, int) or num < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {num}")
    _Threads.within = num


def get_num_interop_threads() -> int:
    """The number set by `set_num_interop_threads`.

    >>> import stateful as torch
    >>> torch.get_num_interop_threads() >= 1
    True
    """
    return _Threads.between


def set_num_interop_threads(num: int) -> None:
    """Remembered only.

    >>> import stateful as torch
    >>> torch.set_num_interop_threads(torch.get_num_interop_threads())
    """
    _Threads.between = num


class _Deterministic:
    wanted = False
    warn_only = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remembered only: on the CPU every program here is deterministic.

    >>> import stateful as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    _Deterministic.wanted, _Deterministic.warn_only = bool(mode), warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told.

    >>> import stateful as torch
    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    return _Deterministic.wanted


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was told to warn instead of raise.

    >>> import stateful as torch
    >>> torch.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return _Deterministic.warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by number: 0 default, 1 warn, 2 error.

    >>> import stateful as torch
    >>> torch.set_deterministic_debug_mode("warn")
    >>> torch.get_deterministic_debug_mode()
    1
    >>> torch.set_deterministic_debug_mode(0)
    """
    named = {"default": 0, "warn": 1, "error": 2}
    if debug_mode not in (*named, *named.values()):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, 2 or one of {list(named)}, but got "
            f"{debug_mode!r}"
        )
    level = named.get(debug_mode, debug_mode)  # type: ignore[call-overload]
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """What `set_deterministic_debug_mode` was told, as a number.

    >>> import stateful as torch
    >>> torch.get_deterministic_debug_mode()
    0
    """
    return 0 if not _Deterministic.wanted else 1 if _Deterministic.warn_only else 2


class _Precision:
    name = "highest"


def set_float32_matmul_precision(precision: str) -> None:
    """Remembered only: products of float32 are always computed in float32 here.

    >>> import stateful as torch
    >>> torch.set_float32_matmul_precision("high")
    >>> torch.get_float32_matmul_precision()
    'high'
    >>> torch.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', 'medium'; the current setting stays.",
            stacklevel=2,
        )
        return
    _Precision.name = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told.

    >>> import stateful as torch
    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    return _Precision.name


def get_default_device() -> devices.device:
    """Where tensors are made.

    >>> import stateful as torch
    >>> torch.get_default_device()
    device(type='cpu')
    """
    return devices.device("cpu")
