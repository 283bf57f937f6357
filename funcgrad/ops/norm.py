"""Vector norms."""

from __future__ import annotations

import math

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType, Size
from .choose import masked_fill_scalar
from .complexes import abs, sgn
from .copying import to_dtype
from .decompose import svdvals
from .dims import wrap_dims
from .powers import pow_tensor_scalar as power
from .reduce import dims_of, restore, sum_dim
from .view import permute, unsqueeze


class Order:
    """The order of a norm: a number that is part of the program."""


def _norm_self(grad, self, ord, dim, keepdim, result):
    """At 0 the gradient is 0; a maximum norm shares its gradient among ties."""
    whole = keepdim or dim is None
    grad, norm = (restore(x, dim, whole, self.ndim) for x in (grad, result))
    if ord == 0:
        return grad * 0.0 * self
    if ord == 1:
        return sgn(self) * grad
    if ord == 2:
        return grad * masked_fill_scalar(self / norm, norm == 0, 0)
    size = abs(self)
    if math.isinf(ord):
        top = (size == norm) | ((size != size) & (norm != norm))
        return sgn(self) * ((grad / sum_dim(top, dims_of(dim, self.ndim), True)) * top)
    if ord < 1:
        slope = sgn(self) * masked_fill_scalar(power(size, ord - 1), self == 0, 0)
        return slope * grad * power(norm, 1 - ord)
    slope = sgn(self) * power(size, ord - 1) if ord < 2 else self * power(size, ord - 2)
    return slope * masked_fill_scalar(grad / power(norm, ord - 1), norm == 0, 0)


@op("linalg_vector_norm", grad_fn="LinalgVectorNormBackward0", face="private",
    vjp=dict(self=_norm_self))  # fmt: skip
def linalg_vector_norm(
    self, ord: Order = 2, dim: Size | None = None, keepdim: bool = False, *,
    dtype: DType | None = None,
):  # fmt: skip
    """The norm of the given order over some dimensions; 0 counts, inf and -inf take extrema."""
    if not types.is_differentiable(self.dtype):
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. "
            f"Got {self.dtype}"
        )
    size = jnp.abs(self if dtype is None else types.cast(self, dtype))
    dims = dims_of(dim, self.ndim)
    if ord == 0:
        return jnp.sum(size != 0, dims, keepdims=keepdim).astype(size.dtype)
    if ord == 1:
        return jnp.sum(size, dims, keepdims=keepdim)
    if ord == 2:
        return jnp.sqrt(jnp.sum(size * size, dims, keepdims=keepdim))
    if math.isinf(ord):
        if ord < 0 or not size.size:
            return jnp.min(size, dims, keepdims=keepdim)
        return jnp.max(size, dims, keepdims=keepdim)
    return jnp.power(jnp.sum(jnp.power(size, ord), dims, keepdims=keepdim), 1 / ord)


@composite("vector_norm", face="linalg")
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The norm of the vectors along ``dim`` (None: all elements).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ops.norm.vector_norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    return linalg_vector_norm(x, ord, dim, keepdim, dtype=dtype)


@composite()
def norm(self, p="fro", dim=None, keepdim=False, dtype=None):
    """The norm of order ``p`` over ``dim`` (None: all); ``"fro"`` is 2.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    if p == "nuc":
        return _nuclear(self, dim, keepdim, dtype)
    return linalg_vector_norm(self, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def _nuclear(x, dim, keepdim: bool, dtype):
    """The sum of the singular values of the matrices along two dimensions."""
    rows, columns = wrap_dims((0, 1) if dim is None else dim, x.ndim)
    others = [d for d in range(x.ndim) if d not in (rows, columns)]
    order = [*others, rows, columns]
    found = sum_dim(svdvals(permute(to_dtype(x, dtype), order)), (-1,), keepdim)
    if not keepdim:
        return found
    return permute(unsqueeze(found, -1), tuple(map(order.index, range(x.ndim))))
