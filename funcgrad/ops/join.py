"""Several tensors joined into one: `cat`, `stack` and their kin, and `unbind`."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Tensors
from .creation import new_zeros
from .dims import wrap_dim
from .shape import atleast_1d, atleast_2d, atleast_3d, meshgrid
from .slicing import select, slice_tensor
from .view import reshape


def _is_skipped(shape) -> bool:
    """A vector without elements joins with everything: a rule that PyTorch keeps from old days."""
    return tuple(shape) == (0,)


def _cat_tensors(grad, tensors_sym_sizes, dim):
    parts, start = [], 0
    for sizes in tensors_sym_sizes:
        if _is_skipped(sizes):
            parts.append(new_zeros(grad, (0,)))
            continue
        length = sizes[wrap_dim(dim, len(sizes))]
        parts.append(slice_tensor(grad, dim, start, start + length))
        start += length
    return parts


@op("cat", grad_fn="CatBackward0", face="torch", promotes=("tensors",),
    vjp=dict(tensors=_cat_tensors))  # fmt: skip
def cat(tensors: Tensors, dim: int = 0):
    """Tensors one after the other along an existing dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cat([jnp.ones((2, 3)), jnp.ones((1, 3))]).shape
    (3, 3)
    """
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for position, x in enumerate(tensors):
        if x.ndim == 0:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated"
            )
    kept = [(i, x) for i, x in enumerate(tensors) if not _is_skipped(x.shape)]
    if not kept:
        wrap_dim(dim, 1)
        return tensors[0]
    first = kept[0][1]
    dim = wrap_dim(dim, first.ndim)
    for position, x in kept:
        _check_joins(first.shape, x.shape, dim, position)
    return jnp.concatenate([x for _, x in kept], axis=dim)


def _check_joins(first, shape, dim: int, position: int):
    if len(first) != len(shape):
        raise RuntimeError(
            f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        )
    for i, (wanted, given) in enumerate(zip(first, shape, strict=True)):
        if i != dim and wanted != given:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {wanted} "
                f"but got size {given} for tensor number {position} in the list."
            )


def _selected(grad, dim):
    return [select(grad, dim, index) for index in range(grad.shape[dim])]


@op("stack", grad_fn="StackBackward0", face="torch", promotes=("tensors",),
    vjp=dict(tensors=lambda grad, dim: _selected(grad, dim)))  # fmt: skip
def stack(tensors: Tensors, dim: int = 0):
    """Tensors of one shape side by side along a new dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.stack([jnp.ones(3), jnp.zeros(3)], -1).shape
    (3, 2)
    """
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    dim = wrap_dim(dim, tensors[0].ndim + 1)
    for position, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at "
                f"entry 0 and {list(x.shape)} at entry {position}"
            )
    return jnp.stack(tensors, axis=dim)


@op(
    "unbind.int", grad_fn="UnbindBackward0", is_view=True, outputs="list",
    vjp=dict(self=lambda grads, dim: stack(grads, dim)),
)  # fmt: skip
def unbind(self, dim: int = 0):
    """All parts along dimension ``dim``, without that dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unbind(jnp.arange(4).reshape(2, 2))
    [Array([0, 1], dtype=int32), Array([2, 3], dtype=int32)]
    """
    if self.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, self.ndim)
    return [lax.index_in_dim(self, i, dim, keepdims=False) for i in range(self.shape[dim])]


@composite(face="torch")
def concat(tensors, dim=0):
    """`cat` under another name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.concat([jnp.ones(1), jnp.zeros(1)])
    Array([1., 0.], dtype=float32)
    """
    return cat(tensors, dim)


@composite(face="torch")
def concatenate(tensors, axis=0):
    """`cat` under NumPy's name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.concatenate([jnp.ones(1), jnp.zeros(1)])
    Array([1., 0.], dtype=float32)
    """
    return cat(tensors, axis)


@composite(face="torch")
def hstack(tensors):
    """Tensors one after the other along the second dimension, vectors along the only one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hstack([jnp.ones(2), jnp.ones(3)]).shape
    (5,)
    """
    tensors = atleast_1d(list(tensors))
    _check_some(tensors, "hstack")
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@composite(face="torch")
def vstack(tensors):
    """Tensors one below the other; vectors are rows.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.vstack([jnp.ones(3), jnp.ones((2, 3))]).shape
    (3, 3)
    """
    _check_some(tensors, "vstack")
    return cat(atleast_2d(list(tensors)), 0)


@composite(face="torch")
def row_stack(tensors):
    """`vstack` under another name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.row_stack([jnp.ones(2), jnp.zeros(2)])
    Array([[1., 1.],
           [0., 0.]], dtype=float32)
    """
    return vstack(tensors)


@composite(face="torch")
def dstack(tensors):
    """Tensors one behind the other along the third dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dstack([jnp.ones(3), jnp.ones(3)]).shape
    (1, 3, 2)
    """
    _check_some(tensors, "dstack")
    return cat(atleast_3d(list(tensors)), 2)


@composite(face="torch")
def column_stack(tensors):
    """Tensors side by side; vectors are columns.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.column_stack([jnp.ones(3), jnp.ones((3, 2))]).shape
    (3, 3)
    """
    _check_some(tensors, "column_stack")
    columns = [reshape(x, (math.prod(x.shape), 1)) if x.ndim < 2 else x for x in tensors]
    return hstack(columns)


def _check_some(tensors, name: str):
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")


def _corners(shapes):
    """For every block its rows and columns in the block diagonal matrix."""
    row = column = 0
    for shape in shapes:
        height, width = (1, 1, *shape)[-2:]
        yield (row, row + height), (column, column + width)
        row, column = row + height, column + width


def _block_diag_tensors(grad, tensors_sym_sizes):
    parts = []
    for sizes, (rows, columns) in zip(tensors_sym_sizes, _corners(tensors_sym_sizes), strict=True):
        part = slice_tensor(slice_tensor(grad, 0, *rows), 1, *columns)
        parts.append(reshape(part, sizes))
    return parts


@op("block_diag", grad_fn="BlockDiagBackward0", face="private", promotes=("tensors",),
    vjp=dict(tensors=_block_diag_tensors))  # fmt: skip
def _block_diag(tensors: Tensors):
    """The block diagonal matrix of a list of matrices, vectors (rows) and numbers."""
    for position, x in enumerate(tensors):
        if x.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{position} has {x.ndim} dimensions"
            )
    corners = list(_corners([x.shape for x in tensors]))
    height, width = corners[-1][0][1], corners[-1][1][1]
    bands = []
    for x, (_, (left, right)) in zip(tensors, corners, strict=True):
        block = lax.reshape(x, (1, 1, *x.shape)[-2:])
        bands.append(jnp.pad(block, ((0, 0), (left, width - right))))
    return lax.reshape(jnp.concatenate(bands), (height, width))


@composite(face="torch")
def block_diag(*tensors):
    """Matrices along the diagonal, zeros elsewhere; vectors are rows.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.block_diag(jnp.ones((2, 2)), jnp.ones(3)).shape
    (3, 5)
    """
    return _block_diag(list(tensors))


@composite(face="torch")
def cartesian_prod(*tensors):
    """All combinations of the elements of vectors, one a row; of one vector, itself.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cartesian_prod(jnp.ones(2), jnp.ones(3)).shape
    (6, 2)
    """
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    grids = meshgrid(*tensors, indexing="ij")
    return stack([reshape(grid, (math.prod(grid.shape),)) for grid in grids], 1)
