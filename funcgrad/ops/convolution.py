"""Convolutions and transposed convolutions over any number of dimensions."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Size
from ..together import together
from .arithmetic import add
from .pad import constant_pad_nd
from .view import expand, reshape, squeeze, unsqueeze

# -- on arrays -------------------------------------------------------------------------------------


def _forward(x, weight, stride, padding, dilation, groups):
    """The correlation of ``(N, C, ...)`` with ``(O, C / groups, ...)``."""
    return lax.conv_general_dilated(
        x, weight, stride, [(p, p) for p in padding], rhs_dilation=dilation,
        dimension_numbers=_layout(x.ndim), feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
    )  # fmt: skip


def _transposed(x, weight, stride, padding, dilation, output_padding, groups):
    """The adjoint of `_forward`: ``x`` with gaps, correlated with the mirrored weight."""
    axes = tuple(range(2, weight.ndim))
    per_group = weight.reshape(groups, -1, *weight.shape[1:])
    mirrored = jnp.flip(per_group.swapaxes(1, 2), [a + 1 for a in axes])
    kernel = mirrored.reshape(-1, mirrored.shape[2], *weight.shape[2:])
    reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    pads = [
        (r - p, r - p + extra) for r, p, extra in zip(reach, padding, output_padding, strict=True)
    ]
    return lax.conv_general_dilated(
        x, kernel, (1,) * len(axes), pads, lhs_dilation=stride, rhs_dilation=dilation,
        dimension_numbers=_layout(x.ndim), feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
    )  # fmt: skip


def _layout(rank: int):
    order = tuple(range(rank))
    return lax.ConvDimensionNumbers(order, order, order)


def _convolved(x, weight, stride, padding, dilation, transposed, output_padding, groups):
    if transposed:
        return _transposed(x, weight, stride, padding, dilation, output_padding, groups)
    return _forward(x, weight, stride, padding, dilation, groups)


# -- the ATen op -----------------------------------------------------------------------------------


def _along_channels(vector, like):
    return reshape(vector, (1, -1, *(1,) * (like.ndim - 2)))


def _backward_grad(
    grad_output, input, weight, stride, padding, dilation, transposed, output_padding, groups,
    grad_result0=None, grad_result1=None, grad_result2=None,
):  # fmt: skip
    geometry = stride, padding, dilation, transposed, output_padding, groups
    terms = []
    if grad_result0 is not None:
        terms.append(convolution(grad_result0, weight, None, *geometry))
    if grad_result1 is not None:
        terms.append(convolution(input, grad_result1, None, *geometry))
    if grad_result2 is not None:
        bias = _along_channels(grad_result2, grad_output)
        terms.append(expand(bias, tuple(grad_output.shape)))
    return functools.reduce(add, terms)


@op(
    "_convolution_gradients", grad_fn="ConvolutionBackwardBackward0", face="private",
    outputs=("result0", "result1", "result2"),
    vjp=dict(
        grad_output=_backward_grad,
        input=lambda grad_output, input, stride, padding, dilation, transposed, output_padding,
        groups, grad_result1=None: convolution_backward(
            grad_output, input, grad_result1, stride, padding, dilation, transposed,
            output_padding, groups, (1, 0, 0))[0],
        weight=lambda grad_output, weight, stride, padding, dilation, transposed, output_padding,
        groups, grad_result0=None: convolution_backward(
            grad_output, grad_result0, weight, stride, padding, dilation, transposed,
            output_padding, groups, (0, 1, 0))[1],
    ),
)  # fmt: skip
def convolution_backward(
    grad_output, input, weight, stride: Size, padding: Size, dilation: Size, transposed: bool,
    output_padding: Size, groups: int, output_mask: Size,
):  # fmt: skip
    """The gradients of `convolution` with respect to input, weight and bias.

    ``output_mask``: three numbers, 0 for those that are not needed and come out empty.
    """

    def run(x, w):
        return _convolved(x, w, stride, padding, dilation, transposed, output_padding, groups)

    none = jnp.zeros(0, grad_output.dtype)
    of_input = jax.linear_transpose(lambda x: run(x, jnp.conj(weight)), input)
    of_weight = jax.linear_transpose(lambda w: run(jnp.conj(input), w), weight)
    return (
        of_input(grad_output)[0] if output_mask[0] else none,
        of_weight(grad_output)[0] if output_mask[1] else none,
        jnp.sum(grad_output, (0, *range(2, grad_output.ndim))) if output_mask[2] else none,
    )


def _backward(
    mask, grad, input, weight, stride, padding, dilation, transposed, output_padding, groups
):
    return convolution_backward(
        grad, input, weight, stride, padding, dilation, transposed, output_padding, groups, mask
    )


@op(
    "convolution", grad_fn="ConvolutionBackward0", face="private",
    vjp=together(_backward, "input", "weight", "bias"),
)  # fmt: skip
def convolution(
    input, weight, bias, stride: Size, padding: Size, dilation: Size, transposed: bool,
    output_padding: Size, groups: int,
):  # fmt: skip
    """Every convolution, plain or transposed, of a batch ``(N, C, ...)``."""
    _check(input, weight, bias, stride, padding, dilation, transposed, groups)
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"Input type ({input.dtype}) and weight type ({weight.dtype}) should be the same"
        )
    out = _convolved(input, weight, stride, padding, dilation, transposed, output_padding, groups)
    return out if bias is None else out + bias.reshape(-1, *(1,) * (out.ndim - 2))


def _check(input, weight, bias, stride, padding, dilation, transposed, groups) -> None:
    """PyTorch's checks, in its order."""
    if any(p < 0 for p in padding):
        raise RuntimeError("negative padding is not supported")
    if any(s <= 0 for s in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise RuntimeError("dilation should be greater than zero")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    channels = weight.shape[0] if transposed else weight.shape[1] * groups
    given = f"Given groups={groups}, weight of size {list(weight.shape)}"
    if weight.shape[0] < groups or weight.shape[0] % groups:
        raise RuntimeError(
            f"{given}, expected weight to be at least {groups} at dimension 0 and divisible by it"
        )
    if input.shape[1] != channels:
        raise RuntimeError(
            f"{given}, expected input{list(input.shape)} to have {channels} channels, but got "
            f"{input.shape[1]} channels instead"
        )
    features = weight.shape[1] * groups if transposed else weight.shape[0]
    if bias is not None and tuple(bias.shape) != (features,):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with "
            f"{features} elements, but got bias of size {list(bias.shape)} instead"
        )
    if not transposed:
        _check_extent(input, weight, padding, dilation)


