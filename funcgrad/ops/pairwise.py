"""Distances between rows: each of one matrix to each of another, or to the other rows of its own.

Where a distance is 0 its gradient is 0. With ``p = inf`` every coordinate of the greatest size gets
the whole gradient, as in PyTorch's kernels (a norm shares it among ties).
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from ..composite import composite
from ..op import op
from .arithmetic import div
from .choose import where
from .compare import eq
from .complexes import is_floating_point
from .copying import clone
from .matmul import matmul
from .norm import Order, _norm_self, linalg_vector_norm
from .not_implemented import not_implemented
from .reduce import sum_dim
from .shape import broadcast_shape, mT
from .view import expand, in_order, transpose, view


def _slope(difference, distance, p):
    """The derivative of the ``p``-norm of ``difference`` along the last dimension."""
    distance, size = distance[..., None], jnp.abs(difference)
    if p == 0:
        return jnp.zeros_like(difference)
    if p == 1:
        return jnp.sign(difference)
    if math.isinf(p):
        return jnp.where(size == distance, jnp.sign(difference), 0)
    zero = (distance == 0) | ((difference == 0) & (p < 1))
    size, distance = (jnp.where(zero, 1, x) for x in (size, distance))
    return jnp.where(zero, 0, jnp.sign(difference) * (size / distance) ** (p - 1))


def _length(difference, p):
    """The ``p``-norm along the last dimension; 0 counts, a nan gives a nan."""
    if p == 0:
        return jnp.sum(jnp.minimum(jnp.ceil(jnp.abs(difference)), 1), -1)
    return linalg_vector_norm.fn(difference, p, (-1,))


def _check(name, p, *given):
    for x in given:
        if not is_floating_point(x):
            raise RuntimeError(f"{name} only supports floating-point dtypes, got: {x.dtype}")
    if not p >= 0:
        raise RuntimeError(f"{name} only supports non-negative p values, got: {p}")


def _turned(x):
    return clone(transpose(x, -2, -1))


def _between(x1, x2):
    return x1[..., :, None, :] - x2[..., None, :, :]


@op(
    "_cdist_gradient", grad_fn="CdistBackwardBackward0", face="private",
    vjp={n: not_implemented("_cdist_backward") for n in ("grad_output", "x1", "x2", "cdist")},
)  # fmt: skip
def _cdist_backward(grad_output, x1, x2, p: Order, cdist):
    """The gradient of `cdist` with respect to ``x1``."""
    return jnp.sum(grad_output[..., None] * _slope(_between(x1, x2), cdist, p), -2)


@op(
    "_cdist_forward", grad_fn="CdistBackward0", face="private",
    vjp=dict(
        x1=lambda grad, x1, x2, p, result: _cdist_backward(grad, x1, x2, p, result),
        x2=lambda grad, x1, x2, p, result: (
            _cdist_backward(_turned(grad), x2, x1, p, _turned(result))),
    ),
)  # fmt: skip
def _cdist_forward(x1, x2, p: Order, compute_mode: int | None = None):
    """The distances between the rows of ``x1`` and ``x2``."""
    return _length(_between(x1, x2), p)


def _euclidean_first(grad, x1, x2, result):
    ratio = where(eq(result, 0), 0.0, div(grad, result))
    return x1 * sum_dim(ratio, (-1,), True) - matmul(ratio, x2)


@op(
    "_euclidean_dist", grad_fn="EuclideanDistBackward0", face="private",
    vjp=dict(
        x1=_euclidean_first,
        x2=lambda grad, x1, x2, result: _euclidean_first(mT(grad), x2, x1, mT(result)),
    ),
)  # fmt: skip
def _euclidean_dist(x1, x2):
    """The Euclidean distances by one matrix product; slightly off where they are small."""
    squares = [jnp.sum(x * x, -1, keepdims=True) for x in (x1, x2)]
    ones = [jnp.ones_like(s) for s in squares]
    first = jnp.concatenate([-2 * x1, squares[0], ones[0]], -1)
    second = jnp.concatenate([x2, ones[1], squares[1]], -1)
    return jnp.sqrt(jnp.maximum(jnp.matmul(first, jnp.swapaxes(second, -1, -2)), 0))


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
          "donot_use_mm_for_euclid_dist")  # fmt: skip
_MANY = 25
"""Up to so many rows the differences are computed, one by one."""


def _by_product(x1, x2, mode: str) -> bool:
    many = x1.shape[-2] > _MANY or x2.shape[-2] > _MANY
    return mode == _MODES[1] or mode == _MODES[0] and many


def _one_batch(x, batch):
    """``x`` expanded to ``batch``, whose dimensions become one."""
    if x.ndim == 2 and not batch:
        return x
    wide = in_order(expand(x, (*batch, *x.shape[-2:])))
    return view(wide, (math.prod(batch), *x.shape[-2:]))


@composite(face="torch")
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The distances of order ``p`` between all rows of ``x1`` and all of ``x2``.

    ``compute_mode``: whether Euclidean distances are found by a matrix product: if there are more
    than 25 rows, always (``"use_mm_for_euclid_dist"``) or never
    (``"donot_use_mm_for_euclid_dist"``). Only then is there a second derivative.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cdist(jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]]))
    Array([[5.]], dtype=float32)
    """
    if x1.ndim < 2 or x2.ndim < 2:
        raise RuntimeError("cdist only supports at least 2D tensors, X1 and X2 got fewer")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    _check("cdist", p, x1, x2)
    if x1.dtype != x2.dtype:
        raise RuntimeError(f"cdist expected scalar type {x1.dtype} but found {x2.dtype}")
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode: {_MODES}")
    if p == 2 and _by_product(x1, x2, compute_mode):
        batch = broadcast_shape(x1.shape[:-2], x2.shape[:-2])
        shape = (*batch, x1.shape[-2], x2.shape[-2])
        found = _euclidean_dist(_one_batch(x1, batch), _one_batch(x2, batch))
        return view(found, shape)
    return _cdist_forward(x1, x2, float(p))


