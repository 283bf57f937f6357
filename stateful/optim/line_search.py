"""A step length that satisfies the strong Wolfe conditions, on Python numbers.

Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, with the safeguards of
Mark Schmidt's minFunc that PyTorch uses. The pure twin is `funcgrad.optim.lbfgs`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
SMALLEST_MOVE = 1e-9


class Point(NamedTuple):
    """A step length, with the loss, the gradient and the slope along the line there."""

    t: float
    value: float
    grad: Any
    slope: float


def cubic_minimum(one: Point, two: Point, low: float, high: float) -> float:
    """Minimum, within [low, high], of the cubic through two points; the middle if there is none.

    >>> cubic_minimum(Point(0.0, 1.0, None, -2.0), Point(2.0, 1.0, None, 2.0), 0.0, 2.0)
    1.0
    """
    if one.t > two.t:
        one, two = two, one
    d1 = one.slope + two.slope - 3 * (one.value - two.value) / (one.t - two.t)
    square = d1 * d1 - one.slope * two.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square**0.5
    share = (two.slope + d2 - d1) / (two.slope - one.slope + 2 * d2)
    return min(max(two.t - (two.t - one.t) * share, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, limit: int, largest: float
) -> tuple[Point, int]:
    """The point found from ``start`` with the first trial ``t``, and the number of evaluations.

    ``largest``: the largest element of the direction.
    """
    search = _Search(evaluate, start, limit, largest)
    ends = search.enclose(t)
    return search.narrow(ends), search.evaluations


class _Search:
    def __init__(self, evaluate: Callable, start: Point, limit: int, largest: float):
        self.start, self.limit, self.largest = start, limit, largest
        self._evaluate = evaluate
        self.evaluations = self.iteration = 0

    def evaluate(self, t: float) -> Point:
        self.evaluations += 1
        return self._evaluate(t)

    def too_high(self, point: Point) -> bool:
        start = self.start
        return point.value > start.value + SUFFICIENT_DECREASE * point.t * start.slope

    def flat(self, point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def enclose(self, t: float) -> list[Point]:
        """Lengthen the step until two points enclose an acceptable one, or one is acceptable."""
        before, here = self.start, self.evaluate(t)
        while self.iteration < self.limit:
            if self.too_high(here) or (self.iteration > 1 and here.value >= before.value):
                return [before, here]
            if self.flat(here):
                return [here]
            if here.slope >= 0:
                return [before, here]
            low, high = here.t + 0.01 * (here.t - before.t), here.t * 10
            before, here = here, self.evaluate(cubic_minimum(before, here, low, high))
            self.iteration += 1
        return [self.start, here]

    def narrow(self, ends: list[Point]) -> Point:
        """Replace an end of the enclosure by a point inside until one is acceptable."""
        no_progress = False
        while len(ends) == 2 and self.iteration < self.limit:
            ends.sort(key=lambda point: point.value)
            low, high = ends
            if abs(high.t - low.t) * self.largest < SMALLEST_MOVE:
                break
            t, no_progress = _trial(low, high, no_progress)
            new = self.evaluate(t)
            self.iteration += 1
            if self.too_high(new) or new.value >= low.value:
                ends = [low, new]
            elif self.flat(new):
                return new
            else:
                ends = [new, low if new.slope * (high.t - low.t) >= 0 else high]
        return min(ends, key=lambda point: point.value)


def _trial(low: Point, high: Point, no_progress: bool) -> tuple[float, bool]:
    """A step length inside, and whether the trial was near to an end and let be this once."""
    left, right = min(low.t, high.t), max(low.t, high.t)
    t = cubic_minimum(low, high, left, right)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not (no_progress or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
