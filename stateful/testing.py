"""`torch.testing`: `assert_close`, `make_tensor`."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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


class _Options(NamedTuple):
    """How two values are compared; tolerances of None are those of the dtype."""

    rtol: float | None
    atol: float | None
    equal_nan: bool
    allow_subclasses: bool
    check_device: bool
    check_dtype: bool
    check_stride: bool

    def tolerance(self, *names: str) -> tuple[float, float]:
        """rtol and atol for numbers of these dtypes."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        return tuple(map(max, zip(*(_TOLERANCE.get(n, (0.0, 0.0)) for n in names), strict=True)))  # type: ignore[return-value]


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
    check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """Raise AssertionError unless ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Tensors, arrays, numbers, None, and sequences and mappings of them. Tolerances default to those
    of the dtype. TypeError for two things that cannot be compared, such as a tensor and a number.

    >>> import stateful as torch
    >>> torch.testing.assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
            f"{'rtol' if rtol is None else 'atol'}: the other was {atol if rtol is None else rtol}."
        )
    options = _Options(
        rtol, atol, equal_nan, allow_subclasses, check_device, check_dtype, check_stride
    )
    problem = _difference(actual, expected, options, "")
    if problem is not None:
        raise AssertionError(msg(problem) if callable(msg) else msg or problem)


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = True, msg: str = "",
) -> None:  # fmt: skip
    """The old name of `assert_close`, which converts what it compares and ignores dtypes.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.testing.assert_allclose(torch.ones(2), torch.ones(2) + 1e-7)
    """
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12. Please use "
        "`torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    expected = as_tensor(expected)
    assert_close(
        as_tensor(actual), expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
        msg=msg or None,
    )  # fmt: skip


def _difference(actual: Any, expected: Any, options: _Options, where: str) -> str | None:
    """What is wrong, in words, or None."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing, more = set(expected) - set(actual), set(actual) - set(expected)
        if missing or more:
            return (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing)}\n"
                f"Additional keys in the actual mapping: {sorted(more)}" + _at(where)
            )
        pairs = [(actual[key], expected[key], f"[{key!r}]") for key in actual]
    elif _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}" + _at(
                where
            )
        pairs = [(a, e, f"[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True))]
    else:
        problem = _leaf_difference(actual, expected, options)
        return None if problem is None else problem + _at(where)
    found = (_difference(a, e, options, where + part) for a, e, part in pairs)
    return next((problem for problem in found if problem is not None), None)


def _at(where: str) -> str:
    return f"\n\nThe failure occurred for item {where}" if where else ""


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _leaf_difference(actual: Any, expected: Any, options: _Options) -> str | None:
    both = (actual, expected)
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if all(isinstance(x, bool | np.bool_) for x in both):
        return None if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
    if all(isinstance(x, numbers.Number) and not isinstance(x, bool) for x in both):
        return _number_difference(actual, expected, options)
    kinds = type(actual), type(expected)
    related = issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0])
    same = kinds[0] is kinds[1] or options.allow_subclasses
    if not (related and same and all(isinstance(x, Tensor | np.ndarray) for x in both)):
        raise TypeError(
            f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}."
        )
    return _tensor_difference(as_tensor(actual).detach(), as_tensor(expected).detach(), options)


def _number_difference(actual: Any, expected: Any, options: _Options) -> str | None:
    if options.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    exact = isinstance(actual, int) and isinstance(expected, int)
    rtol, atol = options.tolerance("int64" if exact else "float64")
    if actual == expected or bool(np.isclose(actual, expected, rtol, atol, options.equal_nan)):
        return None
    off = abs(actual - expected)
    relative = off / abs(expected) if expected else float("inf")
    equal = rtol == atol == 0
    return (
        f"Scalars are not {'equal' if equal else 'close'}!\n\n"
        f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {off}{_allowed(equal, atol)}\n"
        f"Relative difference: {relative}{_allowed(equal, rtol)}"
    )


def _allowed(equal: bool, limit: float) -> str:
    return "" if equal else f" (up to {limit} allowed)"


