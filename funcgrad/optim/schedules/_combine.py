"""Schedules made of schedules."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from .._arithmetic import real
from ._schedule import Schedule, whole


def chained_scheduler(schedules: Sequence[Schedule]) -> Schedule:
    """All of `schedules` at once, on one learning rate, as
    `torch.optim.lr_scheduler.ChainedScheduler`.

    Each schedule of the list in turn makes its step from the rate that the one before leaves.
    Schedules that multiply multiply together; one that does not look at the rate (`lambda_lr`,
    `cyclic_lr`, `one_cycle_lr`, warm restarts) replaces what stands before it. All should have the
    same `base_lr`. Unless all of them multiply by a closed form, an evaluation takes time
    proportional to the count. ValueError: no schedule. TypeError: something that is not one of
    ours.

    >>> from funcgrad.optim.schedules import chained_scheduler, constant_lr, exponential_lr
    >>> warmup = constant_lr(1.0, factor=0.5, total_iters=2)
    >>> schedule = chained_scheduler([warmup, exponential_lr(1.0, 0.5)])
    >>> print([float(schedule(count)) for count in range(4)])
    [0.5, 0.25, 0.25, 0.125]
    """
    _check("chained_scheduler", schedules)

    def advance(lr, count):
        for schedule in schedules:
            lr = schedule.value(count) if schedule.advance is None else schedule.advance(lr, count)
        return lr

    factors = [schedule.factor for schedule in schedules if schedule.factor is not None]
    if len(factors) == len(schedules):

        def product(count):
            return math.prod(factor(count) for factor in factors)

        base_lr = schedules[0].base_lr
        return Schedule(lambda count: real(base_lr * product(count)), base_lr, advance, product)

    start = schedules[0].value(0)
    for schedule in schedules[1:]:
        # a multiplying schedule begins from the rate it finds, as PyTorch's constructors do
        start = (
            schedule.value(0)
            if schedule.advance is None
            else start * schedule.value(0) / schedule.base_lr
        )

    def value(count):
        return jax.lax.fori_loop(
            1, whole(count) + 1, lambda k, lr: real(advance(lr, k)), real(start)
        )

    return Schedule(value, schedules[0].base_lr, advance)


def _after(schedule, previous, milestone):
    """`schedule`, going on from what `previous` (which counts from `milestone` steps earlier) ends
    with."""
    if not schedule.continues:
        return schedule
    found = previous(milestone - 1)
    here = schedule.advance(found, 0) / schedule.base_lr
    return Schedule(lambda count: here * schedule.value(count), schedule.base_lr)


def sequential_lr(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """One schedule after another, as `torch.optim.lr_scheduler.SequentialLR`.

    At each of `milestones` the next begins, and counts from there: `optax.join_schedules`. As in
    PyTorch `multiplicative_lr` goes on from the rate that it finds. ValueError: not one milestone
    less than schedules.

    >>> from funcgrad.optim.schedules import constant_lr, exponential_lr, sequential_lr
    >>> warmup = constant_lr(1.0, factor=0.5, total_iters=2)
    >>> schedule = sequential_lr([warmup, exponential_lr(1.0, 0.5)], milestones=[2])
    >>> print([float(schedule(count)) for count in range(5)])
    [0.5, 0.5, 1.0, 0.5, 0.25]
    """
    _check("sequential_lr", schedules)
    if len(milestones) != len(schedules) - 1:
        raise ValueError(
            "Sequential Schedulers expects number of schedulers provided to be one more than "
            f"the number of milestone points, but got number of schedulers {len(schedules)} and "
            f"the number of milestones to be equal to {len(milestones)}"
        )
    joined = list(schedules)
    for index, milestone in enumerate(milestones):
        begin = milestones[index - 1] if index else 0
        joined[index + 1] = _after(joined[index + 1], joined[index], milestone - begin)
    value = optax.join_schedules(joined, list(milestones))
    return Schedule(lambda count: real(value(jnp.asarray(count))), schedules[0].base_lr)


def _check(name, schedules):
    if len(schedules) < 1:
        raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
    for index, schedule in enumerate(schedules):
        if not isinstance(schedule, Schedule):
            raise TypeError(
                f"{name} got {type(schedule).__name__} at index {index}. Pass schedules of this "
                "module."
            )
