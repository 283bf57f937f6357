"""What all samplers are made of: uniform draws from words, casts, and the entry decorator."""

from functools import wraps
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

from .state import State

_MASK24 = np.uint32(0xFFFFFF)
_MASK21 = np.uint32(0x1FFFFF)
_SCALE24 = np.float32(2.0**-24)
_CHUNK = 2**15
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
BFLOAT16 = np.dtype(jnp.bfloat16)
HALVES = (np.dtype(np.float16), BFLOAT16)
FLOATS = (FLOAT32, FLOAT64, *HALVES)


def sampler(function):
    """Mark a function of a state: with a traced state its body runs under 64-bit types."""

    @wraps(function)
    def call(state: State, *args, **kwargs):
        if isinstance(state.block, np.ndarray):
            return function(state, *args, **kwargs)
        with jax.enable_x64():
            return function(state, *args, **kwargs)

    return call


def uniform24(engine, state: State, count: int):
    """float32 uniforms in `[0, 1)` from one word each."""
    words, state = engine.words(state, count)
    return _in_chunks(_to_uniform24, words, 1, FLOAT32), state


def uniform53(engine, state: State, count: int, used=None):
    """float64 uniforms in `[0, 1)` from two words each; `used` as in `traced_words`."""
    if used is None:
        words, state = engine.words(state, 2 * count)
    else:
        words, state = engine.words(state, 2 * count, 2 * used)
    return _in_chunks(_to_uniform53, words, 2, FLOAT64), state


def _to_uniform24(words):
    return (words & _MASK24).view(np.int32).astype(np.float32) * _SCALE24


def _to_uniform53(words):
    high = (words[0::2] & _MASK21).astype(np.float64)
    return (high * 2.0**32 + words[1::2].astype(np.float64)) * 2.0**-53


def _in_chunks(function, words, width: int, dtype):
    """`function(words)`, which makes one value of `width` words; many on the host, piece by piece.

    Pieces whose intermediate values stay in the processor's cache are several times faster.
    """
    if words.size <= _CHUNK or not isinstance(words, np.ndarray):
        return function(words)
    values = np.empty(words.size // width, dtype)
    step = _CHUNK // width
    for start in range(0, values.size, step):
        part = words[start * width : (start + step) * width]
        values[start : start + step] = function(part)
    return values


def integer64(engine, state: State, count: int):
    """uint64 values from two words each, the high half first."""
    words, state = engine.words(state, 2 * count)
    return words[0::2].astype(np.uint64) << np.uint64(32) | words[1::2].astype(np.uint64), state


def cast(values, dtype):
    """float32 or float64 values in `dtype`; as in C++, to 16-bit types by way of float32."""
    if dtype in HALVES:
        values = values.astype(np.float32)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def as_complex(values, dtype):
    """A real array with a trailing axis of 2 as complex numbers."""
    if isinstance(values, np.ndarray):
        return values.view(dtype)[..., 0]
    return jax.lax.complex(values[..., 0], values[..., 1])


def real_dtype(dtype) -> np.dtype:
    """The dtype of the real part of a complex dtype."""
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)


def size_of(shape) -> int:
    """The number of elements of a shape."""
    return prod(shape)


def need_floating(name: str, dtype, *, or_complex: bool = False) -> np.dtype:
    """`dtype` as a numpy dtype; `NotImplementedError` where PyTorch has no such kernel."""
    dtype = np.dtype(dtype)
    if dtype in FLOATS or (or_complex and dtype.kind == "c"):
        return dtype
    raise NotImplementedError(
        f'"{name}" not implemented for {dtype}: it draws floating-point numbers; '
        "pass a floating-point dtype."
    )
