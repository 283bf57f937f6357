"""`torch.testing.assert_close`: whether values agree within a tolerance, and where not."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..creation import as_tensor
from ..tensor import Tensor

_TOLERANCE = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7), "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip


class Options(NamedTuple):
    """How two values are compared; tolerances of None are those of the dtype.

    ``least``: the smallest rtol and atol. ``leaf``: says what is wrong with two values that are no
    containers. ``sequences``, ``mappings``: the containers.
    """

    rtol: float | None
    atol: float | None
    equal_nan: bool
    allow_subclasses: bool
    check_device: bool
    check_dtype: bool
    check_stride: bool
    least: tuple[float, float] = (0.0, 0.0)
    leaf: Callable[[Any, Any, Options], str | None] | None = None
    sequences: tuple[type, ...] = (Sequence,)
    mappings: tuple[type, ...] = (Mapping,)

    def tolerance(self, *names: str) -> tuple[float, float]:
        """rtol and atol for numbers of these dtypes."""
        rtol, atol = self.rtol, self.atol
        if (rtol is None) != (atol is None):
            missing, other = ("rtol", atol) if rtol is None else ("atol", rtol)
            raise ValueError(
                "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
                f"{missing}: the other was {other}."
            )
        given = [_TOLERANCE.get(name, (0.0, 0.0)) for name in names]
        given = given if rtol is None else [(rtol, atol)]
        return tuple(map(max, zip(*given, self.least, strict=True)))  # type: ignore[return-value]


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
    options = Options(
        rtol, atol, equal_nan, allow_subclasses, check_device, check_dtype, check_stride
    )
    compare(actual, expected, options, msg)


def compare(
    actual: Any, expected: Any, options: Options, msg: str | Callable[[str], str] | None
) -> None:
    """Raise AssertionError unless two values agree."""
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


def _difference(actual: Any, expected: Any, options: Options, where: str) -> str | None:
    """What is wrong, in words, or None."""
    both = (actual, expected)
    if all(isinstance(x, options.mappings) for x in both):
        missing, more = set(expected) - set(actual), set(actual) - set(expected)
        if missing or more:
            raise AssertionError(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing)}\n"
                f"Additional keys in the actual mapping: {sorted(more)}" + _at(where)
            )
        pairs = [(actual[key], expected[key], f"[{key!r}]") for key in actual]
    elif all(isinstance(x, options.sequences) and not isinstance(x, str) for x in both):
        if len(actual) != len(expected):
            raise AssertionError(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
                + _at(where)
            )
        pairs = [(a, e, f"[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True))]
    else:
        problem = (options.leaf or _leaf_difference)(actual, expected, options)
        return None if problem is None else problem + _at(where)
    found = (_difference(a, e, options, where + part) for a, e, part in pairs)
    return next((problem for problem in found if problem is not None), None)


def _at(where: str) -> str:
    return f"\n\nThe failure occurred for item {where}" if where else ""


def _leaf_difference(actual: Any, expected: Any, options: Options) -> str | None:
    both = (actual, expected)
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if all(isinstance(x, bool | np.bool_) for x in both):
        return None if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
    if all(isinstance(x, numbers.Number) and not isinstance(x, bool) for x in both):
        return number_difference(actual, expected, options)
    kinds = type(actual), type(expected)
    related = issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0])
    same = kinds[0] is kinds[1] or options.allow_subclasses
    if not (related and same and all(isinstance(x, Tensor | np.ndarray) for x in both)):
        raise TypeError(
            f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}."
        )
    return tensor_difference(as_tensor(actual).detach(), as_tensor(expected).detach(), options)


def number_difference(
    actual: Any, expected: Any, options: Options, of: str = "float64"
) -> str | None:
    """What is wrong with a number; ``of``: the dtype whose tolerances are meant."""
    exact = isinstance(actual, int) and isinstance(expected, int)
    rtol, atol = options.tolerance("int64" if exact else of)
    if options.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
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


def tensor_difference(a: Tensor, e: Tensor, options: Options) -> str | None:
    """What is wrong with a tensor."""
    tolerance = options.tolerance(*(x._aval.dtype.name for x in (a, e)))
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