@op(
    "_pdist_gradient", grad_fn="PdistBackwardBackward0", face="private",
    vjp={n: not_implemented("_pdist_backward") for n in ("grad_output", "self", "pdist")},
)  # fmt: skip
def _pdist_backward(grad_output, self, p: Order, pdist):
    """The gradient of `pdist`."""
    first, second = np.triu_indices(self.shape[0], 1)
    part = grad_output[:, None] * _slope(self[first] - self[second], pdist, p)
    return jnp.zeros_like(self).at[first].add(part).at[second].add(-part)


@op(
    "_pdist_forward", grad_fn="PdistBackward0", face="private",
    vjp=dict(self=lambda grad, self, p, result: _pdist_backward(grad, self, p, result)),
)  # fmt: skip
def _pdist_forward(self, p: Order = 2):
    """The distances between the rows of ``self``."""
    first, second = np.triu_indices(self.shape[0], 1)
    return _length(self[first] - self[second], p)


@composite(face="torch")
def pdist(input, p=2.0):
    """The distances of order ``p`` between all pairs of different rows.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pdist(jnp.array([[0.0, 0.0], [3.0, 4.0]]))
    Array([5.], dtype=float32)
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    _check("pdist", p, input)
    return _pdist_forward(input, float(p))


@op(
    "dist", grad_fn="DistBackward0",
    vjp=dict(
        self=lambda grad, self, other, p, result: (
            _norm_self(grad, self - other, p, None, False, result)),
        other=lambda grad, self, other, p, result: (
            -_norm_self(grad, self - other, p, None, False, result)),
    ),
)  # fmt: skip
def dist(self, other, p: Order = 2):
    """The norm of ``self - other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dist(jnp.zeros(2), jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    return linalg_vector_norm.fn(self - other, p)
