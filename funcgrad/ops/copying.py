"""Copies and conversions, and what fills an array."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .. import types
from ..composite import composite, overloads
from ..op import op
from ..signature import DType, Scalar
from ..signature import dtype as as_dtype
from ..unsupported import check_number
from .creation import zeros_like
from .reduce import sum_all
from .view import in_order, is_in_order


@op("clone", grad_fn="CloneBackward0", vjp=dict(self=lambda grad: grad))
def clone(self):
    """A copy with its own memory (arrays never change, so here it is ``self``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clone(jnp.ones(2))
    Array([1., 1.], dtype=float32)
    """
    return jnp.array(self)


def copied(x):
    """A copy of ``x`` whose elements lie in order in memory."""
    return clone(x) if is_in_order(x) else in_order(x)


@op("_to_copy", grad_fn="ToCopyBackward0", face="private", vjp=dict(self=lambda grad: grad))
def _to_copy(self, *, dtype: DType | None = None):
    """``self`` in another dtype; complex numbers lose their imaginary part."""
    return self if dtype is None else types.cast(self, dtype)


@composite(face="private")
def to_dtype(self, dtype):
    """``self`` if it has ``dtype`` already or None is given, else converted."""
    if dtype is None:
        return self
    wanted = types.canonical(as_dtype(dtype)) if isinstance(self, jax.Array) else as_dtype(dtype)
    return self if wanted == as_dtype(self.dtype) else _to_copy(self, dtype=dtype)


@op(
    "copy", grad_fn="CopyBackwards", face="private", inplace=True,
    vjp=dict(self=lambda grad: zeros_like(grad), src=lambda grad: grad),
)  # fmt: skip
def copy(self, src, non_blocking: bool = False):
    """``src`` in the shape and dtype of ``self``; ``copy_`` writes it there."""
    return types.cast(jnp.broadcast_to(src, self.shape), self.dtype)


@op("fill.Scalar", grad_fn="FillBackward0", inplace=True,
    vjp=dict(self=lambda grad: zeros_like(grad)))  # fmt: skip
def fill_scalar(self, value: Scalar):
    """``value`` in the shape and dtype of ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fill(jnp.ones(2), 3)
    Array([3., 3.], dtype=float32)
    """
    check_number(value, self.dtype)
    return jnp.broadcast_to(types.cast(value, self.dtype), self.shape)


@op(
    "fill.Tensor", grad_fn="FillBackward1", inplace=True,
    vjp=dict(self=lambda grad: zeros_like(grad), value=lambda grad: sum_all(grad)),
)  # fmt: skip
def fill_tensor(self, value):
    """The zero-dim ``value`` in the shape and dtype of ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fill(jnp.ones(2), jnp.array(3.0))
    Array([3., 3.], dtype=float32)
    """
    if value.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value.ndim} dimensions."
        )
    return jnp.broadcast_to(types.cast(value, self.dtype), self.shape)


fill = overloads("fill", fill_scalar, fill_tensor)


@op("zero", grad_fn="ZeroBackward0", face="private", inplace=True,
    vjp=dict(self=lambda grad: zeros_like(grad)))  # fmt: skip
def zero(self):
    """Zeros in the shape and dtype of ``self``; ``zero_`` writes them there."""
    return jnp.zeros_like(self)
