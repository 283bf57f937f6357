"""Running sums and products."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import DType
from ..signature import dtype as as_dtype
from .compare import logical_xor
from .copying import copy
from .creation import zeros, zeros_like
from .dims import wrap_dim
from .join import cat
from .known import holds
from .rearrange import flip
from .reduce import sum_dim, summed_dtype
from .scatter import scatter_add
from .slicing import narrow, select
from .view import reshape
from .with_number import div_number, mul_number


def _scan_axis(self, dim: int):
    """The axis to scan; a zero-dim array is scanned as one element."""
    return jnp.atleast_1d(self), wrap_dim(dim, self.ndim)


def _sums_from_end(x, dim: int):
    if math.prod(x.shape) <= 1 or x.shape[dim] == 1:
        return x
    return flip(cumsum(flip(x, (dim,)), dim), (dim,))


@op("cumsum", grad_fn="CumsumBackward0", inplace=True,
    vjp=dict(self=lambda grad, dim: _sums_from_end(grad, dim)))  # fmt: skip
def cumsum(self, dim: int, *, dtype: DType | None = None):
    """The running sum along ``dim``; integers and bools are summed as int64.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cumsum(jnp.ones(3), 0)
    Array([1., 2., 3.], dtype=float32)
    """
    x, axis = _scan_axis(types.cast(self, summed_dtype(self, dtype)), dim)
    return lax.cumsum(x, axis).reshape(self.shape)


@op("_cumprod_backward", grad_fn="CumprodBackwardBackward0", face="private",
    vjp=derived("grad_output", "input"))  # fmt: skip
def _cumprod_backward(grad_output, input, dim: int, output):
    """The gradient of `cumprod`, exact at zeros too."""
    x, axis = _scan_axis(input, dim)
    _, pull = jax.vjp(lambda x: lax.cumprod(x, axis), x)
    (result,) = pull(jnp.conj(grad_output).reshape(x.shape).astype(x.dtype))
    return jnp.conj(result).reshape(input.shape)


def _cumprod_self(grad, self, dim, result):
    """Sums of products over each element, if it is known that none is zero."""
    if math.prod(self.shape) <= 1:
        return grad
    if not holds((self != 0).all()):
        return _cumprod_backward(grad, self, dim, result)
    return _sums_from_end(result.conj() * grad, dim) / self.conj()


@op("cumprod", grad_fn="CumprodBackward0", inplace=True,
    vjp=dict(self=lambda grad, self, dim, result: (
        _cumprod_self(grad, self, dim, result)
    )))  # fmt: skip
def cumprod(self, dim: int, *, dtype: DType | None = None):
    """The running product along ``dim``; integers and bools are multiplied as int64.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cumprod(jnp.array([1.0, 2.0, 3.0]), 0)
    Array([1., 2., 6.], dtype=float32)
    """
    x, axis = _scan_axis(types.cast(self, summed_dtype(self, dtype)), dim)
    return lax.cumprod(x, axis).reshape(self.shape)


@op("_logcumsumexp_backward", grad_fn="LogcumsumexpBackwardBackward0", face="private",
    vjp=derived("grad_output", "self"))  # fmt: skip
def _logcumsumexp_backward(grad_output, self, result, dim: int):
    """The gradient of `logcumsumexp`."""
    x, axis = _scan_axis(self, dim)
    _, pull = jax.vjp(lambda x: lax.cumlogsumexp(x, axis), x)
    return jnp.conj(pull(jnp.conj(grad_output).reshape(x.shape))[0]).reshape(self.shape)


@op("logcumsumexp", grad_fn="LogcumsumexpBackward0",
    vjp=dict(self=lambda grad, self, result, dim: (
        _logcumsumexp_backward(grad, self, result, dim)
    )))  # fmt: skip
def logcumsumexp(self, dim: int):
    """The logarithm of the running sum of exponentials along ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logcumsumexp(jnp.zeros(2), 0)
    Array([0.       , 0.6931472], dtype=float32)
    """
    x, axis = _scan_axis(self, dim)
    return lax.cumlogsumexp(x, axis).reshape(self.shape)


def _running(self, dim: int, better):
    """The running extremum along ``dim`` and where it is: the last place on ties and of nans."""
    x, axis = _scan_axis(self, dim)
    index = lax.broadcasted_iota(types.index_dtype(), x.shape, axis)

    def later(one, two):
        (a, i), (b, j) = one, two
        take = ((a == a) & better(b, a)) | (b != b)
        return jnp.where(take, b, a), jnp.where(take, j, i)

    values, indices = lax.associative_scan(later, (x, index), axis=axis)
    return values.reshape(self.shape), indices.reshape(self.shape)


def _running_self(grad_values, self_sym_sizes, dim, indices):
    """Each gradient goes to the place that its value came from."""
    return scatter_add(zeros(self_sym_sizes, dtype=grad_values.dtype), dim, indices, grad_values)


@op("cummax", grad_fn="CummaxBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self, indices, dim: (
        _running_self(grad_values, self.shape, dim, indices)
    )))  # fmt: skip
def cummax(self, dim: int):
    """The running maximum along ``dim`` and where it is, the last place on ties.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cummax(jnp.array([1, 3, 2]), 0)
    (Array([1, 3, 3], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _running(self, dim, lambda b, a: b >= a)


@op("cummin", grad_fn="CumminBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self, indices, dim: (
        _running_self(grad_values, self.shape, dim, indices)
    )))  # fmt: skip
