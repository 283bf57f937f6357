"""When do two runs agree? The policy, in one place.

- *Arrays* (root values, gradients, parameters) agree when every element is within
  `rtol * (|reference| + largest |reference| of the array)`. `rtol` is 1e-5 for float32 in the first `EARLY` gradient
  calls of a run, and ten times that later, because rounding differences accumulate over a training loop. Other dtypes
  have their own `rtol`; integers and booleans must be equal. Shapes and dtypes must be equal.
- *Random draws* must be equal bit for bit.
- *Printed text* must be equal, except that runs of blanks count as one and addresses (`0x7f..`) are not compared. Numbers
  with a point or an exponent may differ by 1e-4 relative, or by one unit of their last printed place where that unit
  is at most 1e-4. Integers must be equal.
- *Warnings and exceptions* agree when their types do and every phrase of `KEY_PHRASES` that is in the one message is in
  the other.
- A *functional twin* answers for gradients, steps and printed text; a number of another float dtype than the
  reference's is compared by its value.

NaN agrees with NaN, and an infinity with itself.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from .trace import Quantity

EARLY = 20
_LATE_FACTOR = 10.0
_RTOL = {
    "float64": 1e-10,
    "complex128": 1e-10,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 5e-3,
    "bfloat16": 4e-2,
}

# What people search for and scripts match on; the rest of a message is each library's own.
KEY_PHRASES = (
    "a leaf Variable that requires grad",
    "additional grad for tensors",
    "does not require grad",
    "in-place",
    "inconsistent",
    "inplace operation",
    "Mismatch in shape",
    "modified by an inplace operation",
    "must match the size",
    "not have been used in the graph",
    "retain_graph=True",
    "scalar outputs",
    "second time",
    "shapes cannot be multiplied",
    "sourceTensor.detach().clone()",
)

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?=j?(?!\w))")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Difference:
    """How two values compare.

    `verdict` is "equal" (bit for bit), "agree" (within tolerance) or "part"; `excess` is the difference over what is
    allowed; `ulps` counts the floats between the two at the worst element, as far as the trace keeps it.
    """

    verdict: str
    absolute: float = 0.0
    ulps: float = 0.0
    excess: float = 0.0
    why: str = ""

    @property
    def parts(self) -> bool:
        """Whether the two do not agree."""
        return self.verdict == "part"


EQUAL = Difference("equal")


def part(why: str, absolute: float = math.inf) -> Difference:
    """The difference of things that cannot agree, and why."""
    return Difference("part", absolute, math.inf, math.inf, why)


@dataclass(frozen=True)
class Tolerance:
    """The numbers of the policy: `rtol` replaces the table of dtypes, `text_rtol` is for numbers in printed text.

    >>> import numpy as np
    >>> one = Quantity.of("w.grad", "grad", np.float32([1.0, 0.0]))
    >>> other = Quantity.of("w.grad", "grad", np.float32([1.000001, 0.0]))
    >>> Tolerance().quantities(one, other).verdict
    'agree'
    >>> Tolerance().texts("loss 0.12345", "loss 0.12346").verdict
    'agree'
    """

    rtol: float | None = None
    text_rtol: float = 1e-4

    def quantities(
        self, reference: Quantity, other: Quantity, late: bool = False, loose_dtype: bool = False
    ) -> Difference:
        """Compares two captured arrays; `late` is true after the first `EARLY` gradient calls."""
        if reference.shape != other.shape:
            return part(f"shape {list(other.shape)}, not {list(reference.shape)}")
        if reference.dtype != other.dtype and not (loose_dtype and _both_float(reference, other)):
            return part(f"dtype {other.dtype}, not {reference.dtype}")
        if reference.checksum == other.checksum and reference.dtype == other.dtype:
            return EQUAL
        if reference.role == "draw":
            absolute, ulps = _largest(reference.values, other.values)
            return Difference(
                "part", absolute, ulps, math.inf, "a random draw that is not bit-equal"
            )
        return _within(reference, other, self._rtol_of(reference, other, late))

    def _rtol_of(self, reference: Quantity, other: Quantity, late: bool) -> float:
        if self.rtol is not None:
            return self.rtol
        known = [_RTOL.get(one.dtype, 0.0) for one in (reference, other)]
        return max(known) * (_LATE_FACTOR if late else 1.0)

    def texts(self, reference: str, other: str) -> Difference:
        """Compares two printed texts."""
        if reference == other:
            return EQUAL
        left, right = (_ADDRESS.sub("0x...", text) for text in (reference, other))
        if _words(left) != _words(right):
            return part("the text differs")
        worst = Difference("agree")
        for one, two in zip(_NUMBER.findall(left), _NUMBER.findall(right), strict=True):
            found = self._numbers(one, two)
            worst = max(worst, found, key=lambda difference: difference.excess)
        return worst

    def _numbers(self, one: str, two: str) -> Difference:
        first, second = float(one), float(two)
        absolute = abs(first - second)
        if absolute == 0:
            return Difference("agree")
        if _is_integer(one) and _is_integer(two):
            return part("an integer differs", absolute)
        unit = max(_last_place(one), _last_place(two))
        allowed = self.text_rtol * max(abs(first), abs(second))
        if unit <= self.text_rtol:
            allowed = max(allowed, 1.001 * unit)
        excess = absolute / allowed if allowed else math.inf
        verdict = "part" if excess > 1 else "agree"
        steps = _steps32(first, second)
        return Difference(verdict, absolute, steps, excess, "a number differs")

    def messages(self, reference: str, other: str) -> Difference:
        """Compares two "Type: message" texts of warnings or exceptions by type and key phrases."""
        if reference == other:
            return EQUAL
        if reference.split(":")[0] != other.split(":")[0]:
            return part(f"{other.split(':')[0]}, not {reference.split(':')[0]}")
        missing = [phrase for phrase in KEY_PHRASES if phrase in reference and phrase not in other]
        return part(f'the message lacks "{missing[0]}"') if missing else Difference("agree")


def _within(reference: Quantity, other: Quantity, rtol: float) -> Difference:
    absolute, ulps = _largest(reference.values, other.values)
    if not rtol:
        return part("the values differ", absolute)
    expected, found = (_real(one.values).astype(np.float64) for one in (reference, other))
    odd = ~np.isfinite(expected) | ~np.isfinite(found)
    if np.any(odd & (expected != found) & ~(np.isnan(expected) & np.isnan(found))):
        return part("NaN or infinity on one side")
    expected, found = np.where(odd, 0, expected), np.where(odd, 0, found)
    allowed = rtol * (np.abs(expected) + np.abs(expected).max(initial=0.0))
    excess = _over(np.abs(expected - found), allowed)
    if not reference.whole and math.isfinite(reference.norm):
        unseen = max(abs(reference.norm - other.norm), abs(reference.projection - other.projection))
        excess = max(excess, _over(np.array([unseen]), np.array([4 * rtol * reference.norm])))
        absolute = max(absolute, unseen / math.sqrt(math.prod(reference.shape)))
    return Difference(
        "part" if excess > 1 else "agree", absolute, ulps, excess, "the values differ"
    )


def _over(gap: np.ndarray, allowed: np.ndarray) -> float:
    """The largest gap in units of what is allowed; infinite where nothing is allowed."""
    unlimited = np.where(gap > 0, np.inf, 0.0)
    return float(np.divide(gap, allowed, out=unlimited, where=allowed > 0).max(initial=0.0))


def _both_float(one: Quantity, two: Quantity) -> bool:
    return one.dtype in _RTOL and two.dtype in _RTOL


def _real(values: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs of real ones."""
    return values.view(values.real.dtype) if values.dtype.kind == "c" else values


