"""Patches of images as columns, and columns put back where they overlap."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..composite import composite
from ..op import op
from ..signature import Size
from .windows import per_dim


def _patch_places(n: int, kernel: int, dilation: int, padding: int, stride: int):
    """The places of each patch in a padded dimension: (kernel, patches)."""
    count = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    return np.arange(kernel)[:, None] * dilation + np.arange(max(count, 0)) * stride


def _columns(x, kernel, dilation, padding, stride):
    """``(N, C, H, W)`` as ``(N, C * KH * KW, patches)``."""
    rows, cols = (
        _patch_places(*args)
        for args in zip(x.shape[-2:], kernel, dilation, padding, stride, strict=True)
    )
    padded = jnp.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    patches = padded[:, :, rows[:, None, :, None], cols[None, :, None, :]]
    area = kernel[0] * kernel[1]
    return patches.reshape(x.shape[0], x.shape[1] * area, rows.shape[1] * cols.shape[1])


def _batched(x, rank: int):
    return x if x.ndim == rank else x[None]


@op(
    "im2col", grad_fn="Im2ColBackward0", face="private",
    vjp=dict(self=lambda grad, self_sym_sizes, kernel_size, dilation, padding, stride: (
        col2im(grad, self_sym_sizes[-2:], kernel_size, dilation, padding, stride)
    )),
)  # fmt: skip
def im2col(self, kernel_size: Size, dilation: Size, padding: Size, stride: Size):
    """The patches of ``(N, C, H, W)`` or ``(C, H, W)`` as columns."""
    if self.ndim not in (3, 4) or 0 in self.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(self.shape)}"
        )
    columns = _columns(_batched(self, 4), kernel_size, dilation, padding, stride)
    if not columns.shape[2]:
        raise RuntimeError(
            f"Given input with spatial size {tuple(self.shape[-2:])}, kernel_size={kernel_size}, "
            f"dilation={dilation}, padding={padding}, calculated shape of the array of sliding "
            "blocks is too small (non-positive)"
        )
    return columns if self.ndim == 4 else columns[0]


@op(
    "col2im", grad_fn="Col2ImBackward0", face="private",
    vjp=dict(self=lambda grad, kernel_size, dilation, padding, stride: (
        im2col(grad, kernel_size, dilation, padding, stride)
    )),
)  # fmt: skip
def col2im(self, output_size: Size, kernel_size: Size, dilation: Size, padding: Size, stride: Size):
    """Columns added up where they come from: the adjoint of `im2col`."""
    columns = _batched(self, 3)
    area = kernel_size[0] * kernel_size[1]
    counts = [
        _patch_places(*args).shape[1]
        for args in zip(output_size, kernel_size, dilation, padding, stride, strict=True)
    ]
    if columns.ndim != 3 or columns.shape[1] % area:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={list(self.shape)} and kernel_size={kernel_size}."
        )
    if columns.shape[2] != counts[0] * counts[1]:
        raise RuntimeError(
            f"Given output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match "
            f"the calculated number of sliding blocks {counts[0]} * {counts[1]}, but got "
            f"input.size(2)={columns.shape[2]}."
        )
    shape = (columns.shape[0], columns.shape[1] // area, *output_size)
    like = jax.ShapeDtypeStruct(shape, self.dtype)
    run = jax.linear_transpose(lambda x: _columns(x, kernel_size, dilation, padding, stride), like)
    image = run(columns)[0]
    return image if self.ndim == 3 else image[0]


def _pairs(**named):
    return [per_dim(value, 2, name) for name, value in named.items()]


@composite(face="nn")
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The patches of images ``(N, C, H, W)`` as columns ``(N, C * KH * KW, patches)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ops.im2col.unfold(jnp.arange(4.0).reshape(1, 1, 2, 2), 2)[0, :, 0]
    Array([0., 1., 2., 3.], dtype=float32)
    """
    return im2col(
        input,
        *_pairs(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride),
    )


@composite(face="nn")
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns ``(N, C * KH * KW, patches)`` added up to images ``(N, C, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fold(jnp.ones((1, 2, 2)), (1, 3), (1, 2))
    Array([[[[1., 2., 1.]]]], dtype=float32)
    """
    return col2im(
        input,
        *_pairs(
            output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding,
            stride=stride,
        ),
    )  # fmt: skip
