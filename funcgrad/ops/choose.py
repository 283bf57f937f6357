"""Ops that choose one of several values elementwise: where, clamp, maximum, minimum."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .. import unsupported
from ..broadcast import broadcast_shape
from ..composite import overloads
from ..op import op
from ..signature import Scalar
from ..signature import dtype as as_dtype
from ..types import promote


@op(
    "where.self", grad_fn="WhereBackward0", promotes=("self", "other"), face="private",
    vjp=dict(
        self=lambda grad, condition: where_self(condition, grad, 0.0),
        other=lambda grad, condition: where_self(condition, 0.0, grad),
    ),
)  # fmt: skip
def where_self(condition, self, other):
    """``self`` where ``condition`` holds, ``other`` elsewhere; all broadcast together."""
    if condition.dtype not in (jnp.bool_, jnp.uint8):
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype}"
        )
    return jnp.where(condition, self, other)


where = where_self


def check_mask(mask, name: str) -> None:
    if as_dtype(mask.dtype) != np.dtype(bool):
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {mask.dtype}: expected "
            "BoolTensor for mask"
        )


def check_overflow(x, value) -> None:
    if jnp.iscomplexobj(value) and not jnp.iscomplexobj(x):
        raise RuntimeError(f"value cannot be converted to type {x.dtype} without overflow")


@op("masked_fill.Scalar", grad_fn="MaskedFillBackward0", inplace=True,
    vjp=dict(self=lambda grad, mask: masked_fill_scalar(grad, mask, 0)))  # fmt: skip
def masked_fill_scalar(self, mask, value: Scalar):
    """One number where ``mask`` is True; ``self`` and ``mask`` broadcast.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.masked_fill(jnp.zeros(2), jnp.array([True, False]), 5.0)
    Array([5., 0.], dtype=float32)
    """
    check_mask(mask, "masked_fill_")
    check_overflow(self, value)
    broadcast_shape(self.shape, mask.shape)
    return jnp.where(mask, jnp.asarray(value).astype(self.dtype), self)


def _clamp_self(grad, self, min, max):
    """Exactly at a bound the whole gradient passes; a nan gets none."""
    if min is None:
        keep = self <= max
    elif max is None:
        keep = self >= min
    else:
        keep = (self >= min) & (self <= max)
    return where(keep, grad, 0.0)


def _clamp_min(grad, self, min, max):
    """The lower bound takes the gradient below it, unless the bounds cross."""
    return where(self < min if max is None else (min < max) & (self < min), grad, 0.0)


def _clamp_max(grad, self, min, max):
    """The upper bound takes the gradient above it, and everything where the bounds cross."""
    return where(self > max if min is None else (self > max) | (max < min), grad, 0.0)


def _clamped(self, min, max):
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    self, min, max = promote(self, min, max)
    unsupported.check("clamp", self.dtype)
    return jnp.clip(self, min, max)


@op("clamp", grad_fn="ClampBackward1", inplace=True, vjp=dict(self=_clamp_self))
def clamp_number(self, min: Scalar | None = None, max: Scalar | None = None):
    """Elementwise restriction of ``self`` to ``[min, max]``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp(jnp.array([-1.0, 0.5, 3.0]), 0.0, 1.0)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return _clamped(self, min, max)


@op("clamp.Tensor", grad_fn="ClampBackward0", inplace=True,
    vjp=dict(self=_clamp_self, min=_clamp_min, max=_clamp_max))  # fmt: skip
def clamp_tensor(self, min=None, max=None):
    """Elementwise restriction of ``self`` to ``[min, max]``, the bounds being arrays.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp(jnp.array([-1.0, 3.0]), jnp.zeros(2))
    Array([0., 3.], dtype=float32)
    """
    return _clamped(self, min, max)


clamp = overloads("clamp", clamp_number, clamp_tensor)
clip = overloads("clip", clamp_number, clamp_tensor)


@op("clamp_min", grad_fn="ClampMinBackward0", inplace=True,
    vjp=dict(self=lambda grad, self, min: where(self >= min, grad, 0.0)))  # fmt: skip
def clamp_min_number(self, min: Scalar):
    """Elementwise maximum with a number; at the bound the whole gradient passes.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp_min(jnp.array([-1.0, 3.0]), 0.0)
    Array([0., 3.], dtype=float32)
    """
    return _clamped(self, min, None)


