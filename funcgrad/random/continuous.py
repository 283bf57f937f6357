"""Samplers of continuous distributions: uniform and what is a function of one uniform."""

from typing import Any

import numpy as np

from .draws import (
    FLOAT64,
    HALVES,
    as_complex,
    cast,
    need_floating,
    real_dtype,
    sampler,
    size_of,
    uniform24,
    uniform53,
)
from .engines import engine_of
from .rounding import fma32, fma64
from .state import State


@sampler
def uniform(state: State, shape, dtype: Any = np.float32, low: float = 0.0, high: float = 1.0):
    """`torch.empty(shape).uniform_(low, high)`: values in `[low, high)` and the next state.

    float32, float64, float16, bfloat16 or complex (both parts drawn). Raises `RuntimeError` if
    `low > high`.

    >>> from funcgrad.random import seed
    >>> uniform(seed(0), (3,))[0]
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """
    dtype = need_floating("check_uniform_bounds", dtype, or_complex=True)
    if dtype.kind == "c":
        values, state = uniform(state, (*shape, 2), real_dtype(dtype), low, high)
        return as_complex(values, dtype), state
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}; "
            "swap the bounds."
        )
    engine = engine_of(state)
    draw = uniform53 if dtype is FLOAT64 else uniform24
    values, state = draw(engine, state, size_of(shape))
    if low != 0 or high != 1:
        values = _stretch(engine.xp, values, dtype, low, high)
    elif dtype in HALVES:
        values = _exclude(engine.xp, values.astype(dtype), low, high)
    return values.reshape(shape), state


def _stretch(xp, values, dtype, low, high):
    if dtype is FLOAT64:
        values = fma64(xp, values, high - low, low)
    else:
        values = fma32(xp, values, float(np.float32(high) - np.float32(low)), low)
    return _exclude(xp, cast(values, dtype), low, high)


def _exclude(xp, values, low, high):
    """Rounding can reach the excluded bound; such a value becomes the lower bound."""
    return xp.where(values == values.dtype.type(high), values.dtype.type(low), values)


@sampler
def exponential(state: State, shape, dtype: Any = np.float32, rate: float = 1.0):
    """`torch.empty(shape).exponential_(rate)`: density `rate * exp(-rate * x)`, and the next state.

    Raises `RuntimeError` unless `rate > 0`.

    >>> from funcgrad.random import seed
    >>> exponential(seed(0), (2,))[0].dtype
    dtype('float32')
    """
    dtype = need_floating("exponential", dtype)
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate}.")
    engine = engine_of(state)
    values, state = uniform53(engine, state, size_of(shape))
    values = np.float64(-1.0 / rate) * engine.log1p(-values)
    return cast(values, dtype).reshape(shape), state


@sampler
def cauchy(state: State, shape, dtype: Any = np.float32, median: float = 0.0, sigma: float = 1.0):
    """`torch.empty(shape).cauchy_(median, sigma)`, and the next state.

    Raises `RuntimeError` unless `sigma > 0`.

    >>> from funcgrad.random import seed
    >>> cauchy(seed(0), (2, 3))[0].shape
    (2, 3)
    """
    dtype = need_floating("cauchy", dtype)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}.")
    engine = engine_of(state)
    values, state = uniform53(engine, state, size_of(shape))
    values = engine.tan(np.pi * (values - 0.5))
    return cast(fma64(engine.xp, values, sigma, median), dtype).reshape(shape), state


@sampler
def geometric(state: State, shape, dtype: Any = np.float32, p: float = 0.5):
    """`torch.empty(shape).geometric_(p)`: trials until the first success, and the next state.

    `dtype` may be an integer type. Raises `RuntimeError` unless `0 < p < 1`.

    >>> from funcgrad.random import seed
    >>> bool((geometric(seed(0), (50,), p=0.3)[0] >= 1).all())
    True
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}.")
    engine = engine_of(state)
    values, state = uniform53(engine, state, size_of(shape))
    values = engine.xp.ceil(engine.log(values) / np.log1p(-p))
    return cast(values, np.dtype(dtype)).reshape(shape), state
