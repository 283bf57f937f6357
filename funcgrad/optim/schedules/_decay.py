"""Schedules that multiply the learning rate by something at every step, or at some."""

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from .._arithmetic import Scalar, is_number, real
from ._schedule import Schedule, multiplicative, whole


def lambda_lr(base_lr: Scalar, lr_lambda: Callable) -> Schedule:
    """`base_lr * lr_lambda(count)`, as `torch.optim.lr_scheduler.LambdaLR`. `lr_lambda` must be
    traceable under jit.

    >>> from funcgrad.optim.schedules import lambda_lr
    >>> print(lambda_lr(0.5, lambda count: 0.5**count)(2))
    0.125
    """
    return Schedule(lambda count: real(base_lr * lr_lambda(count)), base_lr)


def multiplicative_lr(base_lr: Scalar, lr_lambda: Callable) -> Schedule:
    """`base_lr * lr_lambda(1) * ... * lr_lambda(count)`, as
    `torch.optim.lr_scheduler.MultiplicativeLR`.

    An evaluation takes time proportional to `count`; `lr_lambda` must be traceable. TypeError: not
    a function.

    >>> from funcgrad.optim.schedules import multiplicative_lr
    >>> print(multiplicative_lr(1.0, lambda count: 0.5)(3))
    0.125
    """
    if not callable(lr_lambda):
        raise TypeError(
            f"lr_lambda should be a function, but got {type(lr_lambda).__name__}. Pass a "
            "function of the count."
        )

    def value(count):
        def body(index, lr):
            return lr * real(lr_lambda(index))

        return jax.lax.fori_loop(1, whole(count) + 1, body, real(base_lr))

    return Schedule(value, base_lr, lambda lr, count: lr * lr_lambda(count), continues=True)


def step_lr(base_lr: Scalar, step_size: int, gamma: Scalar = 0.1) -> Schedule:
    """Multiplies by `gamma` every `step_size` steps, as `torch.optim.lr_scheduler.StepLR`.

    >>> from funcgrad.optim.schedules import step_lr
    >>> schedule = step_lr(1.0, step_size=2, gamma=0.5)
    >>> print([float(schedule(count)) for count in range(5)])
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return multiplicative(
        base_lr,
        lambda count: jnp.power(gamma, real(whole(count) // step_size)),
        lambda count: jnp.where(whole(count) % step_size == 0, gamma, 1.0),
    )


def multi_step_lr(base_lr: Scalar, milestones: Sequence[int], gamma: Scalar = 0.1) -> Schedule:
    """Multiplies by `gamma` at each of `milestones`, as `torch.optim.lr_scheduler.MultiStepLR`.

    A milestone that is listed twice counts twice; the order is free.

    >>> from funcgrad.optim.schedules import multi_step_lr
    >>> schedule = multi_step_lr(1.0, milestones=[1, 3], gamma=0.5)
    >>> print([float(schedule(count)) for count in range(5)])
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """
    places = jnp.asarray(list(milestones), jnp.int32)
    return multiplicative(
        base_lr,
        lambda count: jnp.power(gamma, real(jnp.sum(whole(count) >= places))),
        lambda count: jnp.power(gamma, real(jnp.sum(whole(count) == places))),
    )


def exponential_lr(base_lr: Scalar, gamma: Scalar) -> Schedule:
    """`base_lr * gamma ** count`, as `torch.optim.lr_scheduler.ExponentialLR`.

    >>> from funcgrad.optim.schedules import exponential_lr
    >>> print(exponential_lr(1.0, gamma=0.5)(3))
    0.125
    """
    return multiplicative(base_lr, lambda count: jnp.power(gamma, real(count)), lambda count: gamma)


def constant_lr(base_lr: Scalar, factor: Scalar = 1.0 / 3, total_iters: int = 5) -> Schedule:
    """`base_lr * factor` before step `total_iters`, then `base_lr`, as
    `torch.optim.lr_scheduler.ConstantLR`.

    ValueError: a factor outside of `[0, 1]`.

    >>> from funcgrad.optim.schedules import constant_lr
    >>> schedule = constant_lr(1.0, factor=0.5, total_iters=2)
    >>> print([float(schedule(count)) for count in range(4)])
    [0.5, 0.5, 1.0, 1.0]
    """
    if is_number(factor) and not 0 <= factor <= 1.0:
        raise ValueError(
            f"Constant multiplicative factor expected to be between 0 and 1. Got factor={factor}."
        )
    # PyTorch looks for the end from the first step on: with `total_iters=0` there is none
    end = total_iters if total_iters > 0 else math.inf
    return multiplicative(
        base_lr,
        lambda count: jnp.where(whole(count) < end, factor, 1.0),
        lambda count: jnp.where(whole(count) == end, 1.0 / factor, 1.0),
    )


def linear_lr(
    base_lr: Scalar,
    start_factor: Scalar = 1.0 / 3,
    end_factor: Scalar = 1.0,
    total_iters: int = 5,
) -> Schedule:
    """A factor that goes linearly between two values in `total_iters` steps, as
    `torch.optim.lr_scheduler.LinearLR`.

    ValueError: a `start_factor` outside of `(0, 1]`, an `end_factor` outside of `[0, 1]`.

    >>> from funcgrad.optim.schedules import linear_lr
    >>> schedule = linear_lr(1.0, start_factor=0.5, total_iters=2)
    >>> print([float(schedule(count)) for count in range(4)])
    [0.5, 0.75, 1.0, 1.0]
    """
    if is_number(start_factor) and not 0 < start_factor <= 1.0:
        raise ValueError(
            "Starting multiplicative factor expected to be greater than 0 and less or equal to 1. "
            f"Got start_factor={start_factor}."
        )
    if is_number(end_factor) and not 0 <= end_factor <= 1.0:
        raise ValueError(
            "Ending multiplicative factor expected to be between 0 and 1. Got "
            f"end_factor={end_factor}."
        )
    rise = end_factor - start_factor

    def factor(count):
        return start_factor + rise * jnp.minimum(total_iters, real(count)) / max(total_iters, 1)

    def ratio(count):
        growth = rise / (total_iters * start_factor + (real(count) - 1) * rise)
        return jnp.where(real(count) > total_iters, 1.0, 1.0 + growth)

    return multiplicative(base_lr, factor, ratio)


def polynomial_lr(base_lr: Scalar, total_iters: int = 5, power: Scalar = 1.0) -> Schedule:
    """`base_lr * (1 - count / total_iters) ** power`, then 0, as
    `torch.optim.lr_scheduler.PolynomialLR`.

    >>> from funcgrad.optim.schedules import polynomial_lr
    >>> schedule = polynomial_lr(1.0, total_iters=2, power=2.0)
    >>> print([float(schedule(count)) for count in range(4)])
    [1.0, 0.25, 0.0, 0.0]
    """

    length = max(total_iters, 1)

    def left(count):
        return (length - jnp.minimum(total_iters, real(count))) / length

    def ratio(count):
        before = jnp.where(real(count) > total_iters, 1.0, left(real(count) - 1))
        after = jnp.where(real(count) > total_iters, 1.0, left(count))
        return jnp.power(after / before, power)

    return multiplicative(base_lr, lambda count: jnp.power(left(count), power), ratio)