@op(
    "clamp_min.Tensor", grad_fn="ClampMinBackward1", inplace=True,
    vjp=dict(
        self=lambda grad, self, min: where(self >= min, grad, 0.0),
        min=lambda grad, self, min: where(self < min, grad, 0.0),
    ),
)  # fmt: skip
def clamp_min_tensor(self, min):
    """Elementwise maximum; on ties ``self`` takes the whole gradient.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp_min(jnp.array([-1.0, 3.0]), jnp.zeros(2))
    Array([0., 3.], dtype=float32)
    """
    return _clamped(self, min, None)


@op("clamp_max", grad_fn="ClampMaxBackward0", inplace=True,
    vjp=dict(self=lambda grad, self, max: where(self <= max, grad, 0.0)))  # fmt: skip
def clamp_max_number(self, max: Scalar):
    """Elementwise minimum with a number; at the bound the whole gradient passes.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp_max(jnp.array([-1.0, 3.0]), 0.0)
    Array([-1.,  0.], dtype=float32)
    """
    return _clamped(self, None, max)


@op(
    "clamp_max.Tensor", grad_fn="ClampMaxBackward1", inplace=True,
    vjp=dict(
        self=lambda grad, self, max: where(self <= max, grad, 0.0),
        max=lambda grad, self, max: where(self > max, grad, 0.0),
    ),
)  # fmt: skip
def clamp_max_tensor(self, max):
    """Elementwise minimum; on ties ``self`` takes the whole gradient.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.clamp_max(jnp.array([-1.0, 3.0]), jnp.zeros(2))
    Array([-1.,  0.], dtype=float32)
    """
    return _clamped(self, None, max)


clamp_min = overloads("clamp_min", clamp_min_number, clamp_min_tensor)
clamp_max = overloads("clamp_max", clamp_max_number, clamp_max_tensor)


def _greater_self(grad, self, other):
    """Ties give each half of the gradient; a nan on either side lets all of it pass to both."""
    return masked_fill_scalar(where(self == other, grad / 2, grad), self < other, 0)


def _greater_other(grad, self, other):
    return masked_fill_scalar(where(self == other, grad / 2, grad), self > other, 0)


@op("maximum", grad_fn="MaximumBackward0", promotes=True,
    vjp=dict(self=_greater_self, other=_greater_other))  # fmt: skip
def maximum(self, other):
    """Elementwise maximum; nan if either is nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.maximum(jnp.array([1.0, 5.0]), jnp.array([2.0, 4.0]))
    Array([2., 5.], dtype=float32)
    """
    return jnp.maximum(self, other)


@op("minimum", grad_fn="MinimumBackward0", promotes=True,
    vjp=dict(self=_greater_other, other=_greater_self))  # fmt: skip
def minimum(self, other):
    """Elementwise minimum; nan if either is nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.minimum(jnp.array([1.0, 5.0]), jnp.array([2.0, 4.0]))
    Array([1., 4.], dtype=float32)
    """
    return jnp.minimum(self, other)


@op(
    "fmax", grad_fn="FmaxBackward0", promotes=True,
    vjp=dict(
        self=lambda grad, self, other: (
            masked_fill_scalar(grad, ~((self >= other) | (other != other)), 0)),
        other=lambda grad, self, other: (
            masked_fill_scalar(grad, (self >= other) | (other != other), 0)),
    ),
)  # fmt: skip
def fmax(self, other):
    """Elementwise maximum that prefers numbers to nan; on ties ``self`` takes the gradient.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fmax(jnp.array([1.0, jnp.nan]), jnp.array([2.0, 4.0]))
    Array([2., 4.], dtype=float32)
    """
    return jnp.fmax(self, other)


@op(
    "fmin", grad_fn="FminBackward0", promotes=True,
    vjp=dict(
        self=lambda grad, self, other: (
            masked_fill_scalar(grad, ~((self <= other) | (other != other)), 0)),
        other=lambda grad, self, other: (
            masked_fill_scalar(grad, (self <= other) | (other != other), 0)),
    ),
)  # fmt: skip
def fmin(self, other):
    """Elementwise minimum that prefers numbers to nan; on ties ``self`` takes the gradient.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fmin(jnp.array([1.0, jnp.nan]), jnp.array([2.0, 4.0]))
    Array([1., 4.], dtype=float32)
    """
    return jnp.fmin(self, other)