def _largest(expected: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """The largest absolute difference, and the largest in units of the last place of `expected`."""
    expected, found = _real(expected), _real(found)
    with np.errstate(invalid="ignore"):
        gap = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    finite = gap[np.isfinite(gap)]
    absolute = float(finite.max(initial=0.0)) if finite.size or not gap.size else math.inf
    dtype = np.float64 if expected.dtype == np.float64 else np.float32
    steps = _ordered(expected, dtype) - _ordered(found, dtype)
    return absolute, float(np.abs(steps).max(initial=0.0))


def _ordered(values: np.ndarray, dtype: type) -> np.ndarray:
    """Numbers the floats in order, so that neighbours differ by one and both zeros are 0."""
    integer, largest = (np.int64, 2**63 - 1) if dtype is np.float64 else (np.int32, 2**31 - 1)
    bits = np.ascontiguousarray(values, dtype=dtype).view(integer).astype(np.int64)
    return np.where(bits < 0, -(bits & largest), bits).astype(np.float64)


def _steps32(first: float, second: float) -> float:
    return _largest(np.float32([first]), np.float32([second]))[1]


def _words(text: str) -> str:
    return " ".join(_NUMBER.sub(" # ", text).split())


def _is_integer(number: str) -> bool:
    return number.lstrip("+-").isdigit()


def _last_place(number: str) -> float:
    """The worth of one unit of the last printed digit: 0.01 for "3.14", 1e-9 for "2.500000e-03"."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)
