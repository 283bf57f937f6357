"""Normal, log-normal and truncated normal samplers."""

import math
import warnings
from typing import Any

import jax
import numpy as np

from .cephes import radius_and_angle
from .continuous import uniform
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
from .engines import HOST, engine_of
from .rounding import fma32, fma64
from .state import State

_BLOCK = 16
_CHUNK = 2**15


@sampler
def normal(
    state: State,
    shape,
    dtype: Any = np.float32,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    contiguous: bool = True,
):
    """`torch.empty(shape).normal_(mean, std)` and the next state.

    PyTorch has two algorithms. A contiguous tensor of 16 and more elements is filled in blocks; all
    others (pass `contiguous=False` for the other layouts) element by element, in float64, with the
    second half of a Box-Muller pair kept in the state. float32, float64, float16, bfloat16 or
    complex, where `std` is that of the complex number and `mean` that of each part. Raises
    `RuntimeError` if `std < 0`.

    >>> from funcgrad.random import seed
    >>> normal(seed(0), (2,))[0]
    array([ 1.5409961, -0.2934289], dtype=float32)
    """
    dtype = need_floating("normal_kernel_cpu", dtype, or_complex=True)
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}.")
    if dtype.kind == "c":
        return _complex_normal(state, shape, dtype, mean, std, contiguous)
    count = size_of(shape)
    if count >= _BLOCK and contiguous:
        values, state = _block_normal(state, count, dtype, mean, std)
    else:
        values, state = _scalar_normal(engine_of(state), state, count)
        values = fma64(engine_of(state).xp, values, std, mean)
    return cast(values, dtype).reshape(shape), state


def _complex_normal(state, shape, dtype, mean, std, contiguous):
    """Both parts have the mean `mean` (sic), and half of the variance each."""
    real, part = real_dtype(dtype), std / math.sqrt(2.0)
    values, state = normal(state, (*shape, 2), real, mean, part, contiguous=contiguous)
    return as_complex(values, dtype), state


def _block_normal(state: State, count: int, dtype, mean, std):
    """Blocks of 16; if they do not come out even, the last 16 values are drawn once more."""
    engine = engine_of(state)
    full = count - count % _BLOCK
    first = full if dtype in HALVES else count
    again = _BLOCK if count > full else 0
    draw = uniform53 if dtype is FLOAT64 else uniform24
    values, state = draw(engine, state, first + again)
    if again:
        values = engine.xp.concatenate([values[:full], values[first:]])
    transform = _transform64 if dtype is FLOAT64 else _transform32
    if engine is HOST:
        for start in range(0, values.size, _CHUNK):
            part = values[start : start + _CHUNK]
            part[:] = transform(engine, part, mean, std)
    else:
        values = transform(engine, values, mean, std)
    if again:
        values = engine.xp.concatenate([values[: count - _BLOCK], values[-_BLOCK:]])
    return values, state