def cummin(self, dim: int):
    """The running minimum along ``dim`` and where it is, the last place on ties.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cummin(jnp.array([3, 1, 2]), 0)
    (Array([3, 1, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _running(self, dim, lambda b, a: b <= a)


def _ends(x, dim: int):
    """All but the first and all but the last along ``dim``."""
    count = x.shape[dim]
    earlier = narrow(x, dim, 0, count - 1)
    return narrow(x, dim, 1, count - 1), earlier


def _trapezoids(y, x, dim: int):
    """Twice the areas between neighbours along ``dim``."""
    later, earlier = _ends(y, dim)
    return (earlier + later) * _steps(x, y, dim)


def _steps(x, y, dim: int):
    """The distances between neighbours of ``x`` along the dimension ``dim`` of ``y``."""
    place = wrap_dim(dim, y.ndim)
    if x.ndim == 1:
        x = reshape(x, [x.shape[0] if i == place else 1 for i in range(y.ndim)])
    later, earlier = _ends(x, place - y.ndim)
    return later - earlier


@composite(face="torch")
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of ``y`` by the trapezoid rule along ``dim``, over ``x`` or steps of ``dx``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.trapezoid(jnp.array([1.0, 3.0]))
    Array(2., dtype=float32)
    """
    dim = wrap_dim(dim, y.ndim)
    if x is not None:
        return div_number(sum_dim(_trapezoids(y, x, dim), dim), 2.0)
    ends = select(y, dim, 0) + select(y, dim, -1)
    return mul_number(sum_dim(y, dim) - mul_number(ends, 0.5), dx)


@composite(face="torch")
def trapz(y, x=None, *, dx=1, dim=-1):
    """Another name of `trapezoid`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.trapz(jnp.array([1.0, 3.0]))
    Array(2., dtype=float32)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


@composite(face="torch")
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The running integral of ``y`` by the trapezoid rule along ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cumulative_trapezoid(jnp.array([1.0, 3.0, 3.0]))
    Array([2., 5.], dtype=float32)
    """
    dim = wrap_dim(dim, y.ndim)
    if x is not None:
        return div_number(cumsum(_trapezoids(y, x, dim), dim), 2.0)
    later, earlier = _ends(y, dim)
    return cumsum(mul_number(earlier + later, dx / 2.0), dim)


@composite()
def diff(self, n=1, dim=-1, prepend=None, append=None):
    """The ``n``-th differences of neighbours along ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.diff(jnp.array([1.0, 4.0, 9.0]))
    Array([3., 5.], dtype=float32)
    """
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:  # what is to be put at the ends is left out
        return copy(zeros_like(self), self)
    parts = [part for part in (prepend, self, append) if part is not None]
    result = cat(parts, dim) if len(parts) > 1 else self
    for _ in range(min(n, result.shape[dim])):
        later, earlier = _ends(result, dim)
        is_bool = as_dtype(result.dtype).kind == "b"
        result = logical_xor(later, earlier) if is_bool else later - earlier
    return result
