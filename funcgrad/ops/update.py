"""A tensor with one of its parts replaced: the pure form of writing through a view."""

from __future__ import annotations

import jax.numpy as jnp

from ..op import op
from .dims import slice_bounds, wrap_dim
from .index import zeros_of
from .places import _two_dims, diagonal
from .slicing import select, slice_tensor


def _checked(src, shape):
    if tuple(src.shape) != tuple(shape):
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(shape)}"
        )


@op(
    "select_scatter", grad_fn="SelectScatterBackward0",
    vjp=dict(
        self=lambda grad, src_sym_sizes, dim, index: select_scatter(
            grad, zeros_of(grad, src_sym_sizes), dim, index),
        src=lambda grad, dim, index: select(grad, dim, index),
    ),
)  # fmt: skip
def select_scatter(self, src, dim: int, index: int):
    """``self`` with ``src`` at ``index`` of dimension ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.select_scatter(jnp.zeros((2, 2)), jnp.ones(2), 0, 1)
    Array([[0., 0.],
           [1., 1.]], dtype=float32)
    """
    _checked(src, select.fn(self, dim, index).shape)
    dim = wrap_dim(dim, self.ndim)
    place = index % self.shape[dim]
    return self.at[(slice(None),) * dim + (place,)].set(src.astype(self.dtype), unique_indices=True)


@op(
    "slice_scatter", grad_fn="SliceScatterBackward0",
    vjp=dict(
        self=lambda grad, src_sym_sizes, dim, start, end, step: slice_scatter(
            grad, zeros_of(grad, src_sym_sizes), dim, start, end, step),
        src=lambda grad, dim, start, end, step: slice_tensor(grad, dim, start, end, step),
    ),
)  # fmt: skip
def slice_scatter(
    self, src, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
):
    """``self`` with ``src`` at a slice of dimension ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.slice_scatter(jnp.zeros(3), jnp.ones(2), 0, 1)
    Array([0., 1., 1.], dtype=float32)
    """
    _checked(src, slice_tensor.fn(self, dim, start, end, step).shape)
    dim = wrap_dim(dim, self.ndim)
    start, end = slice_bounds(start, end, self.shape[dim])
    places = (slice(None),) * dim + (slice(start, end, step),)
    return self.at[places].set(src.astype(self.dtype), unique_indices=True)


@op(
    "diagonal_scatter", grad_fn="DiagonalScatterBackward0",
    vjp=dict(
        self=lambda grad, src_sym_sizes, offset, dim1, dim2: diagonal_scatter(
            grad, zeros_of(grad, src_sym_sizes), offset, dim1, dim2),
        src=lambda grad, offset, dim1, dim2: diagonal(grad, offset, dim1, dim2),
    ),
)  # fmt: skip
def diagonal_scatter(self, src, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """``self`` with ``src`` on a diagonal.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diagonal_scatter(jnp.zeros((2, 2)), jnp.ones(2))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    _checked(src, diagonal.fn(self, offset, dim1, dim2).shape)
    first, second = _two_dims(dim1, dim2, self.ndim)
    x = jnp.moveaxis(self, (first, second), (-2, -1))
    steps = jnp.arange(src.shape[-1])
    places = (..., steps - min(offset, 0), steps + max(offset, 0))
    filled = x.at[places].set(src.astype(self.dtype), unique_indices=True)
    return jnp.moveaxis(filled, (-2, -1), (first, second))
