"""A learning rate that falls when a metric has stopped improving."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from .._arithmetic import Scalar, is_number, real


class PlateauState(NamedTuple):
    """The current learning rate and what is known of the metric, under PyTorch's names."""

    lr: jax.Array
    best: jax.Array
    num_bad_epochs: jax.Array
    cooldown_counter: jax.Array


class Plateau(NamedTuple):
    """The pair `init() -> state`, `update(state, metric) -> state`."""

    init: Callable[[], PlateauState]
    update: Callable[[PlateauState, Scalar], PlateauState]


def _is_better(mode, threshold, threshold_mode):
    if mode not in ("min", "max"):
        raise ValueError(f"mode {mode} is unknown! Pass 'min' or 'max'.")
    if threshold_mode not in ("rel", "abs"):
        raise ValueError(f"threshold mode {threshold_mode} is unknown! Pass 'rel' or 'abs'.")
    return {
        ("min", "rel"): lambda metric, best: metric < best * (1.0 - threshold),
        ("min", "abs"): lambda metric, best: metric < best - threshold,
        ("max", "rel"): lambda metric, best: metric > best * (threshold + 1.0),
        ("max", "abs"): lambda metric, best: metric > best + threshold,
    }[mode, threshold_mode]


def reduce_lr_on_plateau(
    base_lr: Scalar,
    mode: str = "min",
    factor: Scalar = 0.1,
    patience: int = 10,
    threshold: Scalar = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: Scalar = 0,
    eps: Scalar = 1e-8,
) -> Plateau:
    """Multiplies the rate by `factor` after more than `patience` metrics without improvement.

    As `torch.optim.lr_scheduler.ReduceLROnPlateau`. It depends on a metric and is therefore no
    schedule but a state: give `state.lr` to the optimizer as a traced number. ValueError: a factor
    that is not below 1, an unknown mode.

    >>> from funcgrad.optim.schedules import reduce_lr_on_plateau
    >>> plateau = reduce_lr_on_plateau(1.0, factor=0.5, patience=1)
    >>> state = plateau.init()
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     state = plateau.update(state, loss)
    >>> print(state.lr)
    0.5
    """
    if is_number(factor) and factor >= 1.0:
        raise ValueError(f"Factor should be < 1.0. Got factor={factor}.")
    is_better = _is_better(mode, threshold, threshold_mode)

    def init():
        zero = jnp.zeros((), jnp.int32)
        return PlateauState(
            real(base_lr), real(math.inf if mode == "min" else -math.inf), zero, zero
        )

    def update(state, metric):
        metric = real(metric)
        better = is_better(metric, state.best)
        cooling = state.cooldown_counter > 0
        bad = jnp.where(better | cooling, 0, state.num_bad_epochs + 1)
        reduce = bad > patience
        lower = jnp.maximum(state.lr * factor, min_lr)
        return PlateauState(
            jnp.where(reduce & (state.lr - lower > eps), lower, state.lr),
            jnp.where(better, metric, state.best),
            jnp.where(reduce, 0, bad),
            jnp.where(reduce, cooldown, state.cooldown_counter - cooling),
        )

    return Plateau(init, update)
