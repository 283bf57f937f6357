"""`randperm` and `multinomial`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .continuous import exponential
from .draws import FLOATS, sampler, uniform53
from .engines import HOST, engine_of
from .state import State

_SHORT = 100
_LONGEST = 214748364


@sampler
def randperm(state: State, n: int, dtype: Any = np.int64):
    """`torch.randperm(n)`: a permutation of `0 .. n - 1` by Fisher and Yates, and the next state.

    Raises `RuntimeError` if `n < 0`, `NotImplementedError` from 214748364 on, where PyTorch uses
    another algorithm.

    >>> from funcgrad.random import seed
    >>> randperm(seed(0), 5)[0]
    array([4, 0, 1, 3, 2])
    """
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if n >= _LONGEST:
        raise NotImplementedError(f"randperm is limited to n < {_LONGEST}, but got {n}.")
    engine = engine_of(state)
    if n < 2:
        return engine.xp.zeros(n, dtype), state
    words, state = engine.words(state, n - 1)
    partners = words % np.arange(n, 1, -1, dtype=np.uint32) + np.arange(n - 1, dtype=np.uint32)
    if engine is not HOST:
        order = _swap_traced(n, partners)
    elif n < _SHORT:
        order = np.array(_swap_in_a_list(n, partners.tolist()), np.int64)
    else:
        order = _swap_at_once(n, partners)
    return order.astype(dtype), state


def _swap_in_a_list(n, partners):
    order = list(range(n))
    for i, j in enumerate(partners):
        order[i], order[j] = order[j], order[i]
    return order


def _swap_traced(n, partners):
    def swap(i, order):
        j = partners[i]
        first, second = order[i], order[j]
        return order.at[i].set(second).at[j].set(first)

    return jax.lax.fori_loop(0, n - 1, swap, jnp.arange(n, dtype=jnp.int32))


def _swap_at_once(n, partners):
    """All swaps without a loop over them.

    Swap i ends place i, with what lies at `j = partners[i]`: that came there in the last earlier
    swap with the same partner, out of place `earlier[i]`, or has always been there. And what lay
    in place k before swap k came out of place `source[k] < k`, or is k itself. So `source` is a
    forest, and following it to the roots, by doubling, tells what every swap carried.
    """
    place = np.arange(n)
    partners = np.append(partners.astype(np.int64), n - 1)
    keys = np.sort(partners << 32 | place)
    swap, partner = keys & 0xFFFFFFFF, keys >> 32
    same = partner[1:] == partner[:-1]
    earlier = np.full(n, -1)
    earlier[swap[1:][same]] = swap[:-1][same]
    source = place.copy()
    moved = swap != partner
    source[partner[moved]] = swap[moved]
    while True:
        further = source[source]
        if np.array_equal(further, source):
            break
        source = further
    return np.where(earlier >= 0, source[earlier], partners)


@sampler
def multinomial(state: State, probabilities, num_samples: int, replacement: bool = False):
    """`torch.multinomial(probabilities, num_samples, replacement)` and the next state.

    `probabilities`: floating-point weights, `[k]` or `[rows, k]`, of the engine of `state`. Returns
    int64 `[num_samples]` or `[rows, num_samples]`. Raises `RuntimeError` for weights that are
    negative, not finite or sum to 0 (not checked when traced), and for impossible sample counts.

    >>> from funcgrad.random import seed
    >>> multinomial(seed(0), np.float32([0.1, 0.0, 0.9]), 2)[0]
    array([2, 0])
    """
    engine = engine_of(state)
    _check_multinomial(probabilities, num_samples, replacement)
    if engine is HOST:
        _check_weights(probabilities)
    if replacement and num_samples > 1:
        return _with_replacement(engine, state, probabilities, num_samples)
    race, state = exponential(state, probabilities.shape, probabilities.dtype)
    score = probabilities / race
    if num_samples == 1:
        return engine.xp.argmax(score, axis=-1, keepdims=True).astype(np.int64), state
    order = engine.xp.argsort(-score, axis=-1, stable=True)
    return order[..., :num_samples].astype(np.int64), state


def _with_replacement(engine, state, probabilities, num_samples):
    xp = engine.xp
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    sums = engine.running_sum(rows)
    sums = sums / sums[:, -1:]
    sums = xp.concatenate([sums[:, :-1], xp.ones_like(sums[:, -1:])], axis=1).astype(np.float64)
    draws, state = uniform53(engine, state, len(rows) * num_samples)
    draws = draws.reshape(len(rows), num_samples)
    if engine is HOST:
        found = np.stack([np.searchsorted(*row) for row in zip(sums, draws, strict=True)])
    else:
        found = jax.vmap(jnp.searchsorted)(sums, draws)
    shape = (*probabilities.shape[:-1], num_samples)
    return found.astype(np.int64).reshape(shape), state


def _check_multinomial(probabilities, num_samples, replacement):
    if probabilities.dtype not in FLOATS:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {probabilities.dtype}"
        )
    if probabilities.ndim not in (1, 2) or probabilities.shape[-1] == 0:
        raise RuntimeError(
            "prob_dist must be 1 or 2 dim and hold at least one category, "
            f"but got the shape {list(probabilities.shape)}."
        )
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, but got {num_samples}.")
    if not replacement and num_samples > probabilities.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{num_samples} > {probabilities.shape[-1]}."
        )


def _check_weights(probabilities):
    if not np.all((probabilities >= 0) & np.isfinite(probabilities)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not np.all(probabilities.sum(axis=-1) > 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
