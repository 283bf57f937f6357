"""When do two runs agree? The policy, in one place.

- *Arrays* (root values, gradients, parameters) agree when every element is within
  `rtol * (|reference| + largest |reference| of the array)`. `rtol` is 1e-5 for float32 in the first
  `EARLY` gradient calls of a run, and ten times that later, because rounding differences accumulate
  over a training loop. Other dtypes have their own `rtol`; integers and booleans must be equal.
  Shapes and dtypes must be equal.
- What a training loop brings close to zero keeps the rounding of the numbers that it was the
  difference of. So a *gradient* may besides differ by `_ROUNDINGS` roundings of the largest value
  that it has had earlier in the run, and a *root*, being mostly a sum of squares, by as many of the
  geometric mean of its value now and the largest it has had.
- *Drift*: after the first `EARLY` gradient calls a gradient may part by 5 % of its norm without
  failing the comparison, and by up to half of it when it has shrunk a lot (`_drift`); the table
  says "drift". One activation within a rounding of a ReLU's kink does that, and PyTorch does the
  same to itself: with another code path of its matrix product (`MKL_CBWR=COMPATIBLE`) a third of
  the gradients of a two-layer ReLU network drift within 500 steps, by up to 29 %. The parameters
  after every step still have to agree.
- *Random draws* must be equal bit for bit.
- *Printed text* must be equal, except that runs of blanks count as one and addresses (`0x7f..`) are
  not compared. Numbers with a point or an exponent may differ by 1e-4 relative, by one unit of
  their last printed place where that unit is at most 1e-4, or by 1e-6 of the largest number in the
  same brackets (the numbers of one printed array share its rounding). Integers must be equal.
- *Warnings and exceptions* agree when their types do and every phrase of `KEY_PHRASES` that is in
  the reference's message is in the other.
- A *functional twin* answers for gradients, steps and printed text; a number of another float dtype
  than the reference's is compared by its value.

NaN agrees with NaN, and an infinity with itself.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass

import numpy as np

from .trace import Quantity

EARLY = 20
VERDICTS = ("equal", "agree", "drift", "part")
_LATE_FACTOR = 10.0
_ROUNDINGS = 4
_DRIFT = (0.05, 0.5)
_DRIFT_GROWTH = 3e-3
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

_ARRAY_RTOL = 1e-6
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?=j?(?!\w))")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Difference:
    """How two values compare.

    `verdict` is "equal" (bit for bit), "agree" (within tolerance), "drift" or "part"; `excess` is
    the difference over what is allowed; `ulps` counts the floats between the two at the worst
    element, as far as the trace keeps it.

    >>> from stateful.compare import Difference
    >>> Difference("part", absolute=0.5).parts
    True
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
    """The policy. `rtol` replaces the table of dtypes; `text_rtol` is for printed numbers.

    >>> import numpy as np
    >>> from stateful.compare import Quantity, Tolerance
    >>> one = Quantity.of("w.grad", "grad", np.array([1.0, 0.0]))
    >>> other = Quantity.of("w.grad", "grad", np.array([1.0 + 1e-12, 0.0]))
    >>> Tolerance().quantities(one, other).verdict
    'agree'
    >>> Tolerance().texts("loss 0.12345", "loss 0.12346").verdict
    'agree'
    """

    rtol: float | None = None
    text_rtol: float = 1e-4

    def quantities(
        self,
        reference: Quantity,
        other: Quantity,
        late: bool = False,
        loose_dtype: bool = False,
        peak: float = 0.0,
    ) -> Difference:
        """Compares two captured arrays.

        `late` is true after the first `EARLY` gradient calls; `peak` is the largest magnitude that
        the quantity has had earlier; `loose_dtype` lets float dtypes differ.
        """
        if reference.shape != other.shape:
            return part(f"shape {list(other.shape)}, not {list(reference.shape)}")
        if reference.dtype != other.dtype and not (loose_dtype and _both_float(reference, other)):
            return part(f"dtype {other.dtype}, not {reference.dtype}")
        if reference.checksum == other.checksum and reference.dtype == other.dtype:
            return EQUAL
        if reference.role == "draw":
            absolute, ulps = _largest(reference.values, other.values)
            return Difference("part", absolute, ulps, math.inf, "a draw that is not bit-equal")
        found = _within(reference, other, self._rtol_of(reference, other, late), peak)
        if found.parts and late and reference.role == "grad" and math.isfinite(found.excess):
            if _drifts(reference, other, peak):
                return dataclasses.replace(found, verdict="drift")
        return found

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
        pairs = zip(_NUMBER.finditer(left), _NUMBER.findall(right), _peaks(left), strict=True)
        for one, two, peak in pairs:
            found = self._numbers(one.group(), two, peak)
            worst = max(worst, found, key=lambda difference: difference.excess)
        return worst

    def _numbers(self, one: str, two: str, peak: float) -> Difference:
        first, second = float(one), float(two)
        absolute = abs(first - second)
        if absolute == 0:
            return Difference("agree")
        if _is_integer(one) and _is_integer(two):
            return part("an integer differs", absolute)
        unit = max(_last_place(one), _last_place(two))
        allowed = max(self.text_rtol * max(abs(first), abs(second)), _ARRAY_RTOL * peak)
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


