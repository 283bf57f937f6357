"""Similarities and distances of vectors."""

from __future__ import annotations

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Scalar
from .arithmetic import div
from .choose import clamp_min
from .copying import to_dtype
from .norm import linalg_vector_norm
from .reduce import sum_dim
from .shape import broadcast_shape
from .view import expand
from .with_number import add_number, norm_over


@op("_clone_at_least", grad_fn="CloneBackward0", face="private", vjp=dict(self=lambda grad: grad))
def clone_at_least(self, min: Scalar):
    """A copy with ``min`` as lower bound; the gradient does not know of the bound.

    PyTorch writes this as a clone that is clamped in place while gradients are off.
    """
    return jnp.maximum(self, types.cast(min, self.dtype))


def stretched(x, shape):
    """``x`` expanded to ``shape``; ``x`` itself if it has that shape."""
    return x if tuple(x.shape) == tuple(shape) else expand(x, shape)


@composite(face="nn")
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along ``dim``; norms are at least ``eps``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cosine_similarity(jnp.array([[3.0, 4.0]]), jnp.array([[3.0, 4.0]])).round(4)
    Array([1.], dtype=float32)
    """
    common = types.promote_types(jnp.dtype(x1.dtype), jnp.dtype(x2.dtype))
    if not types.is_floating(common):
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common}"
        )
    shape = broadcast_shape(x1.shape, x2.shape)
    x1, x2 = (stretched(_as(x, common), shape) for x in (x1, x2))
    norms = [clone_at_least(linalg_vector_norm(x, 2, (dim,), True), eps) for x in (x1, x2)]
    return sum_dim(div(x1, norms[0]) * div(x2, norms[1]), (dim,))


def _as(x, dtype):
    return x if jnp.dtype(x.dtype) == dtype else to_dtype(x, dtype)


@composite(face="nn")
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The ``p``-norm of ``x1 - x2 + eps`` along the last dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pairwise_distance(jnp.array([[3.0, 4.0]]), jnp.zeros((1, 2))).round(4)
    Array([5.], dtype=float32)
    """
    difference = add_number(x1 - x2, eps)
    return norm_over(difference, float(p), (difference.ndim - 1,), keepdim)


@composite(face="nn")
def normalize(input, p=2.0, dim=1, eps=1e-12):
    """``input`` over its ``p``-norm along ``dim``, which is at least ``eps``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.normalize(jnp.array([[3.0, 4.0]]))
    Array([[0.6, 0.8]], dtype=float32)
    """
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    norm = clamp_min(linalg_vector_norm(input, p, dims, True), eps)
    return div(input, expand(norm, tuple(input.shape)))


for _function in (cosine_similarity, pairwise_distance):
    composite(_function.name, face="torch")(_function.fn)
