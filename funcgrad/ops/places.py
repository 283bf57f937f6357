"""Views of scattered elements: diagonals, sliding windows, arbitrary strides."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Size
from .dims import wrap_dim
from .view import reshape

# -- diagonals -------------------------------------------------------------------------------------


def _diagonal_length(height: int, width: int, offset: int) -> int:
    return max(min(height + min(offset, 0), width - max(offset, 0)), 0)


def _two_dims(dim1: int, dim2: int, rank: int) -> tuple[int, int]:
    first, second = wrap_dim(dim1, rank), wrap_dim(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def _diagonal_self(grad, self_sym_sizes, offset, dim1, dim2):
    return diagonal_backward(grad, self_sym_sizes, offset, dim1, dim2)


@op("diagonal", grad_fn="DiagonalBackward0", is_view=True, vjp=dict(self=_diagonal_self))
def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """The diagonal of dimensions ``dim1`` and ``dim2`` as a new last dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diagonal(jnp.arange(4).reshape(2, 2))
    Array([0, 3], dtype=int32)
    """
    first, second = _two_dims(dim1, dim2, self.ndim)
    return jnp.diagonal(self, offset, first, second)


@op("diagonal_copy", grad_fn="DiagonalBackward0_copy", face="private",
    vjp=dict(self=_diagonal_self))  # fmt: skip
def diagonal_copy(self, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """`diagonal` that is no view."""
    return jnp.diagonal(self, offset, *_two_dims(dim1, dim2, self.ndim))


@op("diagonal_backward", grad_fn="DiagonalBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, offset, dim1, dim2: diagonal(
        grad, offset, dim1, dim2)))  # fmt: skip
def diagonal_backward(grad_output, input_sizes: Size, offset: int, dim1: int, dim2: int):
    """``grad_output`` on the diagonal, zeros elsewhere."""
    first, second = _two_dims(dim1, dim2, len(input_sizes))
    height, width = input_sizes[first], input_sizes[second]
    steps = np.arange(_diagonal_length(height, width, offset))
    batch = [n for i, n in enumerate(input_sizes) if i not in (first, second)]
    places = (..., steps - min(offset, 0), steps + max(offset, 0))
    empty = jnp.zeros((*batch, height, width), grad_output.dtype)
    filled = empty.at[places].set(grad_output, unique_indices=True)
    return jnp.moveaxis(filled, (-2, -1), (first, second))


@op("diag_embed", grad_fn="DiagEmbedBackward0",
    vjp=dict(self=lambda grad, offset, dim1, dim2: diagonal(grad, offset, dim1, dim2)))  # fmt: skip
def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1):
    """Matrices in dimensions ``dim1`` and ``dim2`` with the last dimension on their diagonal.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diag_embed(jnp.ones((5, 2))).shape
    (5, 2, 2)
    """
    first, second = _two_dims(dim1, dim2, self.ndim + 1)
    side = self.shape[-1] + abs(offset)
    sizes = list(self.shape[:-1])
    for dim in sorted((first, second)):
        sizes.insert(dim, side)
    return diagonal_backward.fn(self, tuple(sizes), offset, first, second)


@composite()
def diag(input, diagonal=0):
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diag(jnp.ones(2)).shape
    (2, 2)
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return (diag_embed if input.ndim == 1 else diagonal_copy)(input, diagonal)


@composite()
def diagflat(input, offset=0):
    """The matrix with all elements on its diagonal.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diagflat(jnp.ones((2, 2))).shape
    (4, 4)
    """
    return diag_embed(reshape(input, (-1,)), offset)


# -- sliding windows -------------------------------------------------------------------------------


def _window_places(length: int, size: int, step: int):
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension 0 is {length} but size is {size}")
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    starts = np.arange((length - size) // step + 1) * step
    return starts[:, None] + np.arange(size)


@op(
    "unfold", grad_fn="UnfoldBackward0", is_view=True, face="method",
    vjp=dict(self=lambda grad, self_sym_sizes, dimension, size, step: unfold_backward(
        grad, self_sym_sizes, dimension, size, step)),
)  # fmt: skip
def unfold(self, dimension: int, size: int, step: int):
    """All windows of ``size`` along a dimension, every ``step``; each is a new last dimension."""
    dim = wrap_dim(dimension, self.ndim)
    x = self if self.ndim else self[None]
    places = _window_places(x.shape[dim], size, step)
    windows = jnp.moveaxis(jnp.take(x, places, axis=dim), dim + 1, -1)
    return windows if self.ndim else windows[0]


@op(
    "unfold_backward", grad_fn="UnfoldBackwardBackward0", face="private",
    vjp=dict(grad_in=lambda grad, dim, size, step: unfold(grad, dim, size, step)),
)  # fmt: skip
def unfold_backward(grad_in, input_sizes: Size, dim: int, size: int, step: int):
    """Every window's elements added at their places."""
    if not input_sizes:
        return lax.reshape(grad_in, ()) if size else jnp.zeros((), grad_in.dtype)
    dim = wrap_dim(dim, len(input_sizes))
    places = _window_places(input_sizes[dim], size, step)
    windows = jnp.moveaxis(grad_in, -1, dim + 1)
    empty = jnp.zeros(input_sizes, grad_in.dtype)
    target = empty.at[(slice(None),) * dim + (places,)]
    apart = step >= size
    return target.set(windows, unique_indices=True) if apart else target.add(windows)


