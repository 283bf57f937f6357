"""The host and the traced engine: what the samplers need and numpy and JAX do differently."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .mt19937 import host_words, traced_words
from .state import State


class Engine(NamedTuple):
    """`xp` is numpy or `jax.numpy`; the float64 functions are the C library's on the host."""

    xp: Any
    words: Callable
    log: Callable
    log1p: Callable
    sin: Callable
    cos: Callable
    tan: Callable
    exp: Callable
    running_sum: Callable
    while_loop: Callable


def engine_of(state: State) -> Engine:
    """The engine for a state, by the type of its arrays."""
    return HOST if isinstance(state.block, np.ndarray) else TRACED


def _elementwise(function):
    """A function of Python floats over a float64 array; numpy's own differ in the last bit."""

    def apply(x):
        return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)

    return apply


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _log(x: float) -> float:
    return math.log(x) if x else -math.inf


def _log_of_rest(x):
    """`log1p(x)`; all our `x` are minus a 53-bit uniform, whose `1 + x` is exact.

    XLA's own `log1p` is hundreds of units in the last place off.
    """
    return jnp.log(1 + x)


def _while_loop(condition, body, carry):
    while condition(carry):
        carry = body(carry)
    return carry


def _running_sum(x):
    """The cumulative sum along the last axis, strictly in order (`jnp.cumsum` is a tree)."""

    def step(total, value):
        total = total + value
        return total, total

    columns = jnp.moveaxis(x, -1, 0)
    _, sums = jax.lax.scan(step, jnp.zeros_like(columns[0]), columns)
    return jnp.moveaxis(sums, 0, -1)


HOST = Engine(
    xp=np,
    words=host_words,
    log=_elementwise(_log),
    log1p=_elementwise(math.log1p),
    sin=_elementwise(math.sin),
    cos=_elementwise(math.cos),
    tan=_elementwise(math.tan),
    exp=_elementwise(_exp),
    running_sum=lambda x: np.cumsum(x, axis=-1, dtype=x.dtype),
    while_loop=_while_loop,
)
TRACED = Engine(
    xp=jnp,
    words=traced_words,
    log=jnp.log,
    log1p=_log_of_rest,
    sin=jnp.sin,
    cos=jnp.cos,
    tan=jnp.tan,
    exp=jnp.exp,
    running_sum=_running_sum,
    while_loop=jax.lax.while_loop,
)
