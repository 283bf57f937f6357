"""Trigonometric and hyperbolic functions, elementwise."""

from __future__ import annotations

import jax.numpy as jnp

from ..op import op
from ..together import together
from .arithmetic import ratio, reciprocal
from .choose import masked_fill_scalar, where
from .complexes import is_complex
from .powers import pow, rsqrt

PI = 3.141592653589793


@op("sin", grad_fn="SinBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * cos(self).conj()))  # fmt: skip
def sin(self):
    """Elementwise sine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sin(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.sin(self)


@op("cos", grad_fn="CosBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * -sin(self).conj()))  # fmt: skip
def cos(self):
    """Elementwise cosine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cos(jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    return jnp.cos(self)


@op("tan", grad_fn="TanBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: grad * (1 + pow(result, 2)).conj()))  # fmt: skip
def tan(self):
    """Elementwise tangent.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tan(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.tan(self)


@op("asin", grad_fn="AsinBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * rsqrt(-self * self + 1).conj()))  # fmt: skip
def asin(self):
    """Elementwise arc sine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.asin(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.arcsin(self)


@op("acos", grad_fn="AcosBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * -rsqrt(-self * self + 1).conj()))  # fmt: skip
def acos(self):
    """Elementwise arc cosine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.acos(jnp.ones(1))
    Array([0.], dtype=float32)
    """
    return jnp.arccos(self)


@op("atan", grad_fn="AtanBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad / (self * self + 1).conj()))  # fmt: skip
def atan(self):
    """Elementwise arc tangent.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atan(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.arctan(self)


@op("sinh", grad_fn="SinhBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * cosh(self).conj()))  # fmt: skip
def sinh(self):
    """Elementwise hyperbolic sine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sinh(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.sinh(self)


@op("cosh", grad_fn="CoshBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * sinh(self).conj()))  # fmt: skip
def cosh(self):
    """Elementwise hyperbolic cosine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cosh(jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    return jnp.cosh(self)


@op(
    "tanh_backward", grad_fn="TanhBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, output: tanh_backward(grad, output.conj()),
        output=lambda grad, grad_output, output: grad.conj() * (-2 * output.conj() * grad_output),
    ),
)  # fmt: skip
def tanh_backward(grad_output, output):
    """The gradient of `tanh` from its result."""
    return grad_output * jnp.conj(1 - output * output)


@op("tanh", grad_fn="TanhBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: tanh_backward(grad, result)))  # fmt: skip
def tanh(self):
    """Elementwise hyperbolic tangent.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tanh(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.tanh(self)


@op("asinh", grad_fn="AsinhBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * rsqrt(pow(self, 2) + 1).conj()))  # fmt: skip
def asinh(self):
    """Elementwise inverse hyperbolic sine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.asinh(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.arcsinh(self)


def _acosh_self(grad, self):
    """Two roots keep the complex branch right."""
    if is_complex(self):
        return grad * (rsqrt(self + 1) * rsqrt(self - 1)).conj()
    return grad * rsqrt(self * self - 1)


@op("acosh", grad_fn="AcoshBackward0", inplace=True, promotes="float",
    vjp=dict(self=_acosh_self))  # fmt: skip
def acosh(self):
    """Elementwise inverse hyperbolic cosine.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.acosh(jnp.ones(1))
    Array([0.], dtype=float32)
    """
    return jnp.arccosh(self)


@op("atanh", grad_fn="AtanhBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, self: grad * 1 / (1 - pow(self, 2)).conj()))  # fmt: skip
def atanh(self):
    """Elementwise inverse hyperbolic tangent.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atanh(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return jnp.arctanh(self)


def _atan2(mask, grad, self, other):
    """Over the squared distance from the origin; 0 there."""
    squared = self * self + other * other
    share = masked_fill_scalar(reciprocal(squared), squared == 0.0, 0.0)
    return (
        grad * other * share if mask[0] else None,
        grad * -self * share if mask[1] else None,
    )


@op("atan2", grad_fn="Atan2Backward0", inplace=True, promotes="float",
    vjp=together(_atan2, "self", "other"))  # fmt: skip
def atan2(self, other):
    """Elementwise angle of the point ``(other, self)``; the gradient at the origin is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atan2(jnp.zeros(1), jnp.ones(1))
    Array([0.], dtype=float32)
    """
    return jnp.arctan2(self, other)


@op(
    "hypot", grad_fn="HypotBackward0", inplace=True, promotes=True,
    vjp=dict(
        self=lambda grad, self, result: grad * self / result,
        other=lambda grad, other, result: grad * other / result,
    ),
)  # fmt: skip
def hypot(self, other):
    """Elementwise ``sqrt(self ** 2 + other ** 2)``; the gradient at the origin is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hypot(jnp.array([3.0]), jnp.array([4.0]))
    Array([5.], dtype=float32)
    """
    return jnp.hypot(self, other)


def _sinc_self(grad, self):
    """0 at 0."""
    scaled, square = self * PI, self * self * PI
    slope = ratio(scaled * cos(scaled) - sin(scaled), square)
    return where(square == 0.0, 0.0, grad * slope.conj())


@op("sinc", grad_fn="SincBackward0", inplace=True, promotes="float", vjp=dict(self=_sinc_self))
def sinc(self):
    """Elementwise ``sin(pi * self) / (pi * self)``, 1 at 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sinc(jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    scaled = self * PI
    return jnp.where(self == 0, 1, jnp.sin(scaled) / scaled)


@op("deg2rad", grad_fn="Deg2RadBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad: grad * (PI / 180)))  # fmt: skip
def deg2rad(self):
    """Elementwise degrees to radians.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.deg2rad(jnp.array([180.0]))
    Array([3.1415927], dtype=float32)
    """
    return self * (PI / 180)


@op("rad2deg", grad_fn="Rad2DegBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad: grad * (180 / PI)))  # fmt: skip
def rad2deg(self):
    """Elementwise radians to degrees.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rad2deg(jnp.array([jnp.pi]))
    Array([180.], dtype=float32)
    """
    return self * (180 / PI)
