"""Schedules along a cosine."""

import math

import jax.numpy as jnp

from .._arithmetic import Scalar, is_number, real
from ._schedule import Schedule, whole


def cosine_annealing_lr(base_lr: Scalar, T_max: int, eta_min: Scalar = 0.0) -> Schedule:
    """Half a cosine from `base_lr` to `eta_min` in `T_max` steps, and back, as `CosineAnnealingLR`
    of PyTorch.

    Loshchilov, Hutter: SGDR, stochastic gradient descent with warm restarts (2016), without the
    restarts.

    >>> from funcgrad.optim.schedules import cosine_annealing_lr
    >>> schedule = cosine_annealing_lr(1.0, T_max=2)
    >>> print([round(float(schedule(count)), 6) for count in range(5)])
    [1.0, 0.5, 0.0, 0.5, 1.0]
    """

    def height(count):
        return 1 + jnp.cos(math.pi * real(count) / T_max)

    def advance(lr, count):
        restart = (whole(count) - 1 - T_max) % (2 * T_max) == 0
        before = jnp.where(restart, 1.0, height(count - 1))
        ahead = height(count) / before * (lr - eta_min) + eta_min
        up = lr + (base_lr - eta_min) * (1 - math.cos(math.pi / T_max)) / 2
        return jnp.where(restart, up, ahead)

    return Schedule(
        lambda count: eta_min + (base_lr - eta_min) * height(count) / 2, base_lr, advance
    )


def cosine_annealing_warm_restarts(
    base_lr: Scalar, T_0: int, T_mult: int = 1, eta_min: Scalar = 0.0
) -> Schedule:
    """Half a cosine again and again, each `T_mult` times as long, as PyTorch's
    `CosineAnnealingWarmRestarts`.

    ValueError: `T_0` or `T_mult` that is not a positive integer.

    Loshchilov, Hutter: SGDR, stochastic gradient descent with warm restarts (2016).

    >>> from funcgrad.optim.schedules import cosine_annealing_warm_restarts
    >>> schedule = cosine_annealing_warm_restarts(1.0, T_0=2, T_mult=2)
    >>> print([round(float(schedule(count)), 3) for count in range(7)])
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    if not isinstance(T_0, int) or T_0 <= 0:
        raise ValueError(f"Expected positive integer T_0, but got {T_0}")
    if not isinstance(T_mult, int) or T_mult < 1:
        raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
    if is_number(eta_min) and not math.isfinite(eta_min):
        raise ValueError(f"Expected float or int eta_min, but got {eta_min}: it must be finite.")
    starts, lengths = _restarts(T_0, T_mult)

    def value(count):
        if T_mult == 1:
            position, length = whole(count) % T_0, T_0
        else:
            cycle = jnp.sum(whole(count) >= starts) - 1
            position, length = whole(count) - starts[cycle], lengths[cycle]
        height = 1 + jnp.cos(math.pi * real(position) / length)
        return eta_min + (base_lr - eta_min) * height / 2

    return Schedule(value, base_lr)


def _restarts(first, growth):
    """Where cycles start and how long they are, as far as 32-bit counts go: exact, where a
    logarithm would not be."""
    starts, lengths, limit = [0], [first], 2**31 - 1
    while growth > 1 and starts[-1] + lengths[-1] <= limit:
        starts.append(starts[-1] + lengths[-1])
        lengths.append(min(lengths[-1] * growth, limit))
    return jnp.asarray(starts, jnp.int32), jnp.asarray(lengths, jnp.int32)