def _within(reference: Quantity, other: Quantity, rtol: float, peak: float) -> Difference:
    absolute, ulps = _largest(reference.values, other.values)
    if not rtol:
        return part("the values differ", absolute)
    expected, found = (_real(one.values).astype(np.float64) for one in (reference, other))
    odd = ~np.isfinite(expected) | ~np.isfinite(found)
    if np.any(odd & (expected != found) & ~(np.isnan(expected) & np.isnan(found))):
        return part("NaN or infinity on one side")
    expected, found = np.where(odd, 0, expected), np.where(odd, 0, found)
    size = np.abs(expected)
    floor = _ROUNDINGS * _resolution(reference.dtype) * _remembered(reference.role, size, peak)
    allowed = floor + rtol * (size + size.max(initial=0.0))
    excess = _over(np.abs(expected - found), allowed)
    if not reference.whole and math.isfinite(reference.norm):
        unseen = max(abs(reference.norm - other.norm), abs(reference.projection - other.projection))
        allowance = 4 * rtol * reference.norm + float(floor.max()) * math.sqrt(
            math.prod(reference.shape)
        )
        excess = max(excess, _over(np.array([unseen]), np.array([allowance])))
        absolute = max(absolute, unseen / math.sqrt(math.prod(reference.shape)))
    return Difference(
        "part" if excess > 1 else "agree", absolute, ulps, excess, "the values differ"
    )


def _drifts(reference: Quantity, other: Quantity, peak: float) -> bool:
    """Whether a gradient parts by no more than the share of its norm that may drift."""
    expected, found = (_real(one.values).astype(np.float64) for one in (reference, other))
    count = math.prod(reference.shape)
    rounding = _ROUNDINGS * _resolution(reference.dtype) * peak
    shrunk = peak / max(reference.magnitude, 1e-300)
    share = min(max(_DRIFT_GROWTH * math.sqrt(shrunk), _DRIFT[0]), _DRIFT[1])
    seen = np.linalg.norm(expected - found) - rounding * math.sqrt(expected.size)
    if reference.whole:
        return bool(seen <= share * np.linalg.norm(expected))
    # The projection of a difference is a random multiple of its norm, seldom above twice.
    unseen = abs(reference.projection - other.projection) / 2 - rounding * math.sqrt(count)
    longer = abs(reference.norm - other.norm) - rounding * math.sqrt(count)
    return bool(
        seen <= share * np.linalg.norm(expected) and max(unseen, longer) <= share * reference.norm
    )


def _remembered(role: str, size: np.ndarray, peak: float) -> np.ndarray:
    """The magnitude whose rounding is still in values that have fallen to `size` from `peak`."""
    if role == "grad":
        return np.full_like(size, peak)
    return np.sqrt(size * peak) if role == "root" else np.zeros_like(size)


def _resolution(dtype: str) -> float:
    """One rounding: half the distance from 1 to the next number."""
    return 2.0**-53 if dtype in ("float64", "complex128") else 2.0**-24


def _over(gap: np.ndarray, allowed: np.ndarray) -> float:
    """The largest gap in units of what is allowed; infinite where nothing is allowed."""
    unlimited = np.where(gap > 0, np.inf, 0.0)
    return float(np.divide(gap, allowed, out=unlimited, where=allowed > 0).max(initial=0.0))


def _both_float(one: Quantity, two: Quantity) -> bool:
    return one.dtype in _RTOL and two.dtype in _RTOL


def _real(values: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs of real ones."""
    return values.view(np.real(values).dtype) if values.dtype.kind == "c" else values


def _largest(expected: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """The largest absolute difference, and the largest in units of the last place of `expected`."""
    expected, found = _real(expected), _real(found)
    with np.errstate(invalid="ignore"):
        gap = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    finite = gap[np.isfinite(gap)]
    absolute = float(finite.max(initial=0.0)) if finite.size or not gap.size else math.inf
    dtype = np.float64 if expected.dtype == np.float64 else np.float32
    pairs = zip(_ordered(expected, dtype), _ordered(found, dtype), strict=True)
    return absolute, float(max((abs(one - two) for one, two in pairs), default=0))


def _ordered(values: np.ndarray, dtype: type) -> list[int]:
    """Numbers the floats in order, so that neighbours differ by one and both zeros are 0."""
    integer, largest = (np.int64, 2**63 - 1) if dtype is np.float64 else (np.int32, 2**31 - 1)
    bits = np.ascontiguousarray(values, dtype=dtype).view(integer).astype(np.int64)
    return np.where(bits < 0, -(bits & largest), bits).tolist()


def _steps32(first: float, second: float) -> float:
    return _largest(np.array([first], np.float32), np.array([second], np.float32))[1]


def _words(text: str) -> str:
    return " ".join(_NUMBER.sub(" # ", text).split())


def _peaks(text: str) -> list[float]:
    """For each number of `text` the largest magnitude in the same outermost brackets; 0 outside."""
    peaks: list[float] = []
    inside: list[int] = []
    depth = place = 0
    for match in _NUMBER.finditer(text):
        between = text[place : match.start()]
        place = match.end()
        for mark in between:
            depth = max(0, depth + (mark in "[(") - (mark in "])"))
            if depth == 0:
                inside = []
        peaks.append(0.0)
        if depth:
            inside.append(len(peaks) - 1)
            largest = max(abs(float(match.group())), *(peaks[index] for index in inside))
            for index in inside:
                peaks[index] = largest
    return peaks


def _is_integer(number: str) -> bool:
    return number.lstrip("+-").isdigit()


def _last_place(number: str) -> float:
    """The worth of one unit of the last printed digit: 0.01 for "3.14", 1e-9 for "2.500000e-03"."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)
