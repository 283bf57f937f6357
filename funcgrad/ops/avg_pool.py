"""The mean of each window."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Size
from .activation import relu
from .arithmetic import mul
from .complexes import abs, sign
from .creation import zeros_like
from .max_pool import adaptive_table, check_adaptive
from .powers import pow
from .reduce import mean
from .view import squeeze, unsqueeze
from .windows import per_dim, windows_of


def _divisor(windows, plane, count_include_pad: bool):
    """The number of elements of each window, counting the padding or not."""
    counts = np.ones(())
    for n, k, s, p, out in zip(
        plane, windows.kernel, windows.stride, windows.padding, windows.out, strict=True
    ):
        start = np.arange(out) * s - p
        end = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        counts = counts[..., None] * (end - start)
    return counts


def _averaged(name, rank, x, kernel_size, stride, padding, ceil_mode, include, divisor):
    whole = x.dtype == types.index_dtype()
    if not whole and not types.is_differentiable(x.dtype):
        raise RuntimeError(f'"{name}" not implemented for {x.dtype}')
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    windows = windows_of(name, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    plane = x.shape[-rank:]
    counts = _divisor(windows, plane, include) if divisor is None else np.array(divisor)
    shape, strides, sides, base, dilation = windows.arguments(x.ndim)
    sums = lax.reduce_window(
        x, np.zeros((), x.dtype), lax.add, shape, strides, sides, base, dilation
    )
    counts = jnp.broadcast_to(counts.astype(x.dtype), sums.shape)
    return lax.div(sums, counts)  # of int64, towards zero


def _declare(rank: int):
    """`avg_pool{rank}d` and its gradient."""

    @op(
        f"avg_pool{rank}d_backward", grad_fn=f"AvgPool{rank}DBackwardBackward0", face="private",
        vjp=dict(
            grad_output=lambda grad, kernel_size, stride, padding, ceil_mode, count_include_pad,
            divisor_override: pool(
                grad, kernel_size, stride, padding, ceil_mode, count_include_pad,
                divisor_override),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(
        grad_output, self, kernel_size: Size, stride: Size, padding: Size, ceil_mode: bool,
        count_include_pad: bool, divisor_override: int | None,
    ):  # fmt: skip
        """The gradient of average pooling: each element of a window takes its share."""
        like = jax.ShapeDtypeStruct(self.shape, grad_output.dtype)
        run = jax.linear_transpose(
            lambda x: _averaged(
                f"avg_pool{rank}d", rank, x, kernel_size, stride, padding, ceil_mode,
                count_include_pad, divisor_override,
            ),
            like,
        )  # fmt: skip
        return run(grad_output)[0]

    @op(
        f"avg_pool{rank}d", grad_fn=f"AvgPool{rank}DBackward0", face="nn",
        vjp=dict(
            self=lambda grad, self, kernel_size, stride, padding, ceil_mode, count_include_pad,
            divisor_override: backward(
                grad, self, kernel_size, stride, padding, ceil_mode, count_include_pad,
                divisor_override)
        ),
    )  # fmt: skip
    def pool(
        self, kernel_size: Size, stride: Size | None = (), padding: Size = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):  # fmt: skip
        return _averaged(
            f"avg_pool{rank}d", rank, self, kernel_size, stride, padding, ceil_mode,
            count_include_pad, divisor_override,
        )  # fmt: skip

    return pool


avg_pool2d = _declare(2)
avg_pool2d.__doc__ = """The mean of each window of ``(N, C, H, W)`` or ``(C, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.avg_pool2d(jnp.arange(4.0).reshape(1, 2, 2), 2)
    Array([[[1.5]]], dtype=float32)
    """
avg_pool3d = _declare(3)
avg_pool3d.__doc__ = """The mean of each window of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.avg_pool3d(jnp.arange(8.0).reshape(1, 2, 2, 2), 2)
    Array([[[[3.5]]]], dtype=float32)
    """


@composite(face="nn")
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of ``(N, C, L)`` or ``(C, L)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.avg_pool1d(jnp.arange(4.0)[None], 2)
    Array([[0.5, 2.5]], dtype=float32)
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"avg_pool1d() Expected 2D or 3D input tensor, but got {list(input.shape)}"
        )
    kernel = per_dim(kernel_size, 1, "kernel_size")
    steps = per_dim(stride, 1, "stride") if stride is not None and stride != () else kernel
    sides = per_dim(padding, 1, "padding")
    pooled = avg_pool2d(
        unsqueeze(input, -2), (1, *kernel), (1, *steps), (0, *sides), ceil_mode, count_include_pad
    )
    return squeeze(pooled, -2)


# -- adaptive --------------------------------------------------------------------------------------


def _adaptively_averaged(x, output_size):
    """One dimension after the other, with windows of unequal lengths padded by zeros."""
    rank = len(output_size)
    for i, count in enumerate(output_size):
        dim = x.ndim - rank + i
        n = x.shape[dim]
        if n == count:
            continue
        places, real = adaptive_table(n, count)
        spread = jnp.take(x, places, axis=dim)
        tail = (1,) * (x.ndim - dim - 1)
        spread = jnp.where(real.reshape(*real.shape, *tail), spread, 0)
        lengths = real.sum(1).astype(x.dtype).reshape(-1, *tail)
        x = jnp.sum(spread, dim + 1) / lengths
    return x


def _declare(rank: int):
    """The op of one rank, and the op of its gradient: each element of a window takes its share."""

    @op(
        f"_adaptive_avg_pool{rank}d_backward", face="private",
        grad_fn=f"AdaptiveAvgPool{rank}DBackwardBackward0",
        vjp=dict(
            grad_output=lambda grad, grad_output_sym_sizes: (
                forward(grad, grad_output_sym_sizes[-rank:])),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(grad_output, self):
        """The gradient of adaptive average pooling."""
        like = jax.ShapeDtypeStruct(self.shape, grad_output.dtype)
        size = grad_output.shape[-rank:]
        return jax.linear_transpose(lambda x: _adaptively_averaged(x, size), like)(grad_output)[0]

    @op(f"_adaptive_avg_pool{rank}d", grad_fn=f"AdaptiveAvgPool{rank}DBackward0", face="private",
        vjp=dict(self=lambda grad, self: backward(grad, self)))  # fmt: skip
    def forward(self, output_size: Size):
        """The means of adaptive windows over the last dimensions."""
        return _adaptively_averaged(self, output_size)

    return forward


# The names are those of the graph nodes in PyTorch: AdaptiveAvgPool2DBackward0, ...
_BY_RANK = {2: _declare(2), 3: _declare(3)}


def _adaptive(input, output_size, rank: int):
    size = check_adaptive(f"adaptive_avg_pool{rank}d()", input, output_size, rank)
    if size == (1,) * rank:
        return mean(input, tuple(range(-rank, 0)), True)
    return _BY_RANK[rank](input, size)


@composite(face="nn")
def adaptive_avg_pool1d(input, output_size):
    """The means of ``output_size`` windows that cover the last dimension evenly.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_avg_pool1d(jnp.arange(4.0)[None], 2)
    Array([[0.5, 2.5]], dtype=float32)
    """
    (size,) = check_adaptive("adaptive_avg_pool1d()", input, output_size, 1)
    return squeeze(_adaptive(unsqueeze(input, -2), (1, size), 2), -2)


@composite(face="nn")
def adaptive_avg_pool2d(input, output_size):
    """The means of windows that cover the last two dimensions evenly; None keeps a size.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_avg_pool2d(jnp.arange(4.0).reshape(1, 2, 2), (1, None))
    Array([[[1., 2.]]], dtype=float32)
    """
    return _adaptive(input, output_size, 2)


@composite(face="nn")
def adaptive_avg_pool3d(input, output_size):
    """The means of windows that cover the last three dimensions evenly.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_avg_pool3d(jnp.arange(8.0).reshape(1, 2, 2, 2), 1)
    Array([[[[3.5]]]], dtype=float32)
    """
    return _adaptive(input, output_size, 3)


# -- power means -----------------------------------------------------------------------------------


def _lp_pool(pool, rank, input, norm_type, kernel_size, stride, ceil_mode):
    size = 1
    for k in per_dim(kernel_size, rank, "kernel_size"):
        size *= k
    stride = kernel_size if stride is None else stride
    out = pool(pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return pow(mul(sign(out) * relu(abs(out)), size), 1.0 / norm_type)


@composite(face="nn")
def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The ``norm_type``-norm of each window of the last dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lp_pool1d(jnp.array([[3.0, 4.0]]), 2, 2)
    Array([[5.]], dtype=float32)
    """
    return _lp_pool(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


@composite(face="nn")
def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The ``norm_type``-norm of each window of the last two dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lp_pool2d(jnp.array([[[3.0, 4.0]]]), 2, (1, 2))
    Array([[[5.]]], dtype=float32)
    """
    return _lp_pool(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


@composite(face="nn")
def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The ``norm_type``-norm of each window of the last three dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lp_pool3d(jnp.array([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    Array([[[[5.]]]], dtype=float32)
    """
    return _lp_pool(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)
