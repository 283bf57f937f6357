"""Sorting, and what sorting finds: ranks, medians, quantiles, modes, distinct elements."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite, overloads
from ..op import op
from .dims import wrap_dim
from .extrema import _evenly, along, selecting, spread, taken


def _order(x, dim: int, descending: bool):
    """The stable order along ``dim``; nan counts as the largest."""
    return jnp.argsort(x, dim, stable=True, descending=descending)


def _sorted(self, dim: int, descending: bool):
    """Values and indices in order."""
    if types.is_complex(self.dtype):
        raise RuntimeError("Sort does not support complex dtypes on CPU")
    dim = wrap_dim(dim, self.ndim)
    if not self.ndim:
        return self, jnp.zeros((), types.index_dtype())
    order = _order(self, dim, descending)
    return jnp.take_along_axis(self, order, dim), order.astype(types.index_dtype())


@op("sort", grad_fn="SortBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices: (
        spread(grad_values, dim, indices, self_sym_sizes, True)
    )))  # fmt: skip
def sort_default(self, dim: int = -1, descending: bool = False):
    """The elements along ``dim`` in order, and where they were; equal ones keep their order.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sort(jnp.array([3, 1, 2]))
    (Array([1, 2, 3], dtype=int32), Array([1, 2, 0], dtype=int32))
    """
    return _sorted(self, dim, descending)


@op("sort.stable", grad_fn="SortBackward1", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices: (
        spread(grad_values, dim, indices, self_sym_sizes, True)
    )))  # fmt: skip
def sort_stable(self, *, stable: bool | None, dim: int = -1, descending: bool = False):
    """`sort`, which here is always stable.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sort(jnp.array([3, 1, 2]), stable=True)[0]
    Array([1, 2, 3], dtype=int32)
    """
    return _sorted(self, dim, descending)


sort = overloads("sort", sort_default, sort_stable)


@composite()
def argsort(self, dim=-1, descending=False, *, stable=False):
    """The indices of `sort`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.argsort(jnp.array([3, 1, 2]))
    Array([1, 2, 0], dtype=int32)
    """
    return sort_stable(self, stable=stable, dim=dim, descending=descending)[1]


@composite()
def msort(self):
    """`sort` along the first dimension, values only.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.msort(jnp.array([3, 1, 2]))
    Array([1, 2, 3], dtype=int32)
    """
    return sort_default(self, 0)[0]


@op("topk", grad_fn="TopkBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices: (
        spread(grad_values, dim, indices, self_sym_sizes, True)
    )))  # fmt: skip
def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True):
    """The ``k`` largest (or smallest) elements along ``dim`` in order, and their indices.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.topk(jnp.array([3, 1, 2]), 2)
    (Array([3, 2], dtype=int32), Array([0, 2], dtype=int32))
    """
    dim = wrap_dim(dim, self.ndim)
    if not 0 <= k <= (self.shape[dim] if self.ndim else 1):
        raise RuntimeError("selected index k out of range")
    values, indices = _sorted(self, dim, largest)
    if not self.ndim:
        return values, indices
    return lax.slice_in_dim(values, 0, k, axis=dim), lax.slice_in_dim(indices, 0, k, axis=dim)


def _ranked(name: str, self, rank, dim: int, keepdim: bool):
    """The element of the given rank along ``dim`` and its index."""
    dim = along(name, self, dim)
    if not self.ndim:
        return self, jnp.zeros((), types.index_dtype())
    position = jnp.take_along_axis(_order(self, dim, False), rank(self, dim), dim)
    return taken(self, position, dim, keepdim)


@op("kthvalue", grad_fn="KthvalueBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False):
    """The ``k``-th smallest elements along ``dim`` (from 1) and their indices.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.kthvalue(jnp.array([3, 1, 2]), 2)
    (Array(2, dtype=int32), Array(2, dtype=int32))
    """
    dim = along("kthvalue", self, dim)
    if not 1 <= k <= (self.shape[dim] if self.ndim else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension")
    return _ranked("kthvalue", self, lambda x, dim: jnp.full((1,) * x.ndim, k - 1), dim, keepdim)


def _middle(x, dim: int, skip_nan: bool):
    """The rank of the lower median along ``dim``: of the numbers, or of the first nan if any."""
    numbers = jnp.sum(x == x, dim, keepdims=True)
    middle = (numbers - 1) // 2
    if skip_nan:
        return jnp.maximum(middle, 0)
    return jnp.where(numbers < x.shape[dim], numbers, middle)


def _median(name: str, self, dim: int, keepdim: bool, skip_nan: bool):
    return _ranked(name, self, lambda x, dim: _middle(x, dim, skip_nan), dim, keepdim)


def _median_of_all(name: str, self, skip_nan: bool):
    """nan for no elements at all."""
    flat = self.reshape(-1)
    return (
        _median(name, flat, 0, False, skip_nan)[0]
        if flat.size
        else jnp.asarray(jnp.nan, self.dtype)
    )


@op("median", grad_fn="MedianBackward0", vjp=dict(self=_evenly))
def median_all(self):
    """The lower of the middle elements; nan if there is one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.median(jnp.array([3, 1, 2, 4]))
    Array(2, dtype=int32)
    """
    return _median_of_all("median", self, False)


@op("median.dim", grad_fn="MedianBackward1", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def median_dim(self, dim: int, keepdim: bool = False):
    """The lower of the middle elements along ``dim`` and their indices.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.median(jnp.array([3, 1, 2]), 0)
    (Array(2, dtype=int32), Array(2, dtype=int32))
    """
    return _median("median", self, dim, keepdim, False)


@op("nanmedian", grad_fn="NanmedianBackward0", vjp=dict(self=_evenly))
def nanmedian_all(self):
    """The lower of the middle elements that are not nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nanmedian(jnp.array([3.0, 1.0, jnp.nan]))
    Array(1., dtype=float32)
    """
    return _median_of_all("nanmedian", self, True)


@op("nanmedian.dim", grad_fn="NanmedianBackward1", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def nanmedian_dim(self, dim: int, keepdim: bool = False):
    """The lower of the middle elements along ``dim`` that are not nan, and their indices.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nanmedian(jnp.array([3.0, 1.0, jnp.nan]), 0)[0]
    Array(1., dtype=float32)
    """
    return _median("nanmedian", self, dim, keepdim, True)


median = overloads("median", median_all, median_dim)
nanmedian = overloads("nanmedian", nanmedian_all, nanmedian_dim)


@op("mode", grad_fn="ModeBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def mode(self, dim: int = -1, keepdim: bool = False):
    """The most frequent elements along ``dim``, the smallest on ties, and where they are last.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mode(jnp.array([2, 1, 2]))
    (Array(2, dtype=int32), Array(2, dtype=int32))
    """
    dim = along("mode", self, dim)
    if not self.ndim:
        return self, jnp.zeros((), types.index_dtype())
    order = _order(self, dim, False)
    values = jnp.take_along_axis(self, order, dim)
    count = jnp.sum(jnp.expand_dims(values, dim) == jnp.expand_dims(values, dim + 1), dim + 1)
    best = jnp.argmax(count, dim, keepdims=True)
    last = best + jnp.take_along_axis(count, best, dim) - 1
    return taken(self, jnp.take_along_axis(order, last, dim), dim, keepdim)
