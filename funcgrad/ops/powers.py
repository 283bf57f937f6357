"""Powers, roots, exponentials and logarithms, elementwise."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..composite import composite, overloads
from ..op import is_tensor, op
from ..signature import Scalar
from ..types import promote
from .choose import where
from .complexes import is_complex, real
from .copying import to_dtype
from .creation import zeros_like

LN2 = 0.6931471805599453
LN10 = 2.3025850929940456


@op("exp", grad_fn="ExpBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: grad * result.conj()))  # fmt: skip
def exp(self):
    """Elementwise ``e ** self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.exp(jnp.zeros(2))
    Array([1., 1.], dtype=float32)
    """
    return jnp.exp(self)


@op("exp2", grad_fn="Exp2Backward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: grad * result.conj() * LN2))  # fmt: skip
def exp2(self):
    """Elementwise ``2 ** self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.exp2(jnp.array([1.0, 3.0]))
    Array([2., 8.], dtype=float32)
    """
    return jnp.exp2(self)


@op("expm1", grad_fn="Expm1Backward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: grad * (result.conj() + 1)))  # fmt: skip
def expm1(self):
    """Elementwise ``e ** self - 1``, accurate near 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.expm1(jnp.zeros(2))
    Array([0., 0.], dtype=float32)
    """
    return jnp.expm1(self)


@op("log", grad_fn="LogBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad / self.conj()))  # fmt: skip
def log(self):
    """Elementwise natural logarithm.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.log(jnp.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return jnp.log(self)


@op("log2", grad_fn="Log2Backward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad / (self.conj() * LN2)))  # fmt: skip
def log2(self):
    """Elementwise logarithm to base 2.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.log2(jnp.array([2.0, 8.0]))
    Array([1., 3.], dtype=float32)
    """
    return jnp.log2(self)


@op("log10", grad_fn="Log10Backward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad / (self.conj() * LN10)))  # fmt: skip
def log10(self):
    """Elementwise logarithm to base 10.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.log10(jnp.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return jnp.log10(self)


@op("log1p", grad_fn="Log1PBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad / (self.conj() + 1)))  # fmt: skip
def log1p(self):
    """Elementwise ``log(1 + self)``, accurate near 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.log1p(jnp.zeros(2))
    Array([0., 0.], dtype=float32)
    """
    return jnp.log1p(self)


@op("sqrt", grad_fn="SqrtBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: grad / (2 * result.conj())))  # fmt: skip
def sqrt(self):
    """Elementwise square root.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sqrt(jnp.array([4.0, 9.0]))
    Array([2., 3.], dtype=float32)
    """
    return jnp.sqrt(self)


@op("rsqrt", grad_fn="RsqrtBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: -0.5 * grad * pow(result, 3).conj()))  # fmt: skip
def rsqrt(self):
    """Elementwise ``1 / sqrt(self)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rsqrt(jnp.array([4.0, 16.0]))
    Array([0.5 , 0.25], dtype=float32)
    """
    return 1 / jnp.sqrt(self)


def _power(self, exponent):
    """``self ** exponent`` in their common dtype."""
    self, exponent = promote(self, exponent)
    if self.dtype == jnp.bool_:
        raise RuntimeError("\"pow\" not implemented for 'Bool'")
    if jnp.issubdtype(self.dtype, jnp.inexact):
        return jnp.power(self, exponent)
    # Negative powers of integers: 1 and -1 have some, all others round to zero.
    inverse = jnp.where(self == -1, jnp.where(exponent % 2 != 0, -1, 1), self == 1)
    power = jnp.power(self, jnp.maximum(exponent, 0))
    return jnp.where(exponent < 0, inverse.astype(self.dtype), power)


def _pow_base(grad, self, exponent):
    """Where the exponent is 0 the gradient is 0, even at a base of 0."""
    slope = (exponent * pow(self, exponent - 1)).conj()
    return where(exponent == 0.0, 0.0, grad * slope)


def _pow_exponent(grad, self, exponent, result):
    """Where the base is 0 and the exponent is not negative the gradient is 0."""
    at_least_zero = real(exponent) >= 0 if is_complex(exponent) else exponent >= 0
    slope = (result * log(self)).conj()
    return grad * where((self == 0.0) & at_least_zero, 0.0, slope)


def _pow_number(grad, self, exponent):
    """``exponent - (exponent != 0)`` keeps the power of a zero exponent at 0: its gradient is 0.

    A gradient of 0 has no history if the exponent is known.
    """
    if isinstance(exponent, int | float) and exponent == 0:
        return zeros_like(grad)
    return grad * (exponent * pow_tensor_scalar(self, exponent - (exponent != 0))).conj()


def _pow_of_number(grad, self, exponent, result):
    """As for tensors: where the base is 0 and the exponent is not negative, 0."""
    at_least_zero = real(exponent) >= 0 if is_complex(exponent) else exponent >= 0
    slope = (result * log(zeros_like(exponent) + self)).conj()
    return grad * where((self == 0) & at_least_zero, 0.0, slope)


@op("pow.Tensor_Scalar", grad_fn="PowBackward0", inplace=True, dunder="pow",
    vjp=dict(self=_pow_number))  # fmt: skip
def pow_tensor_scalar(self, exponent: Scalar):
    """Elementwise ``self ** exponent`` for a number ``exponent``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pow(jnp.array([2.0, 3.0]), 2)
    Array([4., 9.], dtype=float32)
    """
    if _is_negative_integer(exponent) and not jnp.issubdtype(self.dtype, jnp.inexact):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    power = _power(self, exponent)
    if not jnp.issubdtype(power.dtype, jnp.inexact):
        return power
    root = jnp.sqrt(self.astype(power.dtype))  # PyTorch's way: that of -0 is -0, and of -inf nan
    return jnp.where(exponent == 0.5, root, jnp.where(exponent == -0.5, 1 / root, power))


def _is_negative_integer(exponent) -> bool:
    """Whether the exponent is known to be one; under a trace it is not known."""
    whole = jnp.issubdtype(jnp.result_type(exponent), jnp.integer)
    return whole and not isinstance(exponent, jax.core.Tracer) and int(exponent) < 0


@op("pow.Tensor_Tensor", grad_fn="PowBackward1", inplace=True,
    vjp=dict(self=_pow_base, exponent=_pow_exponent))  # fmt: skip
def pow_tensor_tensor(self, exponent):
    """Elementwise ``self ** exponent``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pow(jnp.array([2.0, 3.0]), jnp.array([3.0, 2.0]))
    Array([8., 9.], dtype=float32)
    """
    return _power(self, exponent)


@op("pow.Scalar", grad_fn="PowBackward2", vjp=dict(exponent=_pow_of_number))
def pow_scalar(self: Scalar, exponent):
    """Elementwise ``self ** exponent`` for a number ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pow(2, jnp.array([2.0, 3.0]))
    Array([4., 8.], dtype=float32)
    """
    return _power(self, exponent)


pow = overloads("pow", pow_tensor_scalar, pow_tensor_tensor, pow_scalar)


@composite(inplace=(pow_tensor_scalar, 2))
def square(self):
    """Elementwise ``self ** 2``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.square(jnp.array([2.0, 3.0]))
    Array([4., 9.], dtype=float32)
    """
    return pow_tensor_scalar(self, 2)


@composite(inplace=True)
def float_power(self, exponent):
    """`pow` in double precision, complex if an operand is (single precision unless x64 is on).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.float_power(jnp.array([2, 3]), 2)
    Array([4., 9.], dtype=float32)
    """
    operands = [x for x in (self, exponent) if is_tensor(x)]
    any_complex = any(map(is_complex, operands)) or isinstance(self, complex)
    wide = np.complex128 if any_complex or isinstance(exponent, complex) else np.float64
    self, exponent = (to_dtype(x, wide) if is_tensor(x) else x for x in (self, exponent))
    return pow(self, exponent)