def _transform32(engine, uniforms, mean, std):
    halves = uniforms.reshape(-1, 2, _BLOCK // 2)
    pair = radius_and_angle(engine.xp, halves[:, 0], halves[:, 1])
    values = engine.xp.stack(pair, axis=1).reshape(-1)
    if mean == 0 and std == 1:
        return values + np.float32(0)
    return fma32(engine.xp, values, std, mean)


def _transform64(engine, uniforms, mean, std):
    halves = uniforms.reshape(-1, 2, _BLOCK // 2)
    radius = engine.xp.sqrt(-2.0 * engine.log(1.0 - halves[:, 0]))
    values = engine.xp.stack(_polar(engine, radius, halves[:, 1]), axis=1).reshape(-1)
    return fma64(engine.xp, values, std, mean)


def _polar(engine, radius, turn):
    angle = 2 * np.pi * turn
    return radius * engine.cos(angle), radius * engine.sin(angle)


def _scalar_normal(engine, state: State, count: int):
    """`count` float64 standard normals, the one that the state has kept first."""
    if count == 0:
        return engine.xp.zeros(0, np.float64), state
    kept = state.has_next_normal
    if engine is HOST:
        pairs = (count - kept + 1) // 2
        uniforms, after = uniform53(engine, state, 2 * pairs)
    else:
        kept = kept.astype(np.int32)
        pairs = (count - kept + 1) // 2
        uniforms, after = uniform53(engine, state, 2 * ((count + 1) // 2), 2 * pairs)
    values = _pairs(engine, state.next_normal, uniforms)
    left = kept + 2 * pairs > count
    if engine is HOST:
        following = float(values[-1]) if left else 0.0
        values = values[1 - kept :][:count]
    else:
        following = engine.xp.where(left, values[2 * pairs], 0.0)
        values = jax.lax.dynamic_slice(values, (1 - kept,), (count,))
    return values, after._replace(next_normal=following, has_next_normal=left)


def _pairs(engine, kept, uniforms):
    """The kept normal, then the cosine and sine halves of every pair of uniforms."""
    radius = engine.xp.sqrt(-2.0 * engine.log1p(-uniforms[1::2]))
    pairs = engine.xp.stack(_polar(engine, radius, uniforms[0::2]), axis=-1)
    return engine.xp.append(kept, pairs)


@sampler
def log_normal(state: State, shape, dtype: Any = np.float32, mean: float = 1.0, std: float = 2.0):
    """`torch.empty(shape).log_normal_(mean, std)`, always the scalar algorithm; and the next state.

    Raises `RuntimeError` unless `std > 0`.

    >>> from funcgrad.random import seed
    >>> bool((log_normal(seed(0), (4,))[0] > 0).all())
    True
    """
    dtype = need_floating("log_normal", dtype)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}.")
    engine = engine_of(state)
    values, state = _scalar_normal(engine, state, size_of(shape))
    values = engine.exp(fma64(engine.xp, values, std, mean))
    return cast(values, dtype).reshape(shape), state


@sampler
def trunc_normal(
    state: State,
    shape,
    dtype: Any = np.float32,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
    *,
    contiguous: bool = True,
):
    """`torch.nn.init.trunc_normal_(torch.empty(shape), mean, std, low, high)` and the next state.

    Where the bounds hold more than 30 % of the mass, all values are drawn and those outside are
    replaced from further full draws; else it is rejection sampling under a uniform.

    >>> from funcgrad.random import seed
    >>> bool((abs(trunc_normal(seed(0), (100,))[0]) <= 2).all())
    True
    """
    dtype = need_floating("normal_kernel_cpu", dtype)
    if mean < low - 2 * std or mean > high + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=3,
        )
    mass = _normal_cdf((high - mean) / std) - _normal_cdf((low - mean) / std)
    if mass > 0.3:
        return _redraw(state, shape, dtype, mean, std, low, high, contiguous)
    return _reject(state, shape, dtype, mean, std, low, high)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redraw(state, shape, dtype, mean, std, low, high, contiguous):
    engine, low, high = engine_of(state), dtype.type(low), dtype.type(high)
    values, state = normal(state, shape, dtype, mean, std, contiguous=contiguous)

    def outside(carry):
        return ((carry[0] < low) | (carry[0] > high)).any()

    def replace(carry):
        values, state = carry
        fresh, state = normal(state, shape, dtype, mean, std, contiguous=contiguous)
        return engine.xp.where((values < low) | (values > high), fresh, values), state

    return engine.while_loop(outside, replace, (values, state))


def _reject(state, shape, dtype, mean, std, low, high):
    engine = engine_of(state)
    peak = -0.5 * ((max(low, min(mean, high)) - mean) / std) ** 2

    def propose(state):
        values, state = uniform(state, shape, dtype, low, high)
        chance, state = uniform(state, shape, dtype)
        rejected = _log(engine.xp, chance) > _log_density(values, mean, std, peak)
        return values, rejected, state

    def replace(carry):
        values, pending, state = carry
        fresh, rejected, state = propose(state)
        return engine.xp.where(pending, fresh, values), pending & rejected, state

    values, _, state = engine.while_loop(lambda carry: carry[1].any(), replace, propose(state))
    return values, state


def _log_density(values, mean, std, peak):
    """The normal log density over its peak, rounded to the dtype after each step as PyTorch's."""
    dtype = values.dtype
    wide = np.dtype(np.float32) if dtype in HALVES else dtype
    mean, peak = wide.type(dtype.type(mean)), wide.type(dtype.type(peak))
    values = (values.astype(wide) - mean).astype(dtype)
    values = (values.astype(wide) / wide.type(std)).astype(dtype)
    values = (values.astype(wide) ** 2).astype(dtype)
    values = (values.astype(wide) * wide.type(-0.5)).astype(dtype)
    return (values.astype(wide) - peak).astype(dtype)


def _log(xp, values):
    wide = np.dtype(np.float32) if values.dtype in HALVES else values.dtype
    with np.errstate(divide="ignore"):
        return xp.log(values.astype(wide)).astype(values.dtype)
