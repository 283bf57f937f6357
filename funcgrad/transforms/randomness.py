"""What `vmap(randomness=...)` means when random state is an argument instead of a global.

PyTorch's samplers draw from one hidden generator, so `vmap` must be told whether mapped calls share
their draws. Here the state is passed in, so the question is asked of the *arguments*: a random
state that is mapped over gives each call its own draws, whatever the mode. A state that is not
mapped is where the two meanings part, and there the mode decides:

- `"error"` (default): refuse, as PyTorch refuses;
- `"same"`: every call gets the same state and draws the same numbers;
- `"different"`: the state is split, every call gets its own part.

Random states are typed JAX keys (`jax.random.key`), and objects with a method
`split_for_vmap(count)` that returns a state with a leading axis. Old-style `uint32` keys look like
data and states that a function closes over are invisible: both behave as `"same"`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .leaves import is_array

MODES = ("error", "same", "different")


def check_mode(randomness: str) -> None:
    """An error for anything but the three modes.

    >>> check_mode("same")
    """
    if randomness not in MODES:
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. "
            f"Got {randomness}"
        )


def has_own_split(leaf: Any) -> bool:
    """Whether `leaf` is a random state with its own way to be split.

    >>> has_own_split(jax.random.key(0))
    False
    """
    return hasattr(leaf, "split_for_vmap")


def is_random_state(leaf: Any) -> bool:
    """Whether `leaf` is a typed JAX key or an object that knows how to be split.

    >>> is_random_state(jax.random.key(0)), is_random_state(jnp.ones(2))
    (True, False)
    """
    return has_own_split(leaf) or (
        is_array(leaf) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    )


def split_state(state: Any, count: int) -> Any:
    """`count` independent states in one, along a new leading axis.

    >>> split_state(jax.random.key(0), 3).shape
    (3,)
    """
    if has_own_split(state):
        return state.split_for_vmap(count)
    keys = jax.random.split(jnp.ravel(state)[0], count) if state.size == 1 else None
    if keys is None:
        keys = jax.vmap(lambda key: jax.random.split(key, count), out_axes=-1)(state.ravel())
    return keys.reshape((count, *state.shape))
