"""`gather` and `scatter`: an index tensor that says, for one dimension, where each element goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from ..composite import composite, overloads
from ..op import op
from ..signature import Scalar
from ..together import together
from .choose import masked_fill_scalar, where
from .compare import eq
from .creation import ones_like, zeros_like
from .dims import wrap_dim
from .index import (
    add_at,
    check_bounds,
    check_integer,
    index_add,
    index_fill_scalar,
    index_select,
    zeros_of,
)
from .shape import broadcast_shape
from .view import expand, reshape


def _checked(x, dim: int, index, name: str) -> int:
    check_integer(index, name)
    if max(x.ndim, 1) != max(index.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor: {name}() got "
            f"{index.ndim} and {x.ndim}"
        )
    dim = wrap_dim(dim, x.ndim)
    if x.ndim and index.ndim:
        check_bounds(index, x.shape[dim], dim)
        _check_sizes(x.shape, index.shape, dim)
    return dim


def _check_sizes(shape, index_shape, dim):
    too_large = [i for i, n in enumerate(index_shape) if i != dim and n > shape[i]]
    if too_large and 0 not in index_shape:
        raise RuntimeError(
            f"Size does not match at dimension {too_large[0]} expected index {list(index_shape)} "
            f"to be no larger than self {list(shape)} apart from dimension {dim}"
        )


def _key(index, dim: int):
    """The coordinates of every element of ``index``."""
    grid = [lax.broadcasted_iota(index.dtype, index.shape, i) for i in range(index.ndim)]
    grid[dim] = index
    return tuple(grid)


# -- gather ----------------------------------------------------------------------------------------


def _gather_self(grad, self, dim, index):
    return scatter_add(zeros_of(grad, self.shape), dim, index, grad)


@op("gather", grad_fn="GatherBackward0", vjp=dict(self=_gather_self))
def gather(self, dim: int, index, *, sparse_grad: bool = False):
    """``self[i][index[i][j]]`` for every place of ``index`` (along ``dim = 1``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.gather(jnp.arange(4).reshape(2, 2), 1, jnp.array([[1], [0]]))
    Array([[1],
           [2]], dtype=int32)
    """
    dim = _checked(self, dim, index, "gather")
    shape, index_1d = index.shape, jnp.atleast_1d(index)
    x = jnp.atleast_1d(self)
    sizes = [slice(None if i == dim else n) for i, n in enumerate(index_1d.shape)]
    chosen = jnp.take_along_axis(x[tuple(sizes)], index_1d, dim, mode="fill")
    return lax.reshape(chosen, shape)


@composite()
def take_along_dim(input, indices, dim=None):
    """`gather` whose other dimensions broadcast; without ``dim``, of the tensor as a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.take_along_dim(jnp.arange(4), jnp.array([3, 0]))
    Array([3, 0], dtype=int32)
    """
    if dim is None:
        return gather(reshape(input, (-1,)), 0, reshape(indices, (-1,)))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = wrap_dim(dim, input.ndim)
    sizes = list(input.shape)
    sizes[dim] = 1
    shape = list(broadcast_shape(sizes, [*indices.shape[:dim], 1, *indices.shape[dim + 1 :]]))
    shape[dim] = input.shape[dim]
    wide = expand(input, shape)
    shape[dim] = indices.shape[dim]
    return gather(wide, dim, expand(indices, shape))


# -- scatter ---------------------------------------------------------------------------------------


def _target(self, dim, index, src, name):
    """``self.at[...]`` for the places of ``index`` and the part of ``src`` that goes there."""
    dim = _checked(self, dim, index, name)
    if src is not None:
        _check_source(self, index, src, name)
        src = src[tuple(slice(n) for n in index.shape)] if index.ndim else src
        src = jnp.atleast_1d(src)
    return jnp.atleast_1d(self).at[_key(jnp.atleast_1d(index), dim)], src


def _check_source(x, index, src, name):
    if x.dtype != src.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, got {x.dtype} and {src.dtype}"
        )
    if max(src.ndim, 1) != max(index.ndim, 1):
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as src tensor: "
            f"{name}() got {index.ndim} and {src.ndim}"
        )
    if index.ndim and src.ndim and any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)}"
        )


@op(
    "scatter.src", grad_fn="ScatterBackward0", inplace=True,
    vjp=dict(
        self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
        src=lambda grad, dim, index: gather(grad, dim, index),
    ),
)  # fmt: skip
def scatter_src(self, dim: int, index, src):
    """The elements of ``src`` written at ``index``; where several go to one place, one of them.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.scatter(jnp.zeros(3), 0, jnp.array([2, 0]), jnp.array([1.0, 2.0]))
    Array([2., 0., 1.], dtype=float32)
    """
    target, src = _target(self, dim, index, src, "scatter")
    return lax.reshape(target.set(src), self.shape)


@op("scatter.value", grad_fn="ScatterBackward1", inplace=True,
    vjp=dict(self=lambda grad, dim, index: scatter_value(grad, dim, index, 0)))  # fmt: skip
def scatter_value(self, dim: int, index, value: Scalar):
    """One number written at all places of ``index``."""
    blank = jnp.zeros(self.shape, bool)
    hit = lax.reshape(_target(blank, dim, index, None, "scatter")[0].set(True), self.shape)
    return jnp.where(hit, jnp.asarray(value).astype(self.dtype), self)


@op("scatter.reduce", inplace=True)
def scatter_src_reduce(self, dim: int, index, src, *, reduce: str):
    """The elements of ``src`` added to, or multiplied into, those at ``index``."""
    target, src = _target(self, dim, index, src, "scatter")
    return lax.reshape(_reduced(target, src, reduce), self.shape)


@op("scatter.value_reduce", inplace=True)
def scatter_value_reduce(self, dim: int, index, value: Scalar, *, reduce: str):
    """One number added to, or multiplied into, the elements at ``index``."""
    target, _ = _target(self, dim, index, None, "scatter")
    value = jnp.broadcast_to(jnp.asarray(value).astype(self.dtype), jnp.atleast_1d(index).shape)
    return lax.reshape(_reduced(target, value, reduce), self.shape)


def _reduced(target, src, reduce: str):
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce}")
    return add_at(target, src) if reduce == "add" else _multiply_at(target, src)


def _multiply_at(target, src):
    """``target.multiply(src)``; the product of booleans is their and."""
    return target.min(src) if src.dtype == jnp.bool_ else target.multiply(src)


scatter = overloads("scatter", scatter_src, scatter_value, scatter_src_reduce, scatter_value_reduce)


@op(
    "scatter_add", grad_fn="ScatterAddBackward0", inplace=True,
    vjp=dict(
        self=lambda grad: grad,
        src=lambda grad, dim, index: gather(grad, dim, index),
    ),
)  # fmt: skip
def scatter_add(self, dim: int, index, src):
    """The elements of ``src`` added to those at ``index``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.scatter_add(jnp.zeros(2), 0, jnp.array([1, 1]), jnp.ones(2))
    Array([0., 2.], dtype=float32)
    """
    target, src = _target(self, dim, index, src, "scatter_add")
    return lax.reshape(add_at(target, src), self.shape)


# -- reductions ------------------------------------------------------------------------------------


class _Places(NamedTuple):
    """How what lies at the places of a reduction is taken, added to, filled and reduced."""

    take: Callable
    add: Callable
    fill: Callable
    reduce: Callable


def _scatter_places(dim, index) -> _Places:
    return _Places(
        lambda x: gather(x, dim, index),
        lambda x, src: scatter_add(x, dim, index, src),
        lambda x: scatter_value(x, dim, index, 0),
        lambda x, src, **options: scatter_reduce(x, dim, index, src, "prod", **options),
    )


def _vector_places(dim, index) -> _Places:
    return _Places(
        lambda x: index_select(x, dim, index),
        lambda x, src: index_add(x, dim, index, src),
        lambda x: index_fill_scalar(x, dim, index, 0),
        lambda x, src, **options: index_reduce(x, dim, index, src, "prod", **options),
    )


def _reduce_grads(at: _Places, grad, self, src, reduce, include_self, result):
    """The gradients of ``self`` and ``src``; the formulas of ATen's `scatter_reduce_backward`.

    For amax and amin all elements that are equal to the result share its gradient equally.
    """
    if reduce == "sum":
        grads = grad, at.take(grad)
    elif reduce == "mean":
        counts = ones_like(grad) if include_self else zeros_like(grad)
        counts = at.add(counts, ones_like(src))
        counts = masked_fill_scalar(counts, eq(counts, 0), 1)
        grads = grad / counts, at.take(grad) / at.take(counts)
    elif reduce == "prod":
        grads = _prod_grads(at, grad, self, src, include_self, result)
    else:
        self_hits = where(eq(self, result), ones_like(self), zeros_like(self))
        src_hits = where(eq(src, at.take(result)), ones_like(src), zeros_like(src))
        shared = grad / at.add(self_hits, src_hits)
        grads = self_hits * shared, src_hits * at.take(shared)
    if include_self:
        return grads
    return at.fill(grads[0]), grads[1]


def _prod_grads(at: _Places, grad, self, src, include_self, result):
    """Division by the element, or, where it is the only zero, the product of all others."""
    safe_self = masked_fill_scalar(self, eq(self, 0), 1)
    of_others = at.reduce(safe_self, src, include_self=include_self)
    grad_self = grad * of_others / safe_self
    zero = eq(src, 0)
    marks = where(zero, ones_like(src), zeros_like(src))
    zeros = at.take(at.add(zeros_like(self), marks))
    only = zero & eq(zeros, 1)
    others = at.reduce(self, masked_fill_scalar(src, only, 1), include_self=include_self)
    divided = at.take(grad * result) / masked_fill_scalar(src, zero, 1)
    return grad_self, where(only, at.take(grad * others), divided)


def _scatter_reduce_grads(mask, grad, self, dim, index, src, reduce, include_self, result):
    at = _scatter_places(dim, index)
    return _reduce_grads(at, grad, self, src, reduce, include_self, result)


@op("scatter_reduce.two", grad_fn="ScatterReduceBackward0", inplace=True,
    vjp=together(_scatter_reduce_grads, "self", "src"))  # fmt: skip
def scatter_reduce(self, dim: int, index, src, reduce: str, *, include_self: bool = True):
    """All elements that go to one place reduced: ``sum``, ``prod``, ``mean``, ``amax``, ``amin``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.scatter_reduce(jnp.ones(2), 0, jnp.array([1, 1]), 2 * jnp.ones(2), "prod")
    Array([1., 4.], dtype=float32)
    """
    target, src = _target(self, dim, index, src, "scatter_reduce")
    return lax.reshape(reduce_at(target, src, reduce, include_self), self.shape)


def reduce_at(target, src, reduce: str, include_self: bool):
    """``target.<reduction>(src)``; without self, from the neutral element of the reduction."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    x, where_ = target.array, target.index
    if not include_self:
        target = target.set(jnp.asarray(_neutral(reduce, x.dtype), x.dtype)).at[where_]
    if reduce == "amax":
        return target.max(src)
    if reduce == "amin":
        return target.min(src)
    if reduce == "prod":
        return _multiply_at(target, src)
    total = add_at(target, src)
    if reduce == "sum" or x.dtype == jnp.bool_:
        return total
    counts = jnp.full(x.shape, int(include_self), x.dtype).at[where_].add(1)
    counts = jnp.where(counts == 0, 1, counts)
    return total // counts if jnp.issubdtype(x.dtype, jnp.integer) else total / counts


def _neutral(reduce: str, dtype):
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype == jnp.bool_:
        return reduce == "amin"
    if jnp.issubdtype(dtype, jnp.inexact):
        return -jnp.inf if reduce == "amax" else jnp.inf
    limits = jnp.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


def _index_places(dim, index, source):
    """A place for each element of ``source``, whose slices along ``dim`` go to ``index``."""
    dim = wrap_dim(dim, max(source.ndim, 1))
    places = reshape(index, [-1 if d == dim else 1 for d in range(max(source.ndim, 1))])
    return expand(places, source.shape) if source.ndim else reshape(index, ())


def _index_reduce_grads(mask, grad, self, dim, index, source, reduce, include_self, result):
    at = _vector_places(dim, index)
    return _reduce_grads(at, grad, self, source, reduce, include_self, result)


@op(
    "index_reduce", grad_fn="IndexReduceBackward0", inplace=True,
    vjp=together(_index_reduce_grads, "self", "source"),
)  # fmt: skip
def index_reduce(self, dim: int, index, source, reduce: str, *, include_self: bool = True):
    """`scatter_reduce` of whole slices: ``prod``, ``mean``, ``amax``, ``amin``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_reduce(jnp.ones(2), 0, jnp.array([1, 1]), 2 * jnp.ones(2), "prod")
    Array([1., 4.], dtype=float32)
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}"
        )
    if index.ndim > 1:
        raise IndexError(
            f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.ndim}"
        )
    places = _index_places(dim, index, source)
    target, source = _target(self, dim, places, source, "index_reduce")
    return lax.reshape(reduce_at(target, source, reduce, include_self), self.shape)
