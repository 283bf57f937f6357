"""Losses that compare element by element: squared, absolute, Huber, Kullback-Leibler."""

from __future__ import annotations

import warnings

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from .arithmetic import mul
from .blend import xlogy
from .choose import where
from .complexes import abs, is_complex, is_floating_point
from .powers import exp, pow
from .reduce import sum
from .reduction import (
    check_same_reduction,
    legacy_reduction,
    reduce_array,
    reduce_loss,
    reduction_code,
    scale_of,
)  # fmt: skip
from .shape import broadcast_shape
from .view import expand

# -- the ATen ops ----------------------------------------------------------------------------------


def _mse_curvature(grad, grad_output, self, reduction):
    return grad * grad_output * (2.0 * scale_of(self, reduction))


@op(
    "mse_loss_backward", grad_fn="MseLossBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, target, reduction: (
            mse_loss_backward(grad, self, target, reduction)
        ),
        self=lambda grad, grad_output, self, reduction: (
            _mse_curvature(grad, grad_output, self, reduction)
        ),
        target=lambda grad, grad_output, self, reduction: (
            -_mse_curvature(grad, grad_output, self, reduction)
        ),
    ),
)  # fmt: skip
def mse_loss_backward(grad_output, self, target, reduction: int):
    """The gradient of `mse_loss` with respect to its input."""
    return (2.0 * scale_of(self, reduction)) * (self - target) * grad_output


@op(
    "mse_loss", grad_fn="MseLossBackward0", face="private", promotes=True,
    vjp=dict(
        self=lambda grad, self, target, reduction: mse_loss_backward(grad, self, target, reduction),
        target=lambda grad, self, target, reduction: (
            mse_loss_backward(grad, target, self, reduction)
        ),
    ),
)  # fmt: skip
def mse_loss_op(self, target, reduction: int = 1):
    """The squared differences, reduced."""
    _need_differentiable("mse_loss", self)
    return reduce_array((self - target) * (self - target), reduction)


def _smooth_curvature(grad, grad_output, self, target, reduction, beta):
    """At a distance of ``beta`` there is none."""
    inside = abs(self - target) < beta
    return where(inside, grad * grad_output * scale_of(self, reduction) / beta, 0.0)


@op(
    "smooth_l1_loss_backward", grad_fn="SmoothL1LossBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, target, reduction, beta: (
            smooth_l1_loss_backward(grad, self, target, reduction, beta)
        ),
        self=_smooth_curvature,
        target=lambda grad, grad_output, self, target, reduction, beta: (
            -_smooth_curvature(grad, grad_output, self, target, reduction, beta)
        ),
    ),
)  # fmt: skip
def smooth_l1_loss_backward(grad_output, self, target, reduction: int, beta: float):
    """The gradient of `smooth_l1_loss`: a straight line of slope ``1 / beta`` between -1 and 1."""
    difference = self - target
    norm = scale_of(self, reduction)
    outside = jnp.where(difference < 0, -norm, norm) * grad_output
    inside = norm * difference * grad_output / beta
    return jnp.where(jnp.abs(difference) >= beta, outside, inside)


@op(
    "smooth_l1_loss", grad_fn="SmoothL1LossBackward0", face="private", promotes=True,
    vjp=dict(
        self=lambda grad, self, target, reduction, beta: (
            smooth_l1_loss_backward(grad, self, target, reduction, beta)
        ),
        target=lambda grad, self, target, reduction, beta: (
            smooth_l1_loss_backward(grad, target, self, reduction, beta)
        ),
    ),
)  # fmt: skip
def smooth_l1_loss_op(self, target, reduction: int = 1, beta: float = 1.0):
    """Half the squared difference over ``beta`` up to ``beta``, linear beyond; reduced."""
    distance = jnp.abs(self - target)
    inside = 0.5 * distance * distance / beta
    return reduce_array(jnp.where(distance < beta, inside, distance - 0.5 * beta), reduction)


def _huber_curvature(grad, grad_output, self, target, reduction, delta):
    """At a distance of ``delta`` there is none."""
    return where(abs(self - target) < delta, grad * grad_output * scale_of(self, reduction), 0.0)


@op(
    "huber_loss_backward", grad_fn="HuberLossBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, target, reduction, delta: (
            huber_loss_backward(grad, self, target, reduction, delta)
        ),
        self=_huber_curvature,
        target=lambda grad, grad_output, self, target, reduction, delta: (
            -_huber_curvature(grad, grad_output, self, target, reduction, delta)
        ),
    ),
)  # fmt: skip
def huber_loss_backward(grad_output, self, target, reduction: int, delta: float):
    """The gradient of `huber_loss`: the difference, restricted to ``[-delta, delta]``."""
    difference = self - target
    norm = scale_of(self, reduction)
    outside = jnp.where(difference < 0, -norm, norm) * grad_output * delta
    return jnp.where(jnp.abs(difference) >= delta, outside, norm * difference * grad_output)


