"""`torch.testing`: `assert_close`, `make_tensor`."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import dtypes
from .creation import FACTORIES, as_tensor
from .methods import FUNCTIONS
from .sampling import randint
from .tensor import Tensor

_TOLERANCE = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7), "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
    check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """Raise AssertionError unless ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Tensors, numbers, and sequences and mappings of them. Tolerances default to those of the dtype.

    >>> import stateful as torch
    >>> torch.testing.assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, got {rtol}, {atol}"
        )
    options = (rtol, atol, equal_nan, check_dtype, check_stride)
    problem = _difference(actual, expected, options, "")
    if problem is not None:
        raise AssertionError(msg(problem) if callable(msg) else msg or problem)


def _difference(actual: Any, expected: Any, options: tuple, where: str) -> str | None:
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            return f"The keys of the mappings do not match{where}: {set(actual) ^ set(expected)}"
        pairs = [(actual[key], expected[key], f"[{key!r}]") for key in actual]
    elif _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch{where}: {len(actual)} != {len(expected)}"
        pairs = [(a, e, f"[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True))]
    else:
        return _leaf_difference(actual, expected, options, where)
    found = (_difference(a, e, options, where + part) for a, e, part in pairs)
    return next((problem for problem in found if problem is not None), None)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _leaf_difference(actual: Any, expected: Any, options: tuple, where: str) -> str | None:
    rtol, atol, equal_nan, check_dtype, check_stride = options
    is_scalar = isinstance(actual, numbers.Number)
    kind = "Scalars" if is_scalar else "Tensor-likes"
    a, e = (as_tensor(x).detach() for x in (actual, expected))
    at = f"\n\nThe failure occurred for item {where}" if where else ""
    if a.shape != e.shape:
        return f"The values for attribute 'shape' do not match: {a.shape} != {e.shape}.{at}"
    if check_dtype and not is_scalar and a.dtype is not e.dtype:
        return f"The values for attribute 'dtype' do not match: {a.dtype} != {e.dtype}.{at}"
    if check_stride and a.stride() != e.stride():
        return (
            f"The values for attribute 'stride()' do not match: {a.stride()} != {e.stride()}.{at}"
        )
    if rtol is None:
        defaults = [_TOLERANCE.get(x._aval.dtype.name, (0.0, 0.0)) for x in (a, e)]
        rtol, atol = (max(pair) for pair in zip(*defaults, strict=True))
    return _compared(a.numpy(), e.numpy(), rtol, atol, equal_nan, kind, at)


def _compared(a, e, rtol, atol, equal_nan, kind, at) -> str | None:
    wide = np.complex128 if np.iscomplexobj(a) or np.iscomplexobj(e) else np.float64
    a, e = a.astype(wide), e.astype(wide)
    close = np.isclose(a, e, rtol, atol, equal_nan) | (a == e)
    if close.all():
        return None
    with np.errstate(all="ignore"):
        off = np.where(close, 0.0, np.abs(a - e))
        relative = np.where(close, 0.0, off / np.abs(e))
    if kind == "Scalars":
        return (
            f"{kind} are not close!\n\nExpected {e} but got {a}.\n"
            f"Absolute difference: {off} (up to {atol} allowed)\n"
            f"Relative difference: {relative} (up to {rtol} allowed)"
        )
    worst, worst_relative = (np.unravel_index(np.argmax(x), x.shape) for x in (off, relative))
    bad = int((~close).sum())
    return (
        f"{kind} are not close!\n\n"
        f"Mismatched elements: {bad} / {close.size} ({100 * bad / close.size:.1f}%)\n"
        f"Greatest absolute difference: {off.max()} at index {tuple(map(int, worst))} "
        f"(up to {atol} allowed)\n"
        f"Greatest relative difference: {relative.max()} at index "
        f"{tuple(map(int, worst_relative))} (up to {rtol} allowed){at}"
    )


def make_tensor(
    *shape: Any, dtype: dtypes.dtype, device: Any = None, low: float | None = None,
    high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False,
    exclude_zero: bool = False,
) -> Tensor:  # fmt: skip
    """Random numbers for tests, in [low, high), by default [-9, 9) or what the dtype allows."""
    size = shape[0] if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    if dtype is dtypes.bool:
        made = randint(0, 2, size, dtype=dtype)
    elif dtype.is_floating_point or dtype.is_complex:
        low, high = (-9.0 if low is None else low), (9.0 if high is None else high)
        parts = (*size, 2) if dtype.is_complex else tuple(size)
        made = FACTORIES["zeros"](parts, dtype=dtype.to_real()).uniform_(low, high)
        made = FUNCTIONS["torch"]["view_as_complex"](made) if dtype.is_complex else made
    else:
        low = (-9 if dtype.is_signed else 0) if low is None else low
        made = randint(int(low), int(10 if high is None else high), size, dtype=dtype)
    made = as_tensor(made).to(dtype)  # type: ignore[attr-defined]
    if exclude_zero:
        made = made.masked_fill(made == 0, 1)
    return made.requires_grad_(requires_grad)
