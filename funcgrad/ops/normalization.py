"""Layer, group, RMS and local response normalization, and what batch normalization shares."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Size
from .arithmetic import add, div, mul
from .avg_pool import avg_pool2d, avg_pool3d
from .copying import to_dtype
from .pad import constant_pad_nd
from .powers import pow, rsqrt
from .reduce import mean, sum_dim
from .view import reshape, squeeze, unsqueeze
from .with_number import add_number

# -- what all of them do ---------------------------------------------------------------------------


def wide(x):
    """16-bit floats are computed with 32 bits."""
    return None if x is None else types.cast(x, jnp.float32) if x.dtype.itemsize == 2 else x


def moments(x, dims, eps):
    """The mean over ``dims`` and one over the standard deviation, dimensions kept."""
    center = jnp.mean(x, dims, keepdims=True)
    return center, lax.rsqrt(jnp.mean(jnp.square(x - center), dims, keepdims=True) + eps)


def _grouped(x, shape):
    return x.reshape(shape) if shape else x


def _declare_backward(name: str, grad_fn: str):
    """The op that pulls a gradient back through ``x -> (x - mean) / deviation``.

    The statistics are computed again from the input, so that they too are differentiated when the
    op is; a compiled program that has both computes them once.
    """

    @op(name, grad_fn=grad_fn, face="private", vjp=derived("grad_output", "input"))
    def backward(grad_output, input, shape: Size, dims: Size, eps: float):
        x, grad = _grouped(wide(input), shape), _grouped(wide(grad_output), shape)
        center, scale = moments(x, dims, eps)
        standard = (x - center) * scale
        along = jnp.mean(grad * standard, dims, keepdims=True)
        pulled = scale * (grad - jnp.mean(grad, dims, keepdims=True) - standard * along)
        return types.cast(pulled.reshape(input.shape), grad_output.dtype)

    return backward


_layer_backward = _declare_backward(
    "_layer_norm_backward_input", "NativeLayerNormBackwardBackward0"
)
batch_backward = _declare_backward("_batch_norm_backward_input", "NativeBatchNormBackwardBackward0")
_group_backward = _declare_backward(
    "_group_norm_backward_input", "NativeGroupNormBackwardBackward0"
)


@op("_standardize", grad_fn="StandardizeBackward0", face="private",
    vjp=dict(input=lambda grad, input, shape, dims, eps: (
        batch_backward(grad, input, shape, dims, eps)
    )))  # fmt: skip
def standardize(input, shape: Size, dims: Size, eps: float):
    """``input`` with mean 0 and variance 1 over ``dims``."""
    x = _grouped(wide(input), shape)
    center, scale = moments(x, dims, eps)
    return types.cast(((x - center) * scale).reshape(input.shape), input.dtype)


def along_channels(vector, rank: int):
    return reshape(vector, (1, -1, *(1,) * (rank - 2)))


def over_channels(x):
    """The sum over everything but dimension 1."""
    return sum_dim(x, (0, *range(2, x.ndim)))


# -- layer norm ------------------------------------------------------------------------------------


def _last(input, normalized_shape) -> tuple[int, ...]:
    return tuple(range(len(input.shape) - len(normalized_shape), len(input.shape)))


@op("_implied_eps", face="private")
def _implied_eps(input, scale, dims: Size):
    """What was added to the variance, from one over the deviation: a constant."""
    x = lax.stop_gradient(wide(input))
    return 1 / jnp.square(lax.stop_gradient(scale)) - jnp.var(x, dims, keepdims=True)


def _layer_input(grad, input, normalized_shape, weight, scale):
    grad = grad if weight is None else grad * weight
    dims = _last(input, normalized_shape)
    return _layer_backward(grad, input, (), dims, _implied_eps(input, scale, dims))


def _leading_sum(x, normalized_shape):
    lead = tuple(range(x.ndim - len(normalized_shape)))
    return sum_dim(x, lead) if lead else x


def _layer_weight(grad, input, normalized_shape, scale):
    dims = _last(input, normalized_shape)
    standard = standardize(input, (), dims, _implied_eps(input, scale, dims))
    return _leading_sum(grad * standard, normalized_shape)


@op(
    "native_layer_norm", grad_fn="NativeLayerNormBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=dict(
        input=lambda grad_result0, input, normalized_shape, weight, result2: (
            _layer_input(grad_result0, input, normalized_shape, weight, result2)
        ),
        weight=lambda grad_result0, input, normalized_shape, result2: (
            _layer_weight(grad_result0, input, normalized_shape, result2)
        ),
        bias=lambda grad_result0, normalized_shape: _leading_sum(grad_result0, normalized_shape),
    ),
)  # fmt: skip
def native_layer_norm(input, normalized_shape: Size, weight, bias, eps: float):
    """`layer_norm`, the means and one over the deviations."""
    _check_layer(input, normalized_shape, weight, bias)
    x = wide(input)
    center, scale = moments(x, _last(input, normalized_shape), eps)
    out = (x - center) * scale
    out = out if weight is None else out * wide(weight)
    out = out if bias is None else out + wide(bias)
    return types.cast(out, input.dtype), center, scale


def _check_layer(input, normalized_shape, weight, bias) -> None:
    wanted = tuple(normalized_shape)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(value.shape)} and normalized_shape = {list(wanted)}"
            )
    if tuple(input.shape[-len(wanted) :]) != wanted:
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape "
            f"[*, {str(list(wanted))[1:-1]}], but got input of size{list(input.shape)}"
        )


@composite(face="nn")
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Mean 0 and variance 1 over the last dimensions, then times ``weight`` plus ``bias``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.layer_norm(jnp.array([[1.0, 3.0]]), (2,)).round(3)
    Array([[-1.,  1.]], dtype=float32)
    """
    return native_layer_norm(input, normalized_shape, weight, bias, eps)[0]


