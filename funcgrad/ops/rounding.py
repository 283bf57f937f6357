"""Rounding; a rounded number does not move, so the gradients are zero."""

from __future__ import annotations

import jax.numpy as jnp

from ..composite import overloads
from ..op import op
from ..unsupported import type_name
from .creation import zeros_like


def _whole_or(self, rounded):
    """Integers are round already."""
    return rounded(self) if jnp.issubdtype(self.dtype, jnp.inexact) else self


@op("floor", grad_fn="FloorBackward0", inplace=True, vjp=dict(self=lambda grad: zeros_like(grad)))
def floor(self):
    """Elementwise rounding towards minus infinity.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.floor(jnp.array([-1.5, 1.5]))
    Array([-2.,  1.], dtype=float32)
    """
    return _whole_or(self, jnp.floor)


@op("ceil", grad_fn="CeilBackward0", inplace=True, vjp=dict(self=lambda grad: zeros_like(grad)))
def ceil(self):
    """Elementwise rounding towards plus infinity.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ceil(jnp.array([-1.5, 1.5]))
    Array([-1.,  2.], dtype=float32)
    """
    return _whole_or(self, jnp.ceil)


@op("trunc", grad_fn="TruncBackward0", inplace=True, vjp=dict(self=lambda grad: zeros_like(grad)))
def trunc(self):
    """Elementwise rounding towards zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.trunc(jnp.array([-1.5, 1.5]))
    Array([-1.,  1.], dtype=float32)
    """
    return _whole_or(self, jnp.trunc)


@op("round", grad_fn="RoundBackward0", inplace=True, vjp=dict(self=lambda grad: zeros_like(grad)))
def round_whole(self):
    """Elementwise rounding to the nearest integer, halves to the even one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.round(jnp.array([0.5, 1.5, 2.6]))
    Array([0., 2., 3.], dtype=float32)
    """
    return _whole_or(self, jnp.round)


@op("round.decimals", grad_fn="RoundBackward1", inplace=True,
    vjp=dict(self=lambda grad: zeros_like(grad)))  # fmt: skip
def round_decimals(self, *, decimals: int):
    """Elementwise rounding to ``decimals`` places; negative ones are before the point.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.round(jnp.array([1.26]), decimals=1)
    Array([1.3], dtype=float32)
    """
    if not jnp.issubdtype(self.dtype, jnp.inexact):
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{type_name(self.dtype)}'")
    scale = jnp.asarray(10.0 ** abs(decimals), self.dtype)
    if decimals < 0:
        return jnp.round(self / scale) * scale
    return jnp.round(self * scale) / scale


round = overloads("round", round_whole, round_decimals)


@op("frac", grad_fn="FracBackward0", inplace=True, vjp=dict(self=lambda grad: grad))
def frac(self):
    """Elementwise ``self - trunc(self)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.frac(jnp.array([-1.5, 1.25]))
    Array([-0.5 ,  0.25], dtype=float32)
    """
    return _whole_or(self, lambda x: x - jnp.trunc(x))
