"""Comparisons, logic and bits: nothing here has a gradient."""

from __future__ import annotations

import builtins

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from .complexes import imag, is_complex
from .creation import ones_like


@op("eq.Tensor", dunder="eq", promotes=True, inplace=True)
def eq(self, other):
    """Elementwise ``self == other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.eq(jnp.array([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return self == other


@op("ne.Tensor", dunder="ne", promotes=True, inplace=True)
def ne(self, other):
    """Elementwise ``self != other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ne(jnp.array([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return self != other


@op("lt.Tensor", dunder="lt", promotes=True, inplace=True)
def lt(self, other):
    """Elementwise ``self < other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lt(jnp.array([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return self < other


@op("le.Tensor", dunder="le", promotes=True, inplace=True)
def le(self, other):
    """Elementwise ``self <= other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.le(jnp.array([1, 2]), 2)
    Array([ True,  True], dtype=bool)
    """
    return self <= other


@op("gt.Tensor", dunder="gt", promotes=True, inplace=True)
def gt(self, other):
    """Elementwise ``self > other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.gt(jnp.array([1, 2]), 2)
    Array([False, False], dtype=bool)
    """
    return self > other


@op("ge.Tensor", dunder="ge", promotes=True, inplace=True)
def ge(self, other):
    """Elementwise ``self >= other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ge(jnp.array([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return self >= other


@op("logical_and", inplace=True)
def logical_and(self, other):
    """Elementwise ``and`` of "is not zero".

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logical_and(jnp.array([1, 0]), jnp.array([0, 2]))
    Array([False, False], dtype=bool)
    """
    return jnp.logical_and(self, other)


@op("logical_or", inplace=True)
def logical_or(self, other):
    """Elementwise ``or`` of "is not zero".

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logical_or(jnp.array([1, 0]), jnp.array([0, 2]))
    Array([ True,  True], dtype=bool)
    """
    return jnp.logical_or(self, other)


@op("logical_xor", inplace=True)
def logical_xor(self, other):
    """Elementwise ``xor`` of "is not zero".

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logical_xor(jnp.array([1, 0]), jnp.array([0, 2]))
    Array([ True,  True], dtype=bool)
    """
    return jnp.logical_xor(self, other)


@op("logical_not", inplace=True)
def logical_not(self):
    """Elementwise "is zero".

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logical_not(jnp.array([1, 0]))
    Array([False,  True], dtype=bool)
    """
    return self == 0


@op("bitwise_and.Tensor", inplace=True, dunder="and", promotes=True)
def bitwise_and(self, other):
    """Elementwise ``self & other`` of integers or bools.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_and(jnp.array([3]), jnp.array([6]))
    Array([2], dtype=int32)
    """
    return self & other


@op("bitwise_or.Tensor", inplace=True, dunder="or", promotes=True)
def bitwise_or(self, other):
    """Elementwise ``self | other`` of integers or bools.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_or(jnp.array([3]), jnp.array([6]))
    Array([7], dtype=int32)
    """
    return self | other


@op("bitwise_xor.Tensor", inplace=True, dunder="xor", promotes=True)
def bitwise_xor(self, other):
    """Elementwise ``self ^ other`` of integers or bools.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_xor(jnp.array([3]), jnp.array([6]))
    Array([5], dtype=int32)
    """
    return self ^ other


@op("bitwise_not", inplace=True, dunder="invert")
def bitwise_not(self):
    """Elementwise ``~self`` of integers or bools.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_not(jnp.array([3]))
    Array([-4], dtype=int32)
    """
    return ~self


@op("bitwise_left_shift.Tensor", inplace=True, dunder="lshift", promotes=True)
def bitwise_left_shift(self, other):
    """Elementwise ``self << other`` of integers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_left_shift(jnp.array([3]), jnp.array([2]))
    Array([12], dtype=int32)
    """
    return jnp.left_shift(self, other)


@op("bitwise_right_shift.Tensor", inplace=True, dunder="rshift", promotes=True)
def bitwise_right_shift(self, other):
    """Elementwise ``self >> other`` of integers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bitwise_right_shift(jnp.array([12]), jnp.array([2]))
    Array([3], dtype=int32)
    """
    return jnp.right_shift(self, other)


@op("isnan")
def isnan(self):
    """Where ``self`` is not a number.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isnan(jnp.array([1.0, jnp.inf]))
    Array([False, False], dtype=bool)
    """
    return jnp.isnan(self)


@op("isinf")
def isinf(self):
    """Where ``self`` is infinite.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isinf(jnp.array([1.0, jnp.inf]))
    Array([False,  True], dtype=bool)
    """
    return jnp.isinf(self)


@op("isfinite")
def isfinite(self):
    """Where ``self`` is neither infinite nor nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isfinite(jnp.array([1.0, jnp.inf]))
    Array([ True, False], dtype=bool)
    """
    return jnp.isfinite(self)


@op("isposinf")
def isposinf(self):
    """Where ``self`` is plus infinity.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isposinf(jnp.array([1.0, jnp.inf]))
    Array([False,  True], dtype=bool)
    """
    return jnp.isposinf(self)


@op("isneginf")
def isneginf(self):
    """Where ``self`` is minus infinity.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isneginf(jnp.array([1.0, jnp.inf]))
    Array([False, False], dtype=bool)
    """
    return jnp.isneginf(self)


@composite()
def isreal(self):
    """Where the imaginary part of ``self`` is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isreal(jnp.array([1.0, 1j]))
    Array([ True, False], dtype=bool)
    """
    return imag(self) == 0 if is_complex(self) else ones_like(self, dtype=jnp.bool_)


@op("isclose")
def isclose(self, other, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False):
    """Where ``abs(self - other) <= atol + rtol * abs(other)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isclose(jnp.ones(2), jnp.array([1.0, 1.1]))
    Array([ True, False], dtype=bool)
    """
    if self.dtype != other.dtype:
        raise RuntimeError(f"{self.dtype} did not match {other.dtype}")
    close = self == other
    if equal_nan:
        close = close | ((self != self) & (other != other))
    if jnp.issubdtype(self.dtype, jnp.inexact):
        distance = jnp.abs(self - other)
        close = close | (jnp.isfinite(distance) & (distance <= atol + rtol * jnp.abs(other)))
        return close
    self, other = self.astype(types.default_dtype()), other.astype(types.default_dtype())
    return close | (jnp.abs(self - other) <= atol + rtol * jnp.abs(other))


@composite()
def allclose(self, other, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether all elements are close; needs values, so it cannot be traced.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.allclose(jnp.ones(2), jnp.ones(2))
    True
    """
    return builtins.bool(isclose(self, other, rtol, atol, equal_nan).all())


@composite()
def equal(self, other) -> bool:
    """Whether shapes and all elements agree; needs values, so it cannot be traced.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.equal(jnp.ones(2), jnp.ones(3))
    False
    """
    return self.shape == other.shape and builtins.bool(eq(self, other).all())