# -- strides ---------------------------------------------------------------------------------------


def _strided_places(size, stride, offset: int, count: int):
    """For every element its place in memory, which holds ``count`` contiguous elements."""
    if len(size) != len(stride):
        raise RuntimeError(
            f"mismatch in length of strides and shape: {len(stride)} and {len(size)}"
        )
    if any(n < 0 for n in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if math.prod(size) and not 0 <= offset <= last < count:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} "
            f"requiring {last + 1} elements are out of bounds for storage of {count} elements"
        )
    places = jnp.full(size, offset, jnp.int32 if last < 2**31 else jnp.int64)
    for dim, s in enumerate(stride):
        places += s * lax.broadcasted_iota(places.dtype, size, dim)
    return places


def overlaps(size, stride) -> bool:
    """Whether two elements may share a place: a sufficient test, as PyTorch's own."""
    reach = 0
    for s, n in sorted((s, n) for s, n in zip(stride, size, strict=True) if n > 1):
        if s <= reach:
            return True
        reach += (n - 1) * s
    return False


@op(
    "as_strided", grad_fn="AsStridedBackward0", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, self_sym_sizes, size, stride, storage_offset: as_strided_backward(
        grad, self_sym_sizes, size, stride, storage_offset)),
)  # fmt: skip
def as_strided(self, size: Size, stride: Size, storage_offset: int | None = None):
    """Elements of ``self``, taken as contiguous memory, by their strides.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.as_strided(jnp.arange(4), (2, 2), (1, 2))
    Array([[0, 2],
           [1, 3]], dtype=int32)
    """
    places = _strided_places(size, stride, storage_offset or 0, self.size)
    if not math.prod(size):  # `jnp.take` would lose the shape
        return jnp.zeros(size, self.dtype)
    return jnp.take(lax.reshape(self, (self.size,)), places)


@op(
    "as_strided_backward", grad_fn="AsStridedBackwardBackward0", face="private",
    vjp=dict(grad=lambda grad, size, stride, storage_offset: as_strided(
        grad, size, stride, storage_offset)),
)  # fmt: skip
def as_strided_backward(
    grad, input_sizes: Size, size: Size, stride: Size, storage_offset: int | None = None
):
    """Elements added at their places, zeros elsewhere."""
    count = math.prod(input_sizes)
    places = _strided_places(size, stride, storage_offset or 0, count)
    target = jnp.zeros(count, grad.dtype).at[places]
    overlap = overlaps(size, stride)
    filled = target.add(grad) if overlap else target.set(grad, unique_indices=True)
    return lax.reshape(filled, input_sizes)
