"""Sums, means and products over dimensions."""

from __future__ import annotations

import math

import jax.numpy as jnp

from .. import types
from ..composite import composite, overloads
from ..op import op
from ..signature import DType, Size
from .arithmetic import mul
from .dims import wrap_dims
from .view import expand, unsqueeze


def dims_of(dim, rank: int) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front; None and () mean all of them.

    A zero-dim array has none, although PyTorch lets it be reduced over 0 and -1.
    """
    if dim is None or dim == ():
        return tuple(range(rank))
    dims = wrap_dims((dim,) if isinstance(dim, int) else dim, rank)
    return dims if rank else ()


def restore(reduced, dim, keepdim: bool, rank: int):
    """``reduced`` with the dimensions that a reduction of rank ``rank`` removed, as ones."""
    if keepdim or rank == 0:
        return reduced
    for axis in sorted(dims_of(dim, rank)):
        reduced = unsqueeze(reduced, axis)
    return reduced


def summed_dtype(self, dtype):
    """Integers and bools are summed as int64."""
    if dtype is not None:
        return types.canonical(dtype)
    return self.dtype if types.is_differentiable(self.dtype) else types.index_dtype()


@op("sum", grad_fn="SumBackward0",
    vjp=dict(self=lambda grad, self_sym_sizes: expand(grad, self_sym_sizes)))  # fmt: skip
def sum_all(self, *, dtype: DType | None = None):
    """The sum of all elements; integers and bools are summed as int64.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sum(jnp.ones(3))
    Array(3., dtype=float32)
    """
    return jnp.sum(types.cast(self, summed_dtype(self, dtype)))


def _sum_self(grad, self_sym_sizes, dim, keepdim):
    if dim is not None and dim != ():
        grad = restore(grad, dim, keepdim, len(self_sym_sizes))
    return expand(grad, self_sym_sizes)


@op("sum.dim_IntList", grad_fn="SumBackward1", vjp=dict(self=_sum_self))
def sum_dim(self, dim: Size | None, keepdim: bool = False, *, dtype: DType | None = None):
    """The sum over some dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sum(jnp.ones((2, 3)), 0)
    Array([2., 2., 2.], dtype=float32)
    """
    return jnp.sum(
        types.cast(self, summed_dtype(self, dtype)), dims_of(dim, self.ndim), keepdims=keepdim
    )


sum = overloads("sum", sum_all, sum_dim)


def _averaged(self, dtype):
    if dtype is None and not types.is_differentiable(self.dtype):
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {self.dtype}"
        )
    return self if dtype is None else types.cast(self, dtype)


def _mean_self(grad, self_sym_sizes):
    return expand(grad, self_sym_sizes) / max(math.prod(self_sym_sizes), 1)


@op("mean", grad_fn="MeanBackward0", vjp=dict(self=_mean_self))
def mean_all(self, *, dtype: DType | None = None):
    """The mean of all elements. Raises RuntimeError for integers unless ``dtype`` is given.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mean(jnp.array([1.0, 2.0]))
    Array(1.5, dtype=float32)
    """
    return jnp.sum(self := _averaged(self, dtype)) / self.size


def mean_of(grad, shape, dim, keepdim):
    """The gradient of a mean of elements of ``shape`` over some dimensions (None: all)."""
    if dim is None:
        return _mean_self(grad, shape)
    count = math.prod(shape[i] for i in dims_of(dim, len(shape)))
    return _sum_self(grad, shape, dim, keepdim) / max(count, 1)


@op("mean.dim", grad_fn="MeanBackward1", vjp=dict(self=lambda grad, self_sym_sizes, dim, keepdim: (
    mean_of(grad, self_sym_sizes, dim, keepdim)
)))  # fmt: skip
def mean_dim(self, dim: Size | None, keepdim: bool = False, *, dtype: DType | None = None):
    """The mean over some dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mean(jnp.ones((2, 3)), 0)
    Array([1., 1., 1.], dtype=float32)
    """
    self = _averaged(self, dtype)
    where = dims_of(dim, self.ndim)
    count = math.prod(self.shape[i] for i in where)
    return jnp.sum(self, where, keepdims=keepdim) / count


mean = overloads("mean", mean_all, mean_dim)


def _nansum_self(grad, self, dim, keepdim):
    """0 at nan, but a gradient that is not finite times 0 is nan."""
    return mul(_sum_self(grad, self.shape, dim, keepdim), self == self)


@op("nansum", grad_fn="NansumBackward0", vjp=dict(self=_nansum_self))
def nansum(self, dim: Size | None = None, keepdim: bool = False, *, dtype: DType | None = None):
    """The sum over some dimensions (None: all), with nan as 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nansum(jnp.array([1.0, jnp.nan]))
    Array(1., dtype=float32)
    """
    if types.is_complex(self.dtype):
        raise RuntimeError("nansum does not support complex inputs")
    self = types.cast(self, summed_dtype(self, dtype))
    return jnp.sum(jnp.where(self != self, 0, self), dims_of(dim, self.ndim), keepdims=keepdim)


@composite()
def nanmean(self, dim=None, keepdim=False, *, dtype=None):
    """The mean over some dimensions (None: all), without the nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nanmean(jnp.array([1.0, jnp.nan]))
    Array(1., dtype=float32)
    """
    dim = tuple(range(self.ndim)) if dim is None else dim
    return nansum(self, dim, keepdim, dtype=dtype) / sum_dim(self == self, dim, keepdim)
