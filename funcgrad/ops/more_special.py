"""Incomplete gamma functions, Bessel functions and others that are used less often."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy.special as jsp
from jax import lax

from ..composite import composite
from ..op import op
from .choose import masked_fill_scalar
from .compare import eq
from .not_implemented import not_implemented
from .powers import exp, log
from .special import lgamma


@op("igamma", grad_fn="IgammaBackward0", inplace=True, promotes=True,
    vjp=dict(self=not_implemented("igamma: input"),
             other=lambda grad, self, other: (
        grad * exp((self - 1) * log(other) - other - lgamma(self))
    )))  # fmt: skip
def igamma(self, other):
    """The lower incomplete gamma function, regularized. No gradient in ``self``, as in PyTorch.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.igamma(jnp.ones(1), jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    self, other = jnp.broadcast_arrays(self, other)
    return jnp.where((self == jnp.inf) & (jnp.abs(other) < jnp.inf), 0, lax.igamma(self, other))


@op("igammac", grad_fn="IgammacBackward0", inplace=True, promotes=True,
    vjp=dict(self=not_implemented("igammac: input"),
             other=lambda grad, self, other: (
        -grad * exp((self - 1) * log(other) - other - lgamma(self))
    )))  # fmt: skip
def igammac(self, other):
    """One minus `igamma`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.igammac(jnp.ones(1), jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    self, other = jnp.broadcast_arrays(self, other)
    return jnp.where((self == jnp.inf) & (jnp.abs(other) < jnp.inf), 1, lax.igammac(self, other))


@op("special_zeta", grad_fn="SpecialZetaBackward0", face="special", promotes="float",
    vjp=dict(self=not_implemented("zeta"),
             other=lambda grad, self, other: (
        grad * -self * special_zeta(self + 1.0, other)
    )))  # fmt: skip
def special_zeta(self, other):
    """The Hurwitz zeta function. No gradient in ``self``, as in PyTorch."""
    found = jsp.zeta(self, other)
    found = jnp.where(self == jnp.inf, 1, jnp.where(self == 1, jnp.inf, found))
    return jnp.where((self < 1) | (self != self), jnp.nan, found).astype(found.dtype)


@op("_xlog1py_gradient", grad_fn="SpecialXlog1PyBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, other: _xlog1py_gradient(grad, other),
        other=lambda grad, grad_output, other: grad * grad_output / (other + 1),
    ))  # fmt: skip
def _xlog1py_gradient(grad_output, other):
    """`xlog1py` of a gradient, linear in it."""
    return grad_output * jnp.log1p(other)


@op("special_xlog1py", grad_fn="SpecialXlog1PyBackward0", face="private", promotes="float",
    vjp=dict(
        self=lambda grad, self, other: masked_fill_scalar(
            _xlog1py_gradient(grad, other), eq(self, 0) & (other <= -1), 0),
        other=lambda grad, self, other: grad * self / (other + 1),
    ))  # fmt: skip
def _xlog1py(self, other):
    """``self * log1p(other)``."""
    value = self * jnp.log1p(other)
    return jnp.where((self == 0) & (other == other), 0, value).astype(value.dtype)


@composite("xlog1py", face="special")
def special_xlog1py(self, other):
    """``self * log1p(other)``; 0 where ``self`` is 0, unless ``other`` is nan."""
    return _xlog1py(self, other)
