"""Values put back to where max pooling took them from."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..composite import composite
from ..op import op
from ..signature import Size
from .scatter import gather
from .view import reshape, squeeze, unsqueeze
from .windows import per_dim


def _put_back(self, indices, output_size, rank: int):
    """Zeros of ``output_size`` with ``self`` at ``indices`` into each plane; the last one stays."""
    if indices.shape != self.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor {list(self.shape)}, "
            f"but got indices tensor with shape: {list(indices.shape)}"
        )
    lead = self.shape[: self.ndim - rank]
    plane = 1
    for n in output_size:
        plane *= n
    values, places = self.reshape(*lead, -1), indices.reshape(*lead, -1)
    base = jnp.zeros((*lead, plane), self.dtype)
    made = jnp.put_along_axis(base, places, values, -1, inplace=False, mode="drop")
    return made.reshape(*lead, *output_size)


def _taken(grad, indices, rank: int):
    """What of ``grad`` is at ``indices`` into each plane."""
    lead = grad.shape[: grad.ndim - rank]
    flat = reshape(grad, (*lead, math.prod(grad.shape[grad.ndim - rank :])))
    places = reshape(indices, (*lead, math.prod(indices.shape[grad.ndim - rank :])))
    return reshape(gather(flat, -1, places), indices.shape)


@op("max_unpool2d", grad_fn="MaxUnpool2DBackward0", face="private",
    vjp=dict(self=lambda grad, indices: _taken(grad, indices, 2)))  # fmt: skip
def max_unpool2d_op(self, indices, output_size: Size):
    """`max_unpool2d` to a given size."""
    return _put_back(self, indices, output_size, 2)


@op("max_unpool3d", grad_fn="MaxUnpool3DBackward0", face="private",
    vjp=dict(self=lambda grad, indices: _taken(grad, indices, 3)))  # fmt: skip
def max_unpool3d_op(self, indices, output_size: Size, stride: Size, padding: Size):
    """`max_unpool3d` to a given size."""
    return _put_back(self, indices, output_size, 3)


def _output_size(input, rank: int, kernel, stride, padding, output_size) -> tuple[int, ...]:
    """The size that pooling came from: the smallest that fits, or the one asked for."""
    smallest = [
        (n - 1) * s + k - 2 * p
        for n, k, s, p in zip(input.shape[-rank:], kernel, stride, padding, strict=True)
    ]
    if output_size is None:
        return tuple(smallest)
    wanted = tuple(output_size)
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise ValueError(
            f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it "
            f"has a length of '{len(wanted)}'"
        )
    for size, least, s in zip(wanted, smallest, stride, strict=True):
        if not least - s < size < least + s:
            raise ValueError(
                f"invalid output_size '{wanted}' (each dimension must be within its stride of "
                f"'{smallest}')"
            )
    return wanted


def _arguments(input, rank: int, kernel_size, stride, padding, output_size):
    kernel = per_dim(kernel_size, rank, "kernel_size")
    stride = kernel if stride is None else per_dim(stride, rank, "stride")
    padding = per_dim(padding, rank, "padding")
    return _output_size(input, rank, kernel, stride, padding, output_size), stride, padding


@composite(face="nn")
def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The inverse of `max_pool1d` with its indices; what was not a maximum is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_unpool1d(jnp.array([[3.0]]), jnp.array([[1]]), 2)
    Array([[0., 3.]], dtype=float32)
    """
    size, _, _ = _arguments(input, 1, kernel_size, stride, padding, output_size)
    wide = max_unpool2d_op(unsqueeze(input, -1), unsqueeze(indices, -1), (*size, 1))
    return squeeze(wide, -1)


@composite(face="nn")
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The inverse of `max_pool2d` with its indices; what was not a maximum is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_unpool2d(jnp.array([[[3.0]]]), jnp.array([[[2]]]), 2)
    Array([[[0., 0.],
            [3., 0.]]], dtype=float32)
    """
    size, _, _ = _arguments(input, 2, kernel_size, stride, padding, output_size)
    return max_unpool2d_op(input, indices, size)


@composite(face="nn")
def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The inverse of `max_pool3d` with its indices; what was not a maximum is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_unpool3d(jnp.ones((1, 1, 1, 1)), jnp.zeros((1, 1, 1, 1), int), 1)
    Array([[[[1.]]]], dtype=float32)
    """
    size, stride, padding = _arguments(input, 3, kernel_size, stride, padding, output_size)
    return max_unpool3d_op(input, indices, size, stride, padding)
