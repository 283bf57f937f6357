"""The line search of L-BFGS: a step that satisfies the strong Wolfe conditions.

First steps are lengthened until two of them enclose an acceptable one, then the enclosure is
narrowed: Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, with the
safeguards of Mark Schmidt's minFunc that PyTorch uses.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
SMALLEST_MOVE = 1e-9


class Point(NamedTuple):
    """A step length on the line, with the function's value, its gradient and its slope along the
    line there."""

    t: jax.Array
    value: jax.Array
    grad: jax.Array
    slope: jax.Array


class Search(NamedTuple):
    """Two points, the number of evaluations after the first, and what has been found out."""

    first: Point
    second: Point
    iteration: jax.Array
    enclosed: jax.Array
    done: jax.Array
    no_progress: jax.Array


def choose(condition, if_true, if_false):
    """`where` on pytrees."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), if_true, if_false)


def cubic_minimum(one: Point, two: Point, low, high):
    """Minimum of the cubic through two points with their slopes, within `[low, high]`; else the
    middle."""
    d1 = one.slope + two.slope - 3 * (one.value - two.value) / (one.t - two.t)
    square = d1 * d1 - one.slope * two.slope
    d2 = jnp.sqrt(jnp.maximum(square, 0))
    left, right = choose(one.t <= two.t, (one, two), (two, one))
    share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
    minimum = right.t - (right.t - left.t) * share
    return jnp.where(square >= 0, jnp.minimum(jnp.maximum(minimum, low), high), (low + high) / 2.0)


def _enclose(evaluate, start, search, limit):
    """Lengthen the step until an acceptable one, or one that is too far, is found."""

    def active(search):
        return (search.iteration < limit) & ~search.enclosed & ~search.done

    def step(search):
        before, here = search.first, search.second
        too_high = here.value > start.value + SUFFICIENT_DECREASE * here.t * start.slope
        too_high |= (search.iteration > 1) & (here.value >= before.value)
        done = ~too_high & (jnp.abs(here.slope) <= -CURVATURE * start.slope)
        enclosed = too_high | (~done & (here.slope >= 0))

        def lengthen():
            t = cubic_minimum(before, here, here.t + 0.01 * (here.t - before.t), here.t * 10)
            return search._replace(first=here, second=evaluate(t), iteration=search.iteration + 1)

        stop = search._replace(first=choose(done, here, before), enclosed=enclosed, done=done)
        return jax.lax.cond(done | enclosed, lambda: stop, lengthen)

    search = jax.lax.while_loop(active, step, search)
    exhausted = search.iteration == limit
    return search._replace(first=choose(exhausted, start, search.first))


def _trial(search):
    """A step length inside of the enclosure, and whether the last two trials were near to its
    ends."""
    low = jnp.minimum(search.first.t, search.second.t)
    high = jnp.maximum(search.first.t, search.second.t)
    t = cubic_minimum(search.first, search.second, low, high)
    margin = 0.1 * (high - low)
    near_end = jnp.minimum(high - t, t - low) < margin
    push = near_end & (search.no_progress | (t >= high) | (t <= low))
    inside = jnp.where(jnp.abs(t - high) < jnp.abs(t - low), high - margin, low + margin)
    return jnp.where(push, inside, t), near_end & ~push


def _narrow(evaluate, start, search, limit, largest_direction):
    """Replace an end of the enclosure by a point inside, until one is acceptable."""

    def active(search):
        width = jnp.abs(search.second.t - search.first.t) * largest_direction
        return ~search.done & (search.iteration < limit) & ~(width < SMALLEST_MOVE)

    def step(search):
        t, no_progress = _trial(search)
        new = evaluate(t)
        first_is_low = search.first.value <= search.second.value
        low, high = choose(
            first_is_low, (search.first, search.second), (search.second, search.first)
        )
        worse = new.value > start.value + SUFFICIENT_DECREASE * t * start.slope
        worse |= new.value >= low.value
        done = ~worse & (jnp.abs(new.slope) <= -CURVATURE * start.slope)
        behind = ~worse & ~done & (new.slope * (high.t - low.t) >= 0)
        low, high = choose(worse, low, new), choose(worse, new, choose(behind, low, high))
        first, second = choose(first_is_low, (low, high), (high, low))
        return search._replace(
            first=first,
            second=second,
            iteration=search.iteration + 1,
            done=done,
            no_progress=no_progress,
        )

    return jax.lax.while_loop(active, step, search)


def strong_wolfe(
    evaluate: Callable[[jax.Array], Point],
    start: Point,
    t: jax.Array,
    limit: jax.Array,
    largest_direction: jax.Array,
) -> tuple[Point, jax.Array]:
    """Search from `start` (whose `t` is 0) with the first trial `t`, in at most `limit + 1`
    evaluations.

    `start.slope` must be negative. Returns the point found and the number of evaluations.

    >>> import jax.numpy as jnp
    >>> from funcgrad.optim._strong_wolfe import Point, strong_wolfe
    >>> def parabola(t):
    ...     return Point(t, (t - 3) ** 2, 2 * (t - 3), 2 * (t - 3))
    >>> start = parabola(jnp.array(0.0))
    >>> point, evaluations = strong_wolfe(parabola, start, jnp.array(0.1), 25, 1.0)
    >>> print(point.t, evaluations)
    1.0 2
    """
    no = jnp.zeros((), bool)
    search = Search(start, evaluate(t), jnp.zeros((), jnp.int32), no, no, no)
    search = _enclose(evaluate, start, search, limit)
    search = _narrow(evaluate, start, search, limit, largest_direction)
    best = choose(search.first.value <= search.second.value, search.first, search.second)
    return best, search.iteration + 1
