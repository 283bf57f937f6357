"""Smooth activation functions: gelu, silu, mish, softplus, elu and their kin."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Number, Scalar
from .activation import refuse_negative, sigmoid
from .complexes import abs
from .dims import wrap_dim
from .powers import exp, log1p
from .trigonometry import tanh

_ALPHA = 1.6732632423543772848170429916717
_SCALE = 1.0507009873554804934193349852946


def _like(self, *numbers):
    """Numbers as zero-dim arrays of the dtype of ``self``."""
    return [types.cast(x, self.dtype) for x in numbers]


@op("gelu_backward", grad_fn="GeluBackwardBackward0", face="private",
    vjp=derived("grad_output", "self"))  # fmt: skip
def gelu_backward(grad_output, self, *, approximate: str = "none"):
    """The gradient of `gelu`."""
    if approximate == "tanh":
        cube = self * self * self
        outer = math.sqrt(2 / math.pi) * (self + 0.044715 * cube)
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * self * self)
        tail = jnp.tanh(outer)
        return grad_output * (0.5 * (1 + tail) + 0.5 * self * (1 - tail * tail) * slope)
    cdf = 0.5 * (1 + lax.erf(self * math.sqrt(0.5)))
    pdf = jnp.exp(-0.5 * self * self) * (1 / math.sqrt(2 * math.pi))
    return grad_output * (cdf + self * pdf)


@op("gelu", grad_fn="GeluBackward0", face="nn", inplace=True,
    vjp=dict(self=lambda grad, self, approximate: (
        gelu_backward(grad, self, approximate=approximate)
    )))  # fmt: skip
def gelu(self, *, approximate: str = "none"):
    """Elementwise ``self`` times the normal distribution function; ``"tanh"`` approximates it.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.gelu(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    if approximate == "tanh":
        outer = math.sqrt(2 / math.pi) * (self + 0.044715 * (self * self * self))
        return 0.5 * self * (1 + jnp.tanh(outer))
    if approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return self * 0.5 * (1 + lax.erf(self * math.sqrt(0.5)))


def _silu_self(grad, self):
    gate = sigmoid(self)
    return grad * gate * (1 + self * (1 - gate))


@op("silu", grad_fn="SiluBackward0", face="nn", inplace=True, vjp=dict(self=_silu_self))
def silu(self):
    """Elementwise ``self * sigmoid(self)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.silu(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return self / (1 + jnp.exp(-self))


def _mish_self(grad, self):
    soft, gate = tanh(log1p(exp(self))), sigmoid(self)
    return grad * (soft + self * gate * (1 - soft * soft))


@op("mish", grad_fn="MishBackward0", face="nn", inplace=True, vjp=dict(self=_mish_self))
def mish(self):
    """Elementwise ``self * tanh(softplus(self))``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mish(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return self * jnp.tanh(jnp.log1p(jnp.exp(self)))


@op(
    "softplus_backward", grad_fn="SoftplusBackwardBackward0", face="private",
    vjp=derived("grad_output", "self"),
)  # fmt: skip
def softplus_backward(grad_output, self, beta: Scalar, threshold: Scalar):
    """The gradient of `softplus`: 1 above the threshold."""
    beta, threshold = _like(self, beta, threshold)
    linear = self * beta > threshold
    return grad_output * jnp.where(linear, 1, jax.nn.sigmoid(self * beta))


@op("softplus", grad_fn="SoftplusBackward0", face="nn",
    vjp=dict(self=lambda grad, self, beta, threshold: (
        softplus_backward(grad, self, beta, threshold)
    )))  # fmt: skip
def softplus(self, beta: Scalar = 1, threshold: Scalar = 20):
    """Elementwise ``log(1 + exp(beta * self)) / beta``; ``self`` where ``beta * self > threshold``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.softplus(jnp.zeros(1))
    Array([0.6931472], dtype=float32)
    """
    beta, threshold = _like(self, beta, threshold)
    scaled = self * beta
    linear = scaled > threshold
    return jnp.where(linear, self, jnp.log1p(jnp.exp(jnp.where(linear, 0, scaled))) / beta)


def _elu_backward_self(grad, grad_output, alpha, scale, input_scale, is_result, self_or_result):
    """The second derivative of the left branch, but 0 at exactly 0."""
    slope = grad * grad_output * input_scale
    if not is_result:
        slope = elu_backward(slope, alpha, scale, input_scale, False, self_or_result)
    return slope * (self_or_result < 0)


@op(
    "elu_backward", grad_fn="EluBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, alpha, scale, input_scale, is_result, self_or_result: (
            elu_backward(grad, alpha, scale, input_scale, is_result, self_or_result)
        ),
        self_or_result=_elu_backward_self,
    ),
)  # fmt: skip
def elu_backward(
    grad_output, alpha: Scalar, scale: Scalar, input_scale: Scalar, is_result: bool, self_or_result
):
    """The gradient of `elu`: at 0 the one from the left."""
    x = self_or_result
    alpha, scale, input_scale = _like(x, alpha, scale, input_scale)
    if is_result:
        left = input_scale * (x + alpha * scale)
    else:
        left = input_scale * alpha * scale * jnp.exp(x * input_scale)
    return grad_output * jnp.where(x > 0, scale, left)


def _elued(self, alpha, scale, input_scale):
    left = jnp.expm1(self * input_scale) * (alpha * scale)
    return jnp.where(self <= 0, left, self * scale)


