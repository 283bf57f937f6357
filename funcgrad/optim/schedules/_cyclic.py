"""Schedules that go up and down: cycles without end, and a single one. The momentum goes the other
way."""

import math
from collections.abc import Callable

import jax.numpy as jnp

from .._arithmetic import Scalar, real
from ._schedule import Count, Schedule


def _scale_function(mode, gamma, scale_fn, scale_mode):
    """The factor of a peak, and whether it depends on the cycle rather than on the count."""
    if scale_fn is not None:
        return scale_fn, scale_mode == "cycle"
    functions = {
        "triangular": (lambda cycle: 1.0, True),
        "triangular2": (lambda cycle: 1 / jnp.power(2.0, cycle - 1), True),
        "exp_range": (lambda count: jnp.power(gamma, count), False),
    }
    if mode not in functions:
        raise ValueError(
            f"mode is invalid and scale_fn is None: got mode={mode!r}. Pass one of "
            f"{list(functions)} or a scale_fn."
        )
    return functions[mode]


def _swing(span, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode):
    """From zero to `span` and back again and again, as a function of the count."""
    scale, by_cycle = _scale_function(mode, gamma, scale_fn, scale_mode)
    total = float(step_size_up + (step_size_up if step_size_down is None else step_size_down))
    peak = step_size_up / total

    def height(count):
        cycle = jnp.floor(1 + real(count) / total)
        position = 1.0 + real(count) / total - cycle
        fall = (position - 1) / (peak - 1) if peak < 1 else 0.0
        share = span * jnp.where(position <= peak, position / peak, fall)
        return share * scale(cycle if by_cycle else real(count))

    return height


def cyclic_lr(
    base_lr: Scalar,
    max_lr: Scalar,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: Scalar = 1.0,
    scale_fn: Callable | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    """Between `base_lr` and `max_lr` and back again and again, as
    `torch.optim.lr_scheduler.CyclicLR`.

    The peaks are scaled by `mode`, or by `scale_fn` of the cycle's number or of the count
    (`scale_mode` "iterations"). This is the learning rate; `cyclic_momentum` is what CyclicLR does
    to the optimizer's momentum beside it. ValueError: an unknown mode.

    Smith: Cyclical learning rates for training neural networks (2015).

    >>> from funcgrad.optim.schedules import cyclic_lr
    >>> schedule = cyclic_lr(0.0, 1.0, step_size_up=2)
    >>> print([float(schedule(count)) for count in range(6)])
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """
    height = _swing(
        max_lr - base_lr, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode
    )
    return Schedule(lambda count: base_lr + height(count), base_lr)


def cyclic_momentum(
    base_momentum: Scalar = 0.8,
    max_momentum: Scalar = 0.9,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: Scalar = 1.0,
    scale_fn: Callable | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    """From `max_momentum` down to `base_momentum` while the rate of `cyclic_lr` goes up, and back:
    the momentum of `torch.optim.lr_scheduler.CyclicLR`.

    Give it to an optimizer as its `momentum`, or as the first of its `betas`. The other arguments
    are those of `cyclic_lr`. ValueError: an unknown mode.

    >>> from funcgrad.optim.schedules import cyclic_momentum
    >>> schedule = cyclic_momentum(0.5, 1.0, step_size_up=2)
    >>> print([float(schedule(count)) for count in range(6)])
    [1.0, 0.75, 0.5, 0.75, 1.0, 0.75]
    """
    span = max_momentum - base_momentum
    height = _swing(span, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode)
    return Schedule(lambda count: max_momentum - height(count), max_momentum)


def _total_steps(total_steps, epochs, steps_per_epoch):
    if total_steps is not None:
        given = {"total_steps": total_steps}
    elif epochs is not None and steps_per_epoch is not None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    else:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, number in given.items():
        if not isinstance(number, int) or number <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {number}")
    return math.prod(given.values())


def _cosine(start, end, share):
    return end + (start - end) / 2.0 * (jnp.cos(math.pi * share) + 1)


def _linear(start, end, share):
    return (end - start) * share + start


def _phases(points, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, three_phase):
    """Through two phases or three, as a function of the count.

    `points`: where the phases begin and end, for two or for three phases.
    """
    steps = _total_steps(total_steps, epochs, steps_per_epoch)
    if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
        raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
    if anneal_strategy not in ("cos", "linear"):
        raise ValueError(
            f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
        )
    anneal = _cosine if anneal_strategy == "cos" else _linear
    down = [2 * pct_start * steps - 2] if three_phase else []
    ends = [pct_start * steps - 1, *down, steps - 1]
    starts = [0.0, *ends]

    def value(count: Count):
        if isinstance(count, int) and count > steps:
            raise ValueError(
                f"Tried to step {count} times. The specified number of total steps is {steps}"
            )
        pieces = [
            anneal(points[i], points[i + 1], (real(count) - starts[i]) / (end - starts[i]))
            for i, end in enumerate(ends)
        ]
        return jnp.select([real(count) <= end for end in ends[:-1]], pieces[:-1], pieces[-1])

    return Schedule(value, points[0])


def one_cycle_lr(
    max_lr: Scalar,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: Scalar = 25.0,
    final_div_factor: Scalar = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """From `max_lr / div_factor` up to `max_lr`, then far down, once, as
    `torch.optim.lr_scheduler.OneCycleLR`.

    It ends at `max_lr / div_factor / final_div_factor`; `three_phase` comes down to the first rate
    in between. This is the learning rate; `one_cycle_momentum` is what OneCycleLR does to the
    optimizer's momentum beside it. ValueError: bad arguments, or a Python count beyond
    `total_steps`.

    Smith, Topin: Super-convergence, very fast training of neural networks using large learning
    rates (2017).

    >>> from funcgrad.optim.schedules import one_cycle_lr
    >>> schedule = one_cycle_lr(1.0, 5, pct_start=0.6, anneal_strategy="linear", div_factor=2.0)
    >>> print([round(float(schedule(count)), 4) for count in range(5)])
    [0.5, 0.75, 1.0, 0.5, 0.0001]
    """
    first = max_lr / div_factor
    last = first / final_div_factor
    points = [first, max_lr, first, last] if three_phase else [first, max_lr, last]
    return _phases(
        points, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, three_phase
    )


def one_cycle_momentum(
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    base_momentum: Scalar = 0.85,
    max_momentum: Scalar = 0.95,
    three_phase: bool = False,
) -> Schedule:
    """From `max_momentum` down to `base_momentum` while the rate of `one_cycle_lr` goes up, and
    back: the momentum of `torch.optim.lr_scheduler.OneCycleLR`.

    Give it to an optimizer as its `momentum`, or as the first of its `betas`. The other arguments
    are those of `one_cycle_lr`, and so are the errors.

    >>> from funcgrad.optim.schedules import one_cycle_momentum
    >>> schedule = one_cycle_momentum(5, pct_start=0.6, anneal_strategy="linear")
    >>> print([round(float(schedule(count)), 4) for count in range(5)])
    [0.95, 0.9, 0.85, 0.9, 0.95]
    """
    points = [max_momentum, base_momentum, max_momentum, *[max_momentum] * three_phase]
    return _phases(
        points, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, three_phase
    )