@op(
    "huber_loss", grad_fn="HuberLossBackward0", face="private", promotes=True,
    vjp=dict(
        self=lambda grad, self, target, reduction, delta: (
            huber_loss_backward(grad, self, target, reduction, delta)
        ),
        target=lambda grad, self, target, reduction, delta: (
            huber_loss_backward(grad, target, self, reduction, delta)
        ),
    ),
)  # fmt: skip
def huber_loss_op(self, target, reduction: int = 1, delta: float = 1.0):
    """Half the squared difference up to ``delta``, linear beyond; reduced."""
    if not _is_traced_number(delta) and delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    distance = jnp.abs(self - target)
    inside = 0.5 * distance * distance
    outside = delta * (distance - 0.5 * delta)
    return reduce_array(jnp.where(distance <= delta, inside, outside), reduction)


def _is_traced_number(x) -> bool:
    return not isinstance(x, int | float)


def _need_differentiable(name: str, x) -> None:
    if not types.is_differentiable(x.dtype):
        raise RuntimeError(f'"{name}" not implemented for {x.dtype}: it needs a floating dtype')


# -- torch.nn.functional ---------------------------------------------------------------------------


def _broadcast(input, target):
    """Both expanded to their common shape; PyTorch warns, since one of them is probably wrong."""
    if tuple(target.shape) == tuple(input.shape):
        return input, target
    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
        "Please ensure they have the same size.",
        stacklevel=4,
    )
    shape = broadcast_shape(input.shape, target.shape)
    return _stretched(input, shape), _stretched(target, shape)


def _stretched(x, shape):
    return x if tuple(x.shape) == tuple(shape) else expand(x, shape)


def _check_weight(weight, input) -> None:
    if tuple(weight.shape) != tuple(input.shape):
        raise ValueError("Weights and input must have the same size.")


def _weighted_mean(losses, weight, reduction):
    check_same_reduction(reduction)
    if reduction == "mean":
        return sum(losses) / sum(weight)
    return sum(losses) if reduction == "sum" else losses


@composite(face="nn")
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The squared differences of ``input`` and ``target``: their mean, sum, or each.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mse_loss(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
    Array(2., dtype=float32)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    wide_input, wide_target = _broadcast(input, target)
    if weight is None:
        return mse_loss_op(wide_input, wide_target, reduction_code(reduction))
    _check_weight(weight, input)
    return _weighted_mean(mul(pow(wide_input - wide_target, 2), weight), weight, reduction)


@composite(face="nn")
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The absolute differences of ``input`` and ``target``: their mean, sum, or each.

    The gradient at equal values is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.l1_loss(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
    Array(1., dtype=float32)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    wide_input, wide_target = _broadcast(input, target)
    distances = abs(wide_input - wide_target)
    if weight is None:
        return reduce_loss(distances, reduction_code(reduction))
    _check_weight(weight, input)
    return _weighted_mean(mul(distances, weight), weight, reduction)


@composite(face="nn")
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """`huber_loss` over ``beta``: slope 1 beyond a distance of ``beta``, smooth within.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.smooth_l1_loss(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
    Array(0.75, dtype=float32)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    input, target = _broadcast(input, target)
    if beta == 0.0:
        return reduce_loss(abs(input - target), reduction_code(reduction))
    if beta < 0:
        raise RuntimeError(
            f"smooth_l1_loss does not support negative values for beta, but got {beta}."
        )
    return smooth_l1_loss_op(input, target, reduction_code(reduction), beta)


@composite(face="nn")
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Half the squared difference up to ``delta``, linear beyond: mean, sum, or each.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.huber_loss(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
    Array(0.75, dtype=float32)
    """
    wide_input, wide_target = _broadcast(input, target)
    if weight is None:
        return huber_loss_op(wide_input, wide_target, reduction_code(reduction), delta)
    _check_weight(weight, input)
    losses = mul(huber_loss_op(wide_input, wide_target, 0, delta), weight)
    check_same_reduction(reduction)
    return reduce_loss(losses, reduction_code(reduction))


@composite(face="nn")
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence from log-probabilities ``input`` to ``target``.

    ``target * (log(target) - input)``, where ``log_target`` says that ``target`` is a logarithm
    already. ``"batchmean"`` is the mathematical definition, ``"mean"`` divides by all elements.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.kl_div(jnp.zeros((1, 2)), jnp.ones((1, 2)), reduction="batchmean")
    Array(0., dtype=float32)
    """
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next "
            "major release.",
            stacklevel=3,
        )
    legacy = legacy_reduction(size_average, reduce, reduction)
    batchmean = reduction == "batchmean"
    code = reduction_code("sum" if legacy == "batchmean" else legacy)
    for x in (input, target):
        if is_complex(x):
            raise RuntimeError("kl_div: Complex inputs not supported.")
        if not is_floating_point(x):
            raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        rest = target - input  # first, as in PyTorch: it is the order of the backward pass
        losses = exp(target) * rest
    else:
        cross = target * input
        losses = xlogy(target, target) - cross
    reduced = reduce_loss(losses, code)
    return reduced / input.shape[0] if batchmean and input.ndim else reduced
