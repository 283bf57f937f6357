"""Cross entropy of two classes, from probabilities and from logits."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..composite import composite
from ..op import op
from .activation import sigmoid
from .arithmetic import mul
from .complexes import abs
from .reduction import averaged, legacy_reduction, reduce_array, reduction_code, scale_of
from .shape import broadcast_shape
from .soft_activation import logsigmoid
from .special import logit
from .view import expand

# -- from probabilities ----------------------------------------------------------------------------

_TINY = 1e-12
"""What keeps PyTorch's gradient of the gradient finite where the probability is 0 or 1."""

_TINY_SINGLE = float(np.float32(1e-12))
"""The same for the gradient, where PyTorch writes it in single precision."""


def _weighted(x, weight):
    return x if weight is None else x * weight


def _from_one(self):
    """``1 - self``, kept apart from what is added to it: XLA would add the constants first."""
    return abs(1 - self)


def _second_derivative(grad, grad_output, self, target, weight, reduction):
    near, far = self + _TINY, _from_one(self) + _TINY
    value = (self * self - 2 * self * target + target) / (near * near * (far * far))
    return _weighted(value * (grad * grad_output), weight) * scale_of(self, reduction)


def _mixed_derivative(grad, grad_output, self, weight, reduction):
    value = -(grad * grad_output) / (_from_one(self) + _TINY) / (self + _TINY)
    return _weighted(value, weight) * scale_of(self, reduction)


def _derivative(grad, self, target, weight, reduction):
    slope = (self - target) / ((self + _TINY) * (_from_one(self) + _TINY))
    return _weighted(slope * grad, weight) * scale_of(self, reduction)


@op(
    "binary_cross_entropy_backward", grad_fn="BinaryCrossEntropyBackwardBackward0",
    face="private",
    vjp=dict(grad_output=_derivative, self=_second_derivative, target=_mixed_derivative),
)  # fmt: skip
def binary_cross_entropy_backward(grad_output, self, target, weight=None, reduction: int = 1):
    """The gradient of `binary_cross_entropy`; finite at the probabilities 0 and 1."""
    slope = (self - target) / jnp.maximum((1 - self) * self, _TINY_SINGLE)
    return _weighted(grad_output * slope, weight) * scale_of(self, reduction)


def _target_slope(grad, self, weight, reduction):
    """Infinite at the probabilities 0 and 1, although the loss stops at 100."""
    return averaged(_weighted(-logit(self) * grad, weight), self, reduction)


@op(
    "binary_cross_entropy", grad_fn="BinaryCrossEntropyBackward0", face="private",
    vjp=dict(
        self=lambda grad, self, target, weight, reduction: (
            binary_cross_entropy_backward(grad, self, target, weight, reduction)
        ),
        target=_target_slope,
    ),
)  # fmt: skip
def binary_cross_entropy_op(self, target, weight=None, reduction: int = 1):
    """The cross entropy of probabilities; logarithms stop at -100."""
    if self.dtype != target.dtype:
        raise RuntimeError(f"Found dtype {target.dtype} but expected {self.dtype}")
    outside = jnp.maximum(jnp.log1p(-self), -100)
    inside = jnp.maximum(jnp.log(self), -100)
    losses = (target - 1) * outside - target * inside
    losses = jnp.where((self >= 0) & (self <= 1), losses, jnp.nan)
    return reduce_array(_weighted(losses, weight), reduction)


@composite(face="nn")
def binary_cross_entropy(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """``-(target * log(input) + (1 - target) * log(1 - input))`` for probabilities ``input``.

    Logarithms stop at -100. PyTorch raises for an ``input`` outside [0, 1]; a traced program cannot
    look, so here the loss is nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.binary_cross_entropy(jnp.array([0.5]), jnp.array([1.0]))
    Array(0.6931472, dtype=float32)
    """
    code = reduction_code(legacy_reduction(size_average, reduce, reduction))
    if tuple(target.shape) != tuple(input.shape):
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        weight = expand(weight, broadcast_shape(target.shape, weight.shape))
    return binary_cross_entropy_op(input, target, weight, code)


# -- from logits -----------------------------------------------------------------------------------


def _logits_slope(grad, self, target, weight, pos_weight, reduction):
    if pos_weight is None:
        slope = (sigmoid(self) - target) * grad
    else:
        positive = pos_weight * target
        slope = ((positive + 1 - target) * sigmoid(self) - positive) * grad
    return averaged(_weighted(slope, weight), self, reduction)


def _logits_target_slope(grad, self, weight, pos_weight, reduction):
    if pos_weight is None:
        slope = -self * grad
    else:
        slope = (logsigmoid(-self) - mul(logsigmoid(self), pos_weight)) * grad
    return averaged(_weighted(slope, weight), self, reduction)


@op(
    "binary_cross_entropy_with_logits", grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    face="torch", vjp=dict(self=_logits_slope, target=_logits_target_slope),
)  # fmt: skip
def binary_cross_entropy_with_logits_op(
    self, target, weight=None, pos_weight=None, reduction: int = 1
):
    """The cross entropy of logits; positive targets weigh ``pos_weight``."""
    log_sigmoid = jnp.minimum(self, 0) - jnp.log1p(jnp.exp(-jnp.abs(self)))
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * self - log_sigmoid
    return reduce_array(_weighted(losses, weight), reduction)


@composite(face="nn")
def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """`binary_cross_entropy` of ``sigmoid(input)``, accurate for large ``input``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.binary_cross_entropy_with_logits(jnp.array([0.0]), jnp.array([1.0]))
    Array(0.6931472, dtype=float32)
    """
    code = reduction_code(legacy_reduction(size_average, reduce, reduction))
    if tuple(target.shape) != tuple(input.shape):
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    return binary_cross_entropy_with_logits_op(input, target, weight, pos_weight, code)
