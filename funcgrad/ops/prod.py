"""The product of elements."""

from __future__ import annotations

import jax.numpy as jnp

from .. import types
from ..composite import overloads
from ..op import op
from ..signature import DType
from .creation import ones, zeros_like
from .dims import wrap_dim
from .join import cat
from .known import holds
from .rearrange import flip
from .reduce import dims_of, restore, summed_dtype
from .scan import cumprod
from .slicing import narrow
from .view import in_order, view_size


def _of_others(grad, x, dim: int):
    """Of every element the product of those before it and of those behind it, zeros or not."""
    if 0 in tuple(x.shape):
        return zeros_like(x)
    if x.shape[dim] == 1:
        return grad
    one = ones([1 if d == dim else n for d, n in enumerate(x.shape)], dtype=grad.dtype)
    before = cumprod(cat([one, narrow(x, dim, 0, x.shape[dim] - 1)], dim), dim)
    behind = flip(narrow(x, dim, 1, x.shape[dim] - 1), (dim,))
    behind = flip(cumprod(cat([one, behind], dim), dim), (dim,))
    return grad * (before * behind).conj()


def _prod_self(grad, self, result):
    """The product over each element, if it is known that none is zero."""
    if not self.ndim:
        return grad
    if holds((self != 0).all()):
        return grad * (result / self).conj()
    return view_size(_of_others(grad, view_size(in_order(self), (-1,)), 0), self.shape)


def _prod_dim_self(grad, self, result, dim, keepdim):
    if not self.ndim:
        return grad
    grad, result = (restore(x, dim, keepdim, self.ndim) for x in (grad, result))
    if holds((self != 0).all()):
        return grad * (result / self).conj()
    return _of_others(grad, self, wrap_dim(dim, self.ndim))


@op("prod", grad_fn="ProdBackward0",
    vjp=dict(self=_prod_self))  # fmt: skip
def prod_all(self, *, dtype: DType | None = None):
    """The product of all elements; integers and bools are multiplied as int64.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.prod(jnp.array([2.0, 3.0]))
    Array(6., dtype=float32)
    """
    return jnp.prod(types.cast(self, summed_dtype(self, dtype)))


@op("prod.dim_int", grad_fn="ProdBackward1",
    vjp=dict(self=_prod_dim_self))  # fmt: skip
def prod_dim(self, dim: int, keepdim: bool = False, *, dtype: DType | None = None):
    """The product over one dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.prod(jnp.array([[2.0, 3.0]]), 1)
    Array([6.], dtype=float32)
    """
    self = types.cast(self, summed_dtype(self, dtype))
    return jnp.prod(self, dims_of(dim, self.ndim), keepdims=keepdim)


prod = overloads("prod", prod_all, prod_dim)
