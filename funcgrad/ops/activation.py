"""Activation functions with kinks, and the sigmoid."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Number, Scalar
from ..together import together
from ..underivable import NODE, underivable
from .choose import where
from .creation import zeros_like
from .dropout import rrelu_with_noise
from .view import detach, reshape


@op(
    "threshold_backward", grad_fn="ThresholdBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, threshold: threshold_backward(grad, self, threshold),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def threshold_backward(grad_output, self, threshold: Scalar):
    """``grad_output`` where ``self`` is not at most ``threshold``: a nan passes."""
    return jnp.where(self <= jnp.asarray(threshold).astype(self.dtype), 0, grad_output)


@op("relu", grad_fn="ReluBackward0", inplace=True,
    vjp=dict(self=lambda grad, result: threshold_backward(grad, result, 0)))  # fmt: skip
def relu(self):
    """Elementwise ``max(self, 0)``; the gradient at 0 is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.relu(jnp.array([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    if self.dtype == jnp.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    return jnp.maximum(self, 0)


@op(
    "sigmoid_backward", grad_fn="SigmoidBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, output: sigmoid_backward(grad, output.conj()),
        output=lambda grad, grad_output, output: (
            grad.conj() * grad_output * (-2 * output.conj() + 1)
        ),
    ),
)  # fmt: skip
def sigmoid_backward(grad_output, output):
    """The gradient of `sigmoid` from its result."""
    return grad_output * jnp.conj((1 - output) * output)


@op("sigmoid", grad_fn="SigmoidBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: sigmoid_backward(grad, result)))  # fmt: skip
def sigmoid(self):
    """Elementwise ``1 / (1 + exp(-self))``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sigmoid(jnp.zeros(1))
    Array([0.5], dtype=float32)
    """
    if jnp.issubdtype(self.dtype, jnp.complexfloating):
        return 1 / (1 + jnp.exp(-self))
    return jax.nn.sigmoid(self)


@op("threshold", grad_fn="ThresholdBackward0", face="nn", inplace=True,
    vjp=dict(self=lambda grad, self, threshold: (
        threshold_backward(grad, self, threshold)
    )))  # fmt: skip
def threshold(self, threshold: Scalar, value: Scalar):
    """Elementwise ``self`` above ``threshold``, else ``value``; no gradient at the threshold.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.threshold(jnp.array([0.0, 2.0]), 1.0, 5.0)
    Array([5., 2.], dtype=float32)
    """
    return jnp.where(self <= types.cast(threshold, self.dtype), types.cast(value, self.dtype), self)


def refuse_negative(slope, name: str) -> None:
    """What a negative slope made of an element does not tell its sign."""
    if slope < 0:
        raise RuntimeError(
            f"In-place {name} backward calculation is triggered with a negative slope which is not "
            f"supported: the result does not tell the sign of the input. Got {slope}. Call the "
            "out-of-place version instead."
        )


@op(
    "leaky_relu_backward", grad_fn="LeakyReluBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, negative_slope: (
            leaky_relu_backward(grad, self, negative_slope, False)
        ),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def leaky_relu_backward(grad_output, self, negative_slope: Scalar, self_is_result: bool):
    """The gradient of `leaky_relu`: at 0 the slope of the left."""
    slope = types.cast(negative_slope, grad_output.dtype)
    return jnp.where(self > 0, grad_output, grad_output * slope)


def _leaky_relu_of_result(grad, result, negative_slope):
    refuse_negative(negative_slope, "leakyReLu")
    return leaky_relu_backward(grad, result, negative_slope, True)


@op("leaky_relu.in_place", grad_fn="LeakyReluBackward0", face="private",
    vjp=dict(self=_leaky_relu_of_result))  # fmt: skip
def _leaky_relu_in_place(self, negative_slope: Number = 0.01):
    """`leaky_relu`, recorded with its result."""
    return leaky_relu.fn(self, negative_slope)


@op("leaky_relu", grad_fn="LeakyReluBackward0", face="nn", inplace=_leaky_relu_in_place,
    vjp=dict(self=lambda grad, self, negative_slope: (
        leaky_relu_backward(grad, self, negative_slope, False)
    )))  # fmt: skip
def leaky_relu(self, negative_slope: Scalar = 0.01):
    """Elementwise ``self`` above 0, ``negative_slope * self`` below.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.leaky_relu(jnp.array([-1.0, 2.0]), 0.5)
    Array([-0.5,  2. ], dtype=float32)
    """
    return jnp.where(self > 0, self, self * types.cast(negative_slope, self.dtype))


@op(
    "hardtanh_backward", grad_fn="HardtanhBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, min_val, max_val: (
            hardtanh_backward(grad, self, min_val, max_val)
        ),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def hardtanh_backward(grad_output, self, min_val: Scalar, max_val: Scalar):
    """The gradient of `hardtanh`: exactly at a bound, and at nan, 0."""
    low, high = types.cast(min_val, self.dtype), types.cast(max_val, self.dtype)
    return jnp.where((self > low) & (self < high), grad_output, 0)


@op("hardtanh", grad_fn="HardtanhBackward0", face="nn", inplace=True,
    vjp=dict(self=lambda grad, self, min_val, max_val: (
        hardtanh_backward(grad, self, min_val, max_val)
    )))  # fmt: skip
def hardtanh(self, min_val: Scalar = -1, max_val: Scalar = 1):
    """Elementwise restriction to ``[min_val, max_val]``; at a bound no gradient, unlike `clamp`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hardtanh(jnp.array([-3.0, 0.5]))
    Array([-1. ,  0.5], dtype=float32)
    """
    return jnp.clip(self, types.cast(min_val, self.dtype), types.cast(max_val, self.dtype))


@composite(inplace=(hardtanh, 0, 6), face="nn")
def relu6(self):
    """`hardtanh` between 0 and 6.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.relu6(jnp.array([-1.0, 9.0]))
    Array([0., 6.], dtype=float32)
    """
    return hardtanh(self, 0, 6)


@op("_hardsigmoid_gradient", grad_fn=NODE, face="private",
    vjp=underivable("hardsigmoid_backward", ("grad_output", "self")))  # fmt: skip
def hardsigmoid_backward(grad_output, self):
    """Exactly at -3 and 3 the gradient is 0. PyTorch's sixth is a float32 for every dtype."""
    inside = (self > -3) & (self < 3)
    return jnp.where(inside, grad_output * jnp.asarray(0.1666666716337204, self.dtype), 0)


@op("hardsigmoid", grad_fn="HardsigmoidBackward0", face="nn", inplace=True,
    vjp=dict(self=lambda grad, self: hardsigmoid_backward(grad, self)))  # fmt: skip
def hardsigmoid(self):
    """Elementwise ``clamp(self + 3, 0, 6) / 6``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hardsigmoid(jnp.array([-4.0, 0.0]))
    Array([0. , 0.5], dtype=float32)
    """
    return jnp.clip(self + 3, 0, 6) / 6


@op(
    "hardswish_backward", grad_fn="HardswishBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self: hardswish_backward(grad, self),
        self=lambda grad, grad_output, self: (
            where((self > -3.0) & (self < 3.0), grad * grad_output / 3.0, 0.0)),
    ),
)  # fmt: skip
def hardswish_backward(grad_output, self):
    """The slope is 0 up to and at -3, 1 from 3 on."""
    return grad_output * jnp.where(self <= -3, 0, jnp.where(self < 3, self / 3 + 0.5, 1))


@op("hardswish", grad_fn="HardswishBackward0", face="nn", inplace=True,
    vjp=dict(self=lambda grad, self: hardswish_backward(grad, self)))  # fmt: skip
def hardswish(self):
    """Elementwise ``self * hardsigmoid(self)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hardswish(jnp.array([-4.0, 3.0]))
    Array([-0.,  3.], dtype=float32)
    """
    return self * jnp.clip(self + 3, 0, 6) / 6


def _kept(gradient, self, lambd):
    """Up to and at the bounds, and at nan, the gradient is 0."""
    bound = types.cast(lambd, self.dtype)
    return jnp.where((self < -bound) | (self > bound), gradient, 0)


@op(
    "softshrink_backward", grad_fn="SoftshrinkBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, lambd: softshrink_backward(grad, self, lambd),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def softshrink_backward(grad_output, self, lambd: Scalar):
    """The gradient of `softshrink`."""
    return _kept(grad_output, self, lambd)


@op(
    "hardshrink_backward", grad_fn="HardshrinkBackwardBackward0", face="private",
    vjp=dict(
        grad_out=lambda grad, self, lambd: hardshrink_backward(grad, self, lambd),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def hardshrink_backward(grad_out, self, lambd: Scalar):
    """The gradient of `hardshrink`."""
    return _kept(grad_out, self, lambd)


@op("softshrink", grad_fn="SoftshrinkBackward0", face="nn",
    vjp=dict(self=lambda grad, self, lambd: softshrink_backward(grad, self, lambd)))  # fmt: skip
def softshrink(self, lambd: Scalar = 0.5):
    """Elementwise ``self`` moved by ``lambd`` towards 0, where it stops.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.softshrink(jnp.array([-1.0, 0.25]))
    Array([-0.5,  0. ], dtype=float32)
    """
    bound = types.cast(lambd, self.dtype)
    return jnp.where(self > bound, self - bound, jnp.where(self < -bound, self + bound, self * 0))


@op("hardshrink", grad_fn="HardshrinkBackward0",
    vjp=dict(self=lambda grad, self, lambd: hardshrink_backward(grad, self, lambd)))  # fmt: skip
def hardshrink(self, lambd: Scalar = 0.5):
    """Elementwise ``self``, but 0 in ``[-lambd, lambd]``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hardshrink(jnp.array([-1.0, 0.25]))
    Array([-1.,  0.], dtype=float32)
    """
    bound = types.cast(lambd, self.dtype)
    return jnp.where((self >= -bound) & (self <= bound), 0, self)


@op(
    "_prelu_gradients", grad_fn="PreluKernelBackwardBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=derived("grad_output", "self", "weight", self=(1,), weight=(0,)),
)  # fmt: skip
def prelu_backward(grad_output, self, weight):
    """The gradients of `prelu` with respect to its input and its weight."""
    slope = jnp.where(self > 0, 1, weight).astype(self.dtype)
    return grad_output * slope, grad_output * jnp.where(self > 0, 0, self)


@op(
    "_prelu_kernel", grad_fn="PreluKernelBackward0", face="private",
    vjp=together(
        lambda mask, grad, self, weight: prelu_backward(grad, self, weight), "self", "weight"
    ),
)  # fmt: skip
def _prelu_kernel(self, weight):
    """`prelu` with a weight that broadcasts."""
    return jnp.where(self > 0, self, weight * self)


@composite()
def prelu(self, weight):
    """`leaky_relu` with a learned slope: one, or one for each channel (dimension 1).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.prelu(jnp.array([-1.0, 2.0]), jnp.array([0.5]))
    Array([-0.5,  2. ], dtype=float32)
    """
    count = weight.shape[0] if weight.ndim else 1
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    channels = self.shape[1] if self.ndim > 1 else 1
    if count not in (1, channels):
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} and channel size = {channels}."
        )
    shape = (1, count, *(1,) * (self.ndim - 2)) if self.ndim > 1 else (count,) * self.ndim
    if tuple(weight.shape) != shape:
        weight = reshape(weight, shape)
    return _prelu_kernel(self, weight)


@composite(inplace=True)
def rrelu(self, lower=1 / 8, upper=1 / 3, training=False):
    """`leaky_relu` with a random slope; evaluation, the only mode here, takes the middle one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rrelu(jnp.array([-1.0, 2.0]), 0.25, 0.75)
    Array([-0.5,  2. ], dtype=float32)
    """
    if training:
        raise RuntimeError("rrelu in training mode is random: use rrelu_with_noise with a noise")
    return rrelu_with_noise(self, detach(self), float(lower), float(upper), False)
