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
from ..together import together
from .arithmetic import add, div, mul, neg, sub
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


def pull_back(grad, x, dims, eps):
    """The gradient through ``x -> (x - mean) / deviation``, and what that is.

    The statistics are computed again from the input, so that they too are differentiated when this
    is; a compiled program that has both computes them once.
    """
    center, scale = moments(x, dims, eps)
    standard = (x - center) * scale
    along = jnp.mean(grad * standard, dims, keepdims=True)
    return scale * (grad - jnp.mean(grad, dims, keepdims=True) - standard * along), standard


# -- layer norm ------------------------------------------------------------------------------------


def _last(input, normalized_shape) -> tuple[int, ...]:
    return tuple(range(len(input.shape) - len(normalized_shape), len(input.shape)))


def _implied_eps(x, scale, dims):
    """What was added to the variance, from one over the deviation: a constant."""
    variance = jnp.var(lax.stop_gradient(x), dims, keepdims=True)
    return 1 / jnp.square(lax.stop_gradient(scale)) - variance


@op(
    "_layer_norm_gradients", grad_fn="NativeLayerNormBackwardBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=derived(
        "grad_out", "input", "mean", "rstd", "weight", "bias",
        input=(0, 1), mean=(), rstd=(), weight=(0,), bias=(),
    ),
)  # fmt: skip
def native_layer_norm_backward(
    grad_out, input, normalized_shape: Size, mean, rstd, weight, bias, output_mask: Size
):
    """The gradients of `layer_norm` with respect to input, weight and bias."""
    x, grad = wide(input), wide(grad_out)
    dims = _last(input, normalized_shape)
    lead = tuple(range(x.ndim - len(normalized_shape)))
    weighted = grad if weight is None else grad * wide(weight)
    pulled, standard = pull_back(weighted, x, dims, _implied_eps(x, rstd, dims))
    found = pulled, jnp.sum(grad * standard, lead), jnp.sum(grad, lead)
    return masked(found, output_mask, grad_out.dtype)


def masked(found, output_mask, dtype):
    """The gradients that are needed; nothing for the others."""
    none = jnp.zeros(0, dtype)
    pairs = zip(found, output_mask, strict=True)
    return tuple(types.cast(x, dtype) if needed else none for x, needed in pairs)


@op(
    "native_layer_norm", grad_fn="NativeLayerNormBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=together(
        lambda mask, grad_result0, input, normalized_shape, result1, result2, weight, bias: (
            native_layer_norm_backward(
                grad_result0, input, normalized_shape, result1, result2, weight, bias, mask)
        ),
        "input", "weight", "bias",
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


@op(
    "unsqueeze_.made", grad_fn="UnsqueezeBackward1", face="private",
    vjp=dict(self=lambda grad, dim: squeeze(grad, dim)),
)  # fmt: skip
def _unsqueezed(self, dim: int):
    """What a formula does to its own result, in place."""
    return jnp.expand_dims(self, dim)


def _group_backward(
    mask, grad_result0, input, weight, result1, result2, N, C, HxW, group,
    grad_result1=None, grad_result2=None,
):  # fmt: skip
    """A formula in ops, which are recorded one by one."""
    members = C // group
    shape = N, group, members, HxW
    x, grad = (reshape(_widened(x), shape) for x in (input, grad_result0))
    center, scale = (reshape(x, (N, group, 1, 1)) for x in (result1, result2))
    of_x = _unsqueezed(sum_dim(mul(grad, x), (3,)), -1)
    of_one = _unsqueezed(sum_dim(grad, (3,)), -1)
    pulled = of_weight = of_bias = None
    if mask[0]:
        slope = None if weight is None else reshape(weight, (1, group, members, 1))

        def over_group(sums):
            weighted = sums if slope is None else mul(sums, slope)
            return _unsqueezed(sum_dim(weighted, (2,)), -2)

        share = 1 / (members * HxW) if members * HxW else 0.0
        along, level = over_group(of_x), over_group(of_one)
        cube = mul(mul(scale, scale), scale)
        tilt = mul(mul(sub(mul(level, center), along), cube), share)
        shift = sub(mul(neg(tilt), center), mul(mul(level, scale), share))
        steep = scale if slope is None else mul(scale, slope)
        pulled = add(add(mul(steep, grad), mul(tilt, x)), shift)
        if grad_result1 is not None:
            pulled = pulled + reshape(grad_result1, (N, group, 1, 1)) * share
        if grad_result2 is not None:
            turned = reshape(grad_result2, (N, group, 1, 1)) * cube * -share
            pulled = pulled + turned * (x - center)
        pulled = reshape(pulled, tuple(input.shape))
    if mask[1]:
        spread = mul(sub(of_x, mul(of_one, center)), scale)
        of_weight = reshape(sum_dim(spread, (0,)), (C,))
    if mask[2]:
        of_bias = reshape(sum_dim(of_one, (0,)), (C,))
    return pulled, of_weight, of_bias


def _widened(x):
    """`wide` as an op."""
    return to_dtype(x, jnp.float32) if jnp.dtype(x.dtype).itemsize == 2 else x


@op(
    "native_group_norm", grad_fn="NativeGroupNormBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=together(_group_backward, "input", "weight", "bias"),
)  # fmt: skip
def native_group_norm(input, weight, bias, N: int, C: int, HxW: int, group: int, eps: float):
    """`group_norm`, the means and one over the deviations."""
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
