"""A part written over a part of a whole: what PyTorch records where it copies into a slice.

PyTorch's functions fill new memory slice by slice. Arrays never change, so here the whole is made
anew; its node is the one that PyTorch's write has.
"""

from __future__ import annotations

import itertools

import jax.numpy as jnp
from jax import lax

from .. import types
from ..op import op
from ..signature import Size
from ..together import together
from .copying import clone, copy
from .creation import new_zeros, zeros_like
from .dims import wrap_dim
from .places import as_strided
from .slicing import slice_tensor
from .with_number import mul_number


def _row_strides(shape) -> tuple[int, ...]:
    """The strides of new memory."""
    steps = itertools.accumulate((max(n, 1) for n in reversed(shape[1:])), int.__mul__, initial=1)
    return tuple(reversed(list(steps))) if shape else ()


def _part(whole, sizes, starts):
    """The part of ``whole``, which lies in order, that begins at ``starts``."""
    if hasattr(type(whole), "__funcgrad_op__"):
        strides = _row_strides(whole.shape)
        offset = sum(start * step for start, step in zip(starts, strides, strict=True))
        return as_strided(whole, sizes, strides, offset)
    stops = [start + size for start, size in zip(starts, sizes, strict=True)]
    return lax.slice(whole, starts, stops)


def _gradients(mask, grad, sizes, starts):
    """What was overwritten has no gradient."""
    whole = copy(new_zeros(grad, grad.shape), grad)
    part = clone(_part(whole, sizes, starts))
    rest = _copy_to_part(whole, zeros_like(part), sizes, starts) if mask[0] else None
    return rest, part


@op("_copy_to_part", grad_fn="CopySlices", face="private",
    vjp=together(_gradients, "self", "src"))  # fmt: skip
def _copy_to_part(self, src, sizes: Size, starts: Size):
    """``self`` with ``src``, broadcast to ``sizes``, written over what begins at ``starts``."""
    src = types.cast(jnp.broadcast_to(src, sizes), self.dtype)
    return lax.dynamic_update_slice(self, src, starts)


def copy_to_part(self, src, starts):
    """``self`` with ``src`` written over the part that begins at ``starts``."""
    return _copy_to_part(self, src, src.shape, starts)


def copy_to_slice(self, src, dim: int, start: int, length: int | None = None):
    """``self`` with ``src``, broadcast to ``length``, written over a slice of dimension ``dim``."""
    dim, starts, sizes = wrap_dim(dim, self.ndim), [0] * self.ndim, list(self.shape)
    starts[dim], sizes[dim] = start, src.shape[dim] if length is None else length
    return _copy_to_part(self, src, sizes, starts)


def _scaled_back(grad, dim, start, length, factor):
    whole = copy(new_zeros(grad, grad.shape), grad)
    return scale_slice(whole, dim, start, length, factor)


@op("_scale_slice", grad_fn="CopySlices", face="private", vjp=dict(self=_scaled_back))
def scale_slice(self, dim: int, start: int, length: int, factor: int):
    """``self`` with a slice of dimension ``dim`` multiplied by ``factor``."""
    part = mul_number.fn(slice_tensor.fn(self, dim, start, start + length), factor)
    starts = [0] * self.ndim
    starts[dim] = start
    return lax.dynamic_update_slice(self, part, starts)