def check_several(shape) -> None:
    """Statistics of a single value say nothing."""
    if math.prod(shape) and math.prod([shape[0], *shape[2:]]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {tuple(shape)}"
        )


# -- group norm ------------------------------------------------------------------------------------


def _group_input(grad, input, weight, N, C, HxW, group, eps):
    grad = grad if weight is None else grad * along_channels(weight, grad.ndim)
    return _group_backward(grad, input, (N, group, C // group * HxW), (2,), eps)


def _group_weight(grad, input, N, C, HxW, group, eps):
    standard = standardize(input, (N, group, C // group * HxW), (2,), eps)
    return over_channels(grad * standard)


@op(
    "native_group_norm", grad_fn="NativeGroupNormBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=dict(
        input=lambda grads, input, weight, N, C, HxW, group, eps: (
            _group_input(grads[0], input, weight, N, C, HxW, group, eps)
        ),
        weight=lambda grads, input, N, C, HxW, group, eps: (
            _group_weight(grads[0], input, N, C, HxW, group, eps)
        ),
        bias=lambda grads: over_channels(grads[0]),
    ),
)  # fmt: skip
def native_group_norm(input, weight, bias, N: int, C: int, HxW: int, group: int, eps: float):
    """`group_norm`, the means and one over the deviations, whose gradients count for nothing."""
    x = wide(input).reshape(N, group, C // group * HxW)
    center, scale = moments(x, (2,), eps)
    out = ((x - center) * scale).reshape(input.shape)
    ones = (1,) * (input.ndim - 2)
    out = out if weight is None else out * wide(weight).reshape(1, -1, *ones)
    out = out if bias is None else out + wide(bias).reshape(1, -1, *ones)
    return types.cast(out, input.dtype), center[..., 0], scale[..., 0]


@composite(face="nn")
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Mean 0 and variance 1 over each of ``num_groups`` groups of channels (dimension 1).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.group_norm(jnp.array([[1.0, 3.0]]), 1).round(3)
    Array([[-1.,  1.]], dtype=float32)
    """
    if input.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.ndim}"
        )
    batch, channels, *inner = input.shape
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={num_groups}"
        )
    check_several([batch * channels // num_groups, num_groups, *inner])
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input,"
                f" but got {name} of shape {list(value.shape)} and input of shape "
                f"{list(input.shape)}"
            )
    return native_group_norm(
        input, weight, bias, batch, channels, math.prod(inner), num_groups, eps
    )[0]


# -- without a mean --------------------------------------------------------------------------------


@composite(face="nn")
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """``input`` over its root mean square along the last dimensions, times ``weight``.

    ``eps`` is the machine epsilon of the dtype unless given.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rms_norm(jnp.array([[3.0, 3.0]]), (2,))
    Array([[1., 1.]], dtype=float32)
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check_layer(input, shape, weight, None)
    dtype = jnp.dtype(input.dtype)
    eps = float(jnp.finfo(dtype).eps) if eps is None else eps
    x = to_dtype(input, jnp.float32) if dtype.itemsize == 2 else input
    dims = tuple(range(-len(shape), 0))
    scaled = mul(x, rsqrt(add_number(mean(pow(x, 2), dims, True), eps)))
    if dtype.itemsize == 2:
        scaled = to_dtype(scaled, input.dtype)
    return scaled if weight is None else mul(scaled, weight)


@composite(face="nn")
def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """``input`` over a power of the mean square of ``size`` neighbouring channels.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.local_response_norm(jnp.ones((1, 1, 1)), 1, alpha=3.0, beta=0.5)
    Array([[[0.5]]], dtype=float32)
    """
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if 0 in tuple(input.shape):
        return input
    squares = mul(input, input)
    before, after = size // 2, (size - 1) // 2
    if input.ndim == 3:
        squares = constant_pad_nd(unsqueeze(squares, 1), (0, 0, before, after), 0)
        averages = squeeze(avg_pool2d(squares, (size, 1), 1), 1)
    else:
        batch, channels, height, *_ = input.shape
        squares = reshape(squares, (batch, 1, channels, height, -1))
        squares = constant_pad_nd(squares, (0, 0, 0, 0, before, after), 0)
        averages = squeeze(avg_pool3d(squares, (size, 1, 1), 1), 1)
        averages = reshape(averages, tuple(input.shape))
    return div(input, pow(add(mul(averages, alpha), k), beta))
