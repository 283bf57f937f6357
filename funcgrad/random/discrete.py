"""Samplers of discrete values: coins, dropout masks, integers."""

from typing import Any

import numpy as np

from .draws import BFLOAT16, HALVES, integer64, sampler, size_of, uniform24, uniform53
from .engines import HOST, engine_of
from .state import State

_WIDE = 2**28
# How many different values `random_()` without bounds gives: up to the largest integer, or up to
# the last integer that the floating-point type and all before it can hold.
_ALL_VALUES = {
    np.dtype(np.int64): 2**63,
    np.dtype(np.int32): 2**31,
    np.dtype(np.int16): 2**15,
    np.dtype(np.int8): 2**7,
    np.dtype(np.uint8): 2**8,
    np.dtype(np.bool_): 2,
    np.dtype(np.float64): 2**53 + 1,
    np.dtype(np.float32): 2**24 + 1,
    np.dtype(np.float16): 2**11 + 1,
    BFLOAT16: 2**8 + 1,
}


@sampler
def bernoulli(state: State, shape, dtype: Any = np.float32, p: Any = 0.5):
    """Ones with probability `p`, else zeros, in any dtype; and the next state.

    `p` a number: `torch.empty(shape).bernoulli_(p)`. `p` an array: `torch.bernoulli(p)`, broadcast
    to `shape`; float64 probabilities are compared with 53 random bits, others with 24. Raises
    `RuntimeError` for a `p` outside `[0, 1]` (traced arrays are not checked).

    >>> from funcgrad.random import seed
    >>> bernoulli(seed(0), (4,), p=0.7)[0]
    array([0., 0., 1., 0.], dtype=float32)
    """
    engine, dtype, count = engine_of(state), np.dtype(dtype), size_of(shape)
    number = not hasattr(p, "shape")
    if engine is HOST and not np.all((0 <= p) & (p <= 1) if not number else 0 <= p <= 1):
        raise RuntimeError(
            f"bernoulli_ expects p to be in [0, 1], but got p={p} "
            "(Expected p_in >= 0 && p_in <= 1 to be true, but got false)."
        )
    fine = number or p.dtype == np.float64
    values, state = (uniform53 if fine else uniform24)(engine, state, count)
    if not number and p.dtype in HALVES:
        p = p.astype(np.float32)
    return (values.reshape(shape) < p).astype(dtype), state


@sampler
def dropout_mask(state: State, shape, dtype: Any = np.float32, p: float = 0.5):
    """What dropout multiplies its input with: 0 with probability `p`, else `1 / (1 - p)`.

    `p` of 0 or 1 and empty shapes draw nothing. Raises `RuntimeError` for a `p` outside `[0, 1]`.

    >>> from funcgrad.random import seed
    >>> dropout_mask(seed(0), (4,), p=0.5)[0]
    array([0., 0., 2., 0.], dtype=float32)
    """
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    engine, dtype = engine_of(state), np.dtype(dtype)
    if p == 0 or p == 1:
        return engine.xp.full(shape, 1 - p, dtype), state
    kept, state = bernoulli(state, shape, np.bool_, 1 - p)
    wide = np.dtype(np.float32) if dtype in HALVES else dtype
    scale = (wide.type(1) / wide.type(1 - p)).astype(dtype)
    return engine.xp.where(kept, scale, dtype.type(0)), state


@sampler
def randint(state: State, shape, low: int, high: int, dtype: Any = np.int64):
    """`torch.randint(low, high, shape)`: integers in `[low, high)`, and the next state.

    Also `random_(low, high)` for any dtype. Raises `RuntimeError` for an empty range and for
    bounds that `dtype` cannot hold.

    >>> from funcgrad.random import seed
    >>> randint(seed(0), (5,), 0, 10)[0]
    array([4, 9, 3, 0, 3])
    """
    dtype = np.dtype(dtype)
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}."
        )
    _check_bounds(dtype, low, high)
    engine, width = engine_of(state), high - low
    values, state = _below(engine, state, size_of(shape), width, wide=width >= _WIDE)
    if low:
        values = values + np.int64(low)
    return values.astype(dtype).reshape(shape), state


def _check_bounds(dtype, low, high):
    if dtype.kind not in "iub":
        return
    lowest, highest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not lowest <= value <= highest:
            raise RuntimeError(
                f"{name} is out of bounds for {dtype}: {value} is not in [{lowest}, {highest}]."
            )


def _below(engine, state, count, width, *, wide):
    """int64 values `draw % width`, from two words each if `wide`."""
    if wide:
        values, state = integer64(engine, state, count)
        if width < 2**64:
            values = values % np.uint64(width)
    else:
        words, state = engine.words(state, count)
        values = words % np.uint32(width)
    return values.astype(np.int64), state


@sampler
def random(state: State, shape, dtype: Any = np.int64):
    """`torch.empty(shape, dtype=dtype).random_()`: from 0 to the largest integer of the dtype.

    For a floating-point dtype to the last of the integers that it represents without a gap.

    >>> from funcgrad.random import seed
    >>> random(seed(0), (3,), np.uint8)[0]
    array([172,  47, 117], dtype=uint8)
    """
    dtype = np.dtype(dtype)
    if dtype not in _ALL_VALUES:
        raise NotImplementedError(
            f'"random_kernel_cpu" not implemented for {dtype}; use a signed integer, uint8, bool '
            "or floating-point dtype."
        )
    engine = engine_of(state)
    wide = dtype.itemsize == 8
    values, state = _below(engine, state, size_of(shape), _ALL_VALUES[dtype], wide=wide)
    return values.astype(dtype).reshape(shape), state