def _tensor_difference(a: Tensor, e: Tensor, options: _Options) -> str | None:
    compared: list[tuple[str, Any, Any]] = [("shape", a.shape, e.shape)]
    if options.check_device:
        compared.append(("device", a.device, e.device))
    if options.check_dtype:
        compared.append(("dtype", a.dtype, e.dtype))
    if options.check_stride:
        compared.append(("stride()", a.stride(), e.stride()))
    for name, mine, theirs in compared:
        if mine != theirs:
            return f"The values for attribute '{name}' do not match: {mine} != {theirs}."
    tolerance = options.tolerance(*(x._aval.dtype.name for x in (a, e)))
    return _elements_difference(a.numpy(), e.numpy(), tolerance, options.equal_nan)


def _elements_difference(a, e, tolerance: tuple[float, float], equal_nan: bool) -> str | None:
    rtol, atol = tolerance
    exact = a.dtype.kind in "iub" and e.dtype.kind in "iub"
    wide = np.complex128 if np.iscomplexobj(a) or np.iscomplexobj(e) else np.float64
    close = a == e
    a, e = a.astype(wide), e.astype(wide)
    if not exact or rtol or atol:  # 64-bit integers are not compared as floats
        close |= np.isclose(a, e, rtol, atol, equal_nan)
    if close.all():
        return None
    with np.errstate(all="ignore"):
        off = np.where(close, 0.0, np.abs(a - e))
        relative = np.where(close, 0.0, off / np.abs(e))
    worst, furthest = (np.unravel_index(np.argmax(x), x.shape) for x in (off, relative))
    bad, equal = int((~close).sum()), rtol == atol == 0
    largest = int(off.max()) if exact else off.max()
    return (
        f"Tensor-likes are not {'equal' if equal else 'close'}!\n\n"
        f"Mismatched elements: {bad} / {close.size} ({100 * bad / close.size:.1f}%)\n"
        f"Greatest absolute difference: {largest} at index {tuple(map(int, worst))}"
        f"{_allowed(equal, atol)}\n"
        f"Greatest relative difference: {relative.max()} at index {tuple(map(int, furthest))}"
        f"{_allowed(equal, rtol)}"
    )


def make_tensor(
    *shape: Any, dtype: dtypes.dtype, device: Any = None, low: float | None = None,
    high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False,
    exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Random numbers for tests, in [low, high), by default [-9, 9) or what the dtype allows.

    ``noncontiguous``: every other element of a longer tensor. ValueError for an empty range, and
    for integers that are to require a gradient.

    >>> import stateful as torch
    >>> torch.testing.make_tensor(2, 3, dtype=torch.int64, device="cpu", low=0, high=5).shape
    torch.Size([2, 3])
    """
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    differentiable = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not differentiable:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"dtype={dtype}"
        )
    if low is not None and high is not None and low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    spread = noncontiguous and size and np.prod(size) > 1
    made = _drawn((*size[:-1], 2 * size[-1]) if spread else size, dtype, low, high)
    made = made[..., ::2] if spread else made
    if exclude_zero:
        made[made == 0] = 1
    if memory_format is not None:
        made = made.clone(memory_format=memory_format)  # type: ignore[attr-defined]
    made = made if device is None else made.to(device)
    return made.requires_grad_(requires_grad)


def _drawn(size: tuple, dtype: dtypes.dtype, low: float | None, high: float | None) -> Any:
    if dtype is dtypes.bool:
        return randint(0, 2, size, dtype=dtype)
    if dtype.is_floating_point or dtype.is_complex:
        low, high = (-9.0 if low is None else low), (9.0 if high is None else high)
        parts = (*size, 2) if dtype.is_complex else size
        made = FACTORIES["zeros"](parts, dtype=dtype.to_real()).uniform_(low, high)
        return FUNCTIONS["torch"]["view_as_complex"](made) if dtype.is_complex else made
    low = (-9 if dtype.is_signed else 0) if low is None else low
    return randint(int(low), int(10 if high is None else high), size, dtype=dtype)
