"""Max pooling with windows at pseudo-random places (Graham, https://arxiv.org/abs/1412.6071)."""

from __future__ import annotations

import jax.numpy as jnp

from .. import types
from ..op import op
from ..signature import Size
from .creation import zeros_like
from .max_pool import _pool_gather, scattered


def _starts(sample, size: int, window: int, count: int):
    """Where ``count`` windows start in a dimension of ``size``; the last one ends with it."""
    if count == 1:
        return jnp.full((*sample.shape, 1), size - window)
    step = (size - window) / jnp.asarray(count - 1, sample.dtype)
    sample = sample[..., None]
    places = jnp.trunc((jnp.arange(count - 1) + sample) * step) - jnp.trunc(sample * step)
    last = jnp.full((*sample.shape[:-1], 1), size - window)
    return jnp.concatenate([places.astype(last.dtype), last], -1)


def _pooled(name: str, self, window, counts, samples):
    """The largest element of each window and its place in its plane.

    ``samples``: for each plane, or for more of them, a number for each dimension; in 2d the last
    dimension comes first.
    """
    rank = len(window)
    _check(name, self, window, counts)
    sizes = self.shape[-rank:]
    lead = self.shape[:-rank]
    batch = lead[0] if len(lead) == 2 else 1
    if samples.shape[0] < batch:
        raise RuntimeError(
            f"{name}: Expect _random_samples.size(0) no less then input batch size: got samples of "
            f"shape {list(samples.shape)} for a batch of {batch}"
        )
    samples = samples[:batch].reshape(*lead, rank)
    strides = [1] * rank
    for dim in range(rank - 2, -1, -1):
        strides[dim] = strides[dim + 1] * sizes[dim + 1]
    places = jnp.zeros((*lead, *[1] * (2 * rank)), int)
    for dim in range(rank):
        sample = samples[..., rank - 1 - dim if rank == 2 else dim]
        starts = _starts(sample, sizes[dim], window[dim], counts[dim])
        inside = starts[..., :, None] + jnp.arange(window[dim])
        shape = [1] * (2 * rank)
        shape[dim], shape[rank + dim] = counts[dim], window[dim]
        places = places + strides[dim] * inside.reshape(*lead, *shape)
    places = places.reshape(*lead, -1, places[(0,) * len(lead)].size // _product(counts))
    flat = self.reshape(*lead, 1, -1)
    values = jnp.take_along_axis(flat, places, -1)
    best = _last_nan_or_first_greatest(values)[..., None]
    picked = [jnp.take_along_axis(x, best, -1).reshape(*lead, *counts) for x in (values, places)]
    return picked[0], picked[1].astype(types.index_dtype())


_SIDES = ("time", "height", "width")


def _check(name: str, self, window, counts) -> None:
    """In three dimensions PyTorch wants one element more than the windows need."""
    rank = len(window)
    if self.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got {list(self.shape)}"
        )
    for dim in range(self.ndim - rank - 1, self.ndim):
        if self.shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got "
                f"{list(self.shape)} with dimension {dim} being empty."
            )
    where = name if rank == 2 else f"{name}_out"
    sides = zip(_SIDES[-rank:], self.shape[-rank:], window, counts, strict=True)
    for side, size, k, count in sides:
        if count + k - 1 > size - (rank == 3):
            raise RuntimeError(
                f"{where}(): pool {side} {k} too large relative to input {side} {size}: "
                f"{count} windows do not fit"
            )


def _last_nan_or_first_greatest(values):
    """Which element of the last dimension PyTorch's kernel settles on."""
    is_nan = values != values
    last = values.shape[-1] - 1 - jnp.argmax(is_nan[..., ::-1], -1)
    return jnp.where(is_nan.any(-1), last, jnp.argmax(values, -1))


def _product(numbers) -> int:
    found = 1
    for n in numbers:
        found *= n
    return found


def _backward(rank: int):
    """The formula of a pooling op, and ATen's op that it calls."""

    @op(
        f"fractional_max_pool{rank}d_backward", face="private",
        grad_fn=f"FractionalMaxPool{rank}DBackwardBackward0",
        vjp=dict(
            grad_output=lambda grad, indices: _pool_gather(grad, indices, rank),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(grad_output, self, kernel_size: Size, output_size: Size, indices):
        """The gradient of pooling: all of it goes where the largest element was."""
        return scattered(grad_output, indices, self.shape, rank)

    return backward


fractional_max_pool2d_backward = _backward(2)
fractional_max_pool3d_backward = _backward(3)


@op("fractional_max_pool2d", grad_fn="FractionalMaxPool2DBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad, self, kernel_size, output_size, result1: (
        fractional_max_pool2d_backward(grad, self, kernel_size, output_size, result1)
    )))  # fmt: skip
def fractional_max_pool2d_op(self, kernel_size: Size, output_size: Size, random_samples):
    """The pooling itself, for given random numbers in [0, 1)."""
    return _pooled("fractional_max_pool2d", self, kernel_size, output_size, random_samples)


@op("fractional_max_pool3d", grad_fn="FractionalMaxPool3DBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad, self, kernel_size, output_size, result1: (
        fractional_max_pool3d_backward(grad, self, kernel_size, output_size, result1)
    )))  # fmt: skip
def fractional_max_pool3d_op(self, kernel_size: Size, output_size: Size, random_samples):
    """The pooling itself, for given random numbers in [0, 1)."""
    return _pooled("fractional_max_pool3d", self, kernel_size, output_size, random_samples)