def _check_extent(input, weight, padding, dilation) -> None:
    have = [n + 2 * p for n, p in zip(input.shape[2:], padding, strict=True)]
    need = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(n < k for n, k in zip(have, need, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, have))}). Kernel "
            f"size: ({' x '.join(map(str, need))}). Kernel size can't be greater than actual "
            "input size"
        )


# -- torch.nn.functional ---------------------------------------------------------------------------


def _per_dim(value, rank: int, name: str) -> tuple[int, ...]:
    """One number for all dimensions, or one for each."""
    if isinstance(value, int):
        return (value,) * rank
    value = tuple(value)
    if len(value) == 1:
        return value * rank
    if len(value) != rank:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {rank} values to match "
            f"the convolution dimensions, but got {name}={list(value)}"
        )
    return value


def _batched(name: str, input, rank: int):
    """``input`` with a batch dimension, and whether it had one."""
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got "
            f"input of size: {list(input.shape)}"
        )
    batched = input.ndim == rank + 2
    return (input if batched else unsqueeze(input, 0)), batched


def _same_padding(input, weight, dilation):
    """Padding that keeps the size; what cannot be split evenly goes to the right, by `pad`."""
    reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(r % 2 for r in reach):
        extra = [n for r in reversed(reach) for n in (0, r % 2)]
        input = constant_pad_nd(input, extra, 0)
    return input, tuple(r // 2 for r in reach)


def _conv(rank: int, input, weight, bias, stride, padding, dilation, groups):
    input, batched = _batched(f"conv{rank}d", input, rank)
    stride = _per_dim(stride, rank, "stride")
    dilation = _per_dim(dilation, rank, "dilation")
    if padding == "same":
        if any(s != 1 for s in stride):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        input, padding = _same_padding(input, weight, dilation)
    elif padding == "valid":
        padding = 0
    elif isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    padding = _per_dim(padding, rank, "padding")
    out = convolution(input, weight, bias, stride, padding, dilation, False, (0,) * rank, groups)
    return out if batched else squeeze(out, 0)


def _conv_transpose(
    rank: int, input, weight, bias, stride, padding, output_padding, groups, dilation
):
    input, batched = _batched(f"conv_transpose{rank}d", input, rank)
    stride = _per_dim(stride, rank, "stride")
    padding = _per_dim(padding, rank, "padding")
    dilation = _per_dim(dilation, rank, "dilation")
    extra = _per_dim(output_padding, rank, "output_padding")
    for extent, s, d in zip(extra, stride, dilation, strict=True):
        if extent >= max(s, d):
            raise RuntimeError(
                "output padding must be smaller than either stride or dilation, but got "
                f"output_padding: {list(extra)} stride: {list(stride)} dilation: {list(dilation)}"
            )
    out = convolution(input, weight, bias, stride, padding, dilation, True, extra, groups)
    return out if batched else squeeze(out, 0)


@composite(face="nn")
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The correlation of ``(N, C, L)`` or ``(C, L)`` with ``(O, C / groups, K)``.

    ``padding`` is a number or ``"same"`` or ``"valid"``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv1d(jnp.ones((1, 1, 3)), jnp.ones((1, 1, 2)))
    Array([[[2., 2.]]], dtype=float32)
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


@composite(face="nn")
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The correlation of ``(N, C, H, W)`` or ``(C, H, W)`` with ``(O, C / groups, KH, KW)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv2d(jnp.ones((1, 1, 2, 3)), jnp.ones((1, 1, 2, 2)))
    Array([[[[4., 4.]]]], dtype=float32)
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


@composite(face="nn")
def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The correlation of ``(N, C, D, H, W)`` with ``(O, C / groups, KD, KH, KW)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv3d(jnp.ones((1, 2, 2, 2)), jnp.ones((1, 1, 2, 2, 2)))
    Array([[[[8.]]]], dtype=float32)
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@composite(face="nn")
def conv_transpose1d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The adjoint of `conv1d` with the same weight, ``(C, O / groups, K)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv_transpose1d(jnp.ones((1, 1, 2)), jnp.ones((1, 1, 2)))
    Array([[[1., 2., 1.]]], dtype=float32)
    """
    return _conv_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@composite(face="nn")
def conv_transpose2d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The adjoint of `conv2d` with the same weight, ``(C, O / groups, KH, KW)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv_transpose2d(jnp.ones((1, 1, 1, 2)), jnp.ones((1, 1, 1, 2)))
    Array([[[[1., 2., 1.]]]], dtype=float32)
    """
    return _conv_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@composite(face="nn")
def conv_transpose3d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The adjoint of `conv3d` with the same weight, ``(C, O / groups, KD, KH, KW)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conv_transpose3d(jnp.ones((1, 1, 1, 1, 1)), jnp.ones((1, 1, 1, 1, 2)))
    Array([[[[[1., 1.]]]]], dtype=float32)
    """
    return _conv_transpose(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


for _function in (conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d):
    composite(_function.name, face="torch")(_function.fn)
