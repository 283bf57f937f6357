"""Several independent states from one, for `funcgrad.vmap(randomness="different")`.

PyTorch draws the numbers of all mapped calls at once from its hidden generator. A state that is an
argument cannot know how many numbers a call will draw, so each call gets a generator of its own,
seeded with the next word of the state that was given.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .mt19937 import traced_words
from .state import LENGTH, State, to_traced

_MULTIPLIER = np.uint32(1812433253)


def split(state: State, count: int) -> State:
    """``count`` independent states in one, along a new leading axis of each of its arrays.

    >>> from funcgrad import random
    >>> split(random.seed(0), 3).block.shape
    (3, 624)
    """
    with jax.enable_x64():
        seeds, _ = traced_words(to_traced(state), count)
        return State(
            jax.vmap(_first_block)(seeds),
            jnp.zeros(count, jnp.int32),
            jnp.zeros(count, jnp.float64),
            jnp.zeros(count, bool),
            seeds.astype(jnp.uint64),
        )


def _first_block(seed: jax.Array) -> jax.Array:
    """The words that `seed` puts into a generator: `init_genrand` of Matsumoto and Nishimura."""

    def following(word, number):
        word = _MULTIPLIER * (word ^ (word >> 30)) + number
        return word, word

    first = seed.astype(jnp.uint32)
    _, rest = jax.lax.scan(following, first, jnp.arange(1, LENGTH, dtype=jnp.uint32))
    return jnp.concatenate([first[None], rest])


State.split_for_vmap = split  # type: ignore[attr-defined]
