"""Batch and instance normalization."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Size
from ..together import together
from .copying import clone
from .normalization import check_several, masked, moments, pull_back, wide
from .rearrange import repeat
from .view import reshape


def _all_but_channels(rank: int) -> tuple[int, ...]:
    return (0, *range(2, rank))


def _along_channels(vector, rank: int):
    return wide(vector).reshape(1, -1, *(1,) * (rank - 2))


def _gradients(grad_out, input, weight, output_mask, pull_back):
    """``pull_back``: what a gradient becomes before the weight, and the standardized input."""
    x, grad = wide(input), wide(grad_out)
    weighted = grad if weight is None else grad * _along_channels(weight, x.ndim)
    pulled, standard = pull_back(weighted, x)
    dims = _all_but_channels(x.ndim)
    found = pulled, jnp.sum(grad * standard, dims), jnp.sum(grad, dims)
    return masked(found, output_mask, grad_out.dtype)


@op(
    "_batch_norm_backward", grad_fn="NativeBatchNormBackwardBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=derived(
        "grad_out", "input", "weight", "save_mean", "save_invstd",
        input=(0, 1), weight=(0,), save_mean=(), save_invstd=(),
    ),
)  # fmt: skip
def _batch_backward(grad_out, input, weight, save_mean, save_invstd, eps: float, output_mask: Size):
    """The gradients of `batch_norm` in training with respect to input, weight and bias."""
    dims = _all_but_channels(input.ndim)
    return _gradients(
        grad_out, input, weight, output_mask, lambda grad, x: pull_back(grad, x, dims, eps)
    )


@op(
    "_running_norm_backward", grad_fn="NativeBatchNormBackwardBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=derived(
        "grad_out", "input", "weight", "save_mean", "save_invstd",
        input=(1,), weight=(0,), save_mean=(), save_invstd=(),
    ),
)  # fmt: skip
def _running_backward(
    grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, eps: float,
    output_mask: Size,
):  # fmt: skip
    """The gradients of `batch_norm` with the running statistics, which are constants."""

    def scaled(grad, x):
        center, variance = (_along_channels(v, x.ndim) for v in (running_mean, running_var))
        scale = lax.rsqrt(variance + eps)
        return grad * scale, (x - center) * scale

    return _gradients(grad_out, input, weight, output_mask, scaled)


def _backward(
    mask, grad_result0, input, weight, running_mean, running_var, result1, result2, training, eps
):
    if training:
        return _batch_backward(grad_result0, input, weight, result1, result2, eps, mask)
    running = running_mean, running_var
    return _running_backward(grad_result0, input, weight, *running, result1, result2, eps, mask)


@op(
    "native_batch_norm", grad_fn="NativeBatchNormBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=together(_backward, "input", "weight", "bias"),
)  # fmt: skip
def native_batch_norm(
    input, weight, bias, running_mean, running_var, training: bool, momentum: float, eps: float
):
    """`batch_norm`, the means and one over the deviations; both empty without training.

    Unlike ATen's op it does not touch the running statistics: see `batch_norm_statistics`.
    """
    x = wide(input)
    shape = (1, -1, *(1,) * (input.ndim - 2))
    if training:
        center, scale = moments(x, _all_but_channels(input.ndim), eps)
        saved = center.reshape(-1), scale.reshape(-1)
    else:
        center = wide(running_mean).reshape(shape)
        scale = 1 / jnp.sqrt(wide(running_var).reshape(shape) + eps)
        saved = (jnp.zeros(0, x.dtype),) * 2
    slope = scale if weight is None else scale * wide(weight).reshape(shape)
    shift = -center * slope
    shift = shift if bias is None else wide(bias).reshape(shape) - center * slope
    return types.cast(x * slope + shift, input.dtype), *saved


@op("_batch_norm_statistics", face="private", outputs=("running_mean", "running_var"))
def _batch_norm_statistics(input, running_mean, running_var, momentum: float):
    """The running statistics after one more batch."""
    dims = _all_but_channels(input.ndim)
    x = wide(input)
    count = x.size // max(x.shape[1], 1)
    center = jnp.mean(x, dims)
    squares = jnp.sum(jnp.square(x - center.reshape(1, -1, *(1,) * (x.ndim - 2))), dims)
    unbiased = squares / (count - 1)
    return (
        types.cast(momentum * center + (1 - momentum) * running_mean, running_mean.dtype),
        types.cast(momentum * unbiased + (1 - momentum) * running_var, running_var.dtype),
    )


@composite(face="private")
def batch_norm_statistics(input, running_mean, running_var, momentum=0.1):
    """The running statistics that PyTorch's `batch_norm` writes in place in training.

    ``(1 - momentum) * running + momentum * batch``, with the unbiased variance of the batch.

    >>> import jax.numpy as jnp, funcgrad
    >>> x = jnp.array([[1.0], [3.0]])
    >>> funcgrad.batch_norm_statistics(x, jnp.zeros(1), jnp.ones(1), 0.5)
    (Array([1.], dtype=float32), Array([1.5], dtype=float32))
    """
    return _batch_norm_statistics(input, running_mean, running_var, momentum)


@composite(face="nn")
def batch_norm(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1,
    eps=1e-5,
):  # fmt: skip
    """Mean 0 and variance 1 for each channel (dimension 1), then times ``weight`` plus ``bias``.

    In training with the statistics of the batch, else with the running ones. The running ones are
    not changed here: `batch_norm_statistics` gives their next values.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.batch_norm(jnp.array([[1.0], [3.0]]), None, None, training=True).round(3)
    Array([[-1.],
           [ 1.]], dtype=float32)
    """
    if training:
        check_several(input.shape)
    if 0 in tuple(input.shape):
        return clone(input)
    _check_batch(input, running_mean, running_var, weight, bias, training)
    if training:
        running_mean = running_var = None
    return native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]


def _check_batch(input, running_mean, running_var, weight, bias, training) -> None:
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError(
            "running_mean must be defined in evaluation mode, and running_var: there are no "
            "statistics to normalize with when training=False"
        )
    channels = input.shape[1]
    named = dict(running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    for name, value in named.items():
        if value is not None and tuple(value.shape) != (channels,):
            raise RuntimeError(
                f"{name} should contain {channels} elements not {math.prod(value.shape)}"
            )


@composite(face="nn")
def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
    momentum=0.1, eps=1e-5,
):  # fmt: skip
    """`batch_norm` of each example of the batch by itself.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.instance_norm(jnp.array([[[1.0, 3.0]]])).round(3)
    Array([[[-1.,  1.]]], dtype=float32)
    """
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{tuple(input.shape)}"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    batch, channels, *inner = input.shape
    each = [
        None if x is None else repeat(x, (batch,))
        for x in (running_mean, running_var, weight, bias)
    ]
    if use_input_stats:
        each[:2] = None, None
    mean_, var_, weight_, bias_ = each
    out = native_batch_norm(
        reshape(input, (1, batch * channels, *inner)), weight_, bias_, mean_, var_,
        use_input_stats, momentum, eps,
    )[0]  # fmt: skip
    return reshape(out, tuple(input.shape))
