"""What a schedule is here: a function of the step count that also knows how PyTorch steps it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from .._arithmetic import Scalar, real

Count = Any


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the step count, usable wherever optax takes a schedule.

    `value(count)` is the closed form. `advance(lr, count)` is PyTorch's recursion: the learning
    rate at `count` from the one just before, which other schedulers of a chain may have changed;
    without it the schedule does not look at the learning rate. `factor(count)` is `value(count) /
    base_lr` where a closed form knows it. `continues` says that in a sequence the schedule goes on
    from the rate it finds.
    """

    value: Callable[[Count], jax.Array]
    base_lr: Scalar
    advance: Callable[[Any, Count], Any] | None = None
    factor: Callable[[Count], Any] | None = None
    continues: bool = False

    def __call__(self, count: Count) -> jax.Array:
        """The learning rate after `count` steps."""
        return self.value(count)


def whole(count: Count) -> jax.Array:
    """`count` as an integer array."""
    return jnp.asarray(count, jnp.int32)


def multiplicative(
    base_lr: Scalar, factor: Callable[[Count], Any], ratio: Callable[[Count], Any]
) -> Schedule:
    """A schedule `base_lr * factor(count)` whose one step multiplies by `ratio(count)`."""
    return Schedule(
        lambda count: real(base_lr * factor(count)),
        base_lr,
        lambda lr, count: lr * ratio(count),
        factor,
    )
