"""Error functions, gamma functions and other special functions, elementwise."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp

from ..composite import composite
from ..op import op
from ..signature import dtype as as_dtype
from .arithmetic import reciprocal
from .choose import where
from .complexes import abs, sgn
from .creation import arange
from .powers import exp, log, pow, square
from .reduce import sum_dim
from .view import unsqueeze
from .with_number import add_number, mul_number

_ROOT_PI = math.sqrt(math.pi)


@op("erf", grad_fn="ErfBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: 2.0 / _ROOT_PI * exp(-pow(self, 2)) * grad))  # fmt: skip
def erf(self):
    """The error function.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.erf(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jsp.erf(self)


@op("erfc", grad_fn="ErfcBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: -2.0 / _ROOT_PI * exp(-pow(self, 2)) * grad))  # fmt: skip
def erfc(self):
    """One minus the error function.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.erfc(jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    return jsp.erfc(self)


@op("erfinv", grad_fn="ErfinvBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: (
        0.5 * _ROOT_PI * exp(pow(erfinv(self), 2)) * grad
    )))  # fmt: skip
def erfinv(self):
    """The inverse of the error function.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.erfinv(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jsp.erfinv(self)


@op("lgamma", grad_fn="LgammaBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * digamma(self)))  # fmt: skip
def lgamma(self):
    """The logarithm of the absolute value of the gamma function.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lgamma(jnp.array([4.0]))  # log(3!)
    Array([1.7917...], dtype=float32)
    """
    return jsp.gammaln(self)


@op("digamma", grad_fn="DigammaBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * polygamma(1, self)))  # fmt: skip
def digamma(self):
    """The derivative of `lgamma`; -inf at 0 (+inf at -0.0), nan at negative integers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.digamma(jnp.ones(1))
    Array([-0.57721...], dtype=float32)
    """
    return _digamma(self)


def _digamma(x):
    pole = jnp.where(x == 0, jnp.copysign(jnp.inf, -x), jnp.nan).astype(x.dtype)
    is_pole = (x <= 0) & (x == jnp.floor(x))
    return jnp.where(is_pole, pole, jsp.digamma(jnp.where(is_pole, 1, x)))


@op("polygamma", grad_fn="PolygammaBackward0", promotes="float",
    vjp=dict(self=lambda grad, n, self: grad * polygamma(n + 1, self)))  # fmt: skip
def polygamma(n: int, self):
    """The ``n``-th derivative of `digamma`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.polygamma(1, jnp.ones(1))
    Array([1.644934], dtype=float32)
    """
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    if n == 0:
        return _digamma(self)
    if n == 1:
        return _trigamma(self)
    sign = 1.0 if n % 2 else -1.0
    return sign * math.factorial(n) * _zeta(n + 1, self)


def _zeta(order: int, x):
    """The Hurwitz zeta function, ten terms summed here: XLA's is inexact below 0; 0 at infinity."""
    head = sum((x + k) ** -order for k in range(10))
    tail = jsp.zeta(jnp.asarray(order, x.dtype), x + 10)
    return jnp.where(x == jnp.inf, 0, head + tail)


def _trigamma(x):
    """The Hurwitz zeta function at 2, reflected for x < 0.5 (Abramowitz and Stegun 6.4.7)."""
    low = x < 0.5
    value = _zeta(2, jnp.where(low, 1 - x, x))
    sine = jnp.sin(math.pi * x)
    return jnp.where(low, (math.pi * math.pi) / (sine * sine) - value, value)


def _mvlgamma_self(grad, self, p):
    places = arange(-p / 2 + 0.5, 0.5, 0.5) + unsqueeze(self, -1)
    return grad * sum_dim(digamma(places), -1)


@op("mvlgamma", grad_fn="MvlgammaBackward0", inplace=True, promotes="float",
    vjp=dict(self=_mvlgamma_self))  # fmt: skip
def mvlgamma(self, p: int):
    """The logarithm of the multivariate gamma function of dimension ``p``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mvlgamma(jnp.array([4.0]), 1)
    Array([1.7917...], dtype=float32)
    """
    total = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + jax.lax.lgamma(self - j / 2)
    return total


def _logit_self(grad, self, eps):
    """Inside the bounds; outside 0 with ``eps``, nan without it."""
    low, high, outside = (0.0, 1.0, math.nan) if eps is None else (eps, 1.0 - eps, 0.0)
    return where((self >= low) & (self <= high), grad / (self * (1.0 - self)), outside)


@op("logit", grad_fn="LogitBackward0", inplace=True, promotes="float",
    vjp=dict(self=_logit_self))  # fmt: skip
def logit(self, eps: float | None = None):
    """Elementwise ``log(self / (1 - self))``, ``self`` first clamped to ``[eps, 1 - eps]``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logit(jnp.full(1, 0.5))
    Array([0.], dtype=float32)
    """
    if eps is not None:
        eps = jnp.asarray(eps).astype(self.dtype)
        self = jnp.where(self < eps, eps, jnp.where(self > 1 - eps, 1 - eps, self))
    return jnp.log(self / (1 - self))


@op("i0", grad_fn="I0Backward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * special_i1(self)))  # fmt: skip
def i0(self):
    """The modified Bessel function of order 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.i0(jnp.zeros(1)).round(5)
    Array([1.], dtype=float32)
    """
    return jsp.i0(self)


@op("special_i0e", grad_fn="SpecialI0EBackward0", face="special", promotes="float",
    vjp=dict(self=lambda grad, self, result: (
        grad * (special_i1e(self) - sgn(self) * result)
    )))  # fmt: skip
def special_i0e(self):
    """``exp(-abs(self)) * i0(self)``."""
    return jsp.i0e(self)


def _i1_self(grad, self, result):
    """One half at 0 and at nan."""
    far, safe = _away_from_zero(self)
    return grad * where(far, i0(safe) - result * reciprocal(safe), 0.5)


def _away_from_zero(x):
    """Where ``x`` is not tiny, and ``x`` with what is tiny replaced."""
    tiny = float(jnp.finfo(as_dtype(x.dtype)).eps)
    far = abs(x) > tiny
    return far, where(far, x, tiny)


@op("special_i1", grad_fn="SpecialI1Backward0", face="special", promotes="float",
    vjp=dict(self=_i1_self))  # fmt: skip
def special_i1(self):
    """The modified Bessel function of order 1."""
    return jsp.i1(self)


def _i1e_self(grad, self, result):
    """One half at 0 and at nan."""
    far, safe = _away_from_zero(self)
    inner = special_i0e(safe) - result * (sgn(safe) + reciprocal(safe))
    return grad * where(far, inner, 0.5)


@op("special_i1e", grad_fn="SpecialI1EBackward0", face="special", promotes="float",
    vjp=dict(self=_i1e_self))  # fmt: skip
def special_i1e(self):
    """``exp(-abs(self)) * i1(self)``."""
    return jsp.i1e(self)


@op("special_entr", grad_fn="SpecialEntrBackward0", face="special", promotes="float",
    vjp=dict(self=lambda grad, self: grad * -(1 + log(self))))  # fmt: skip
def special_entr(self):
    """Elementwise ``-self * log(self)``; 0 at 0 and -inf below."""
    inner = -self * jnp.log(jnp.where(self > 0, self, 1))
    return jnp.where((self != self) | (self > 0), inner, jnp.where(self == 0, 0, -jnp.inf)).astype(
        self.dtype
    )


@op("special_ndtri", grad_fn="SpecialNdtriBackward0", face="special", promotes="float",
    vjp=dict(self=lambda grad, result: (
        grad * math.sqrt(2 * math.pi) * exp(square(result) / 2)
    )))  # fmt: skip
def special_ndtri(self):
    """The inverse of the normal distribution function."""
    return jsp.ndtri(self)


@op("special_log_ndtr", grad_fn="SpecialLogNdtrBackward0", face="special", promotes="float",
    vjp=dict(self=lambda grad, self, result: (
        grad / math.sqrt(2 * math.pi) * exp(-(result + pow(self, 2) / 2))
    )))  # fmt: skip
def special_log_ndtr(self):
    """The logarithm of the normal distribution function."""
    return jsp.log_ndtr(self)


@composite("ndtr", face="special")
def special_ndtr(self):
    """The normal distribution function."""
    return mul_number(add_number(erf(mul_number(self, math.sqrt(0.5))), 1), 0.5)