def _elu_of_result(grad, result, alpha, scale, input_scale):
    refuse_negative(alpha, "elu")
    return elu_backward(grad, alpha, scale, input_scale, True, result)


@op("elu.in_place", grad_fn="EluBackward0", face="private",
    vjp=dict(self=_elu_of_result))  # fmt: skip
def _elu_in_place(self, alpha: Number = 1, scale: Scalar = 1, input_scale: Scalar = 1):
    """`elu`, recorded with its result."""
    return elu.fn(self, alpha, scale, input_scale)


@op("elu", grad_fn="EluBackward0", face="nn", inplace=_elu_in_place,
    vjp=dict(self=lambda grad, self, alpha, scale, input_scale: (
        elu_backward(grad, alpha, scale, input_scale, False, self)
    )))  # fmt: skip
def elu(self, alpha: Scalar = 1, scale: Scalar = 1, input_scale: Scalar = 1):
    """Elementwise ``self`` above 0, ``alpha * (exp(self) - 1)`` below, both scaled.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.elu(jnp.array([0.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    return _elued(self, *_like(self, alpha, scale, input_scale))


def _celu_of_result(grad, result, alpha):
    refuse_negative(alpha, "elu")
    return elu_backward(grad, alpha, 1, 1.0 / alpha, True, result)


@op("celu.in_place", grad_fn="CeluBackward0", face="private",
    vjp=dict(self=_celu_of_result))  # fmt: skip
def _celu_in_place(self, alpha: Number = 1.0):
    """`celu`, recorded with its result."""
    return celu.fn(self, alpha)


@op("celu", grad_fn="CeluBackward0", face="nn", inplace=_celu_in_place,
    vjp=dict(self=lambda grad, self, alpha: (
        elu_backward(grad, alpha, 1, 1.0 / alpha, False, self)
    )))  # fmt: skip
def celu(self, alpha: Scalar = 1.0):
    """Elementwise ``self`` above 0, ``alpha * (exp(self / alpha) - 1)`` below.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.celu(jnp.array([0.0, 2.0]), 2.0)
    Array([0., 2.], dtype=float32)
    """
    alpha, one = _like(self, alpha, 1)
    return _elued(self, alpha, one, 1 / alpha)


@composite(inplace=(_elu_in_place, _ALPHA, _SCALE), face="nn")
def selu(self):
    """`elu` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.selu(jnp.array([0.0, 1.0]))
    Array([0.      , 1.050701], dtype=float32)
    """
    return elu(self, _ALPHA, _SCALE)


def _log_sigmoid_backward_self(grad, grad_output, self):
    gate = sigmoid(self)
    return grad * grad_output * (gate - 1) * gate


@op(
    "log_sigmoid_backward", grad_fn="LogSigmoidBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, buffer: log_sigmoid_backward(grad, self, buffer),
        self=_log_sigmoid_backward_self,
    ),
)  # fmt: skip
def log_sigmoid_backward(grad_output, self, buffer):
    """The gradient of `logsigmoid`."""
    z = jnp.exp(jnp.where(self < 0, self, -self))
    buffer = buffer + (z - lax.stop_gradient(z))  # its value, with the derivative that it had
    share = buffer / (1 + buffer)
    return grad_output * jnp.where(self < 0, 1 - share, share)


@op("log_sigmoid_forward", grad_fn="LogSigmoidBackward0", face="private",
    outputs=("output", "buffer"),
    vjp=dict(self=lambda grad_output, self, buffer: (
        log_sigmoid_backward(grad_output, self, buffer)
    )))  # fmt: skip
def log_sigmoid_forward(self):
    """`logsigmoid` and the exponential that its gradient uses."""
    buffer = jnp.exp(-jnp.abs(self))
    return jnp.minimum(self, 0) - jnp.log1p(buffer), buffer


@composite(face="nn")
def logsigmoid(input):
    """Elementwise ``log(sigmoid(input))``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logsigmoid(jnp.zeros(1))
    Array([-0.6931472], dtype=float32)
    """
    return log_sigmoid_forward(input)[0]


@composite(face="nn")
def softsign(input):
    """Elementwise ``input / (1 + abs(input))``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.softsign(jnp.ones(1))
    Array([0.5], dtype=float32)
    """
    return input / (abs(input) + 1)


@composite(face="nn")
def tanhshrink(input):
    """Elementwise ``input - tanh(input)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tanhshrink(jnp.zeros(1))
    Array([0.], dtype=float32)
    """
    return input - tanh(input)


@op("glu_backward", grad_fn="GluBackwardBackward0", face="private",
    vjp=derived("grad_output", "self"))  # fmt: skip
def glu_backward(grad_output, self, dim: int):
    """The gradient of `glu`."""
    first, second = jnp.split(self, 2, dim)
    gate = jax.nn.sigmoid(second)
    return jnp.concatenate([gate * grad_output, (1 - gate) * gate * grad_output * first], axis=dim)


@op("glu", grad_fn="GluBackward0", face="nn",
    vjp=dict(self=lambda grad, self, dim: glu_backward(grad, self, dim)))  # fmt: skip
def glu(self, dim: int = -1):
    """The first half along ``dim`` times the sigmoid of the second half.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.glu(jnp.array([2.0, 0.0]))
    Array([1.], dtype=float32)
    """
    if not self.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if self.shape[wrap_dim(dim, self.ndim)] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {self.shape[dim]}"
        )
    first, second = jnp.split(self, 2, dim)
    return first * jax.nn.sigmoid(second)
