"""Channels turned into pixels and back, and channels in another order."""

from __future__ import annotations

import math

from ..composite import composite
from ..op import op


def _check_image(name: str, x) -> None:
    if x.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} "
            "dimension(s)"
        )


@op("pixel_shuffle", grad_fn="PixelShuffleBackward0", face="torch",
    vjp=dict(self=lambda grad, upscale_factor: pixel_unshuffle(grad, upscale_factor)))  # fmt: skip
def pixel_shuffle(self, upscale_factor: int):
    """Channels ``(C * r * r, H, W)`` as pixels ``(C, H * r, W * r)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pixel_shuffle(jnp.arange(4).reshape(4, 1, 1), 2)
    Array([[[0, 1],
            [2, 3]]], dtype=int32)
    """
    _check_image("pixel_shuffle", self)
    r = upscale_factor
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = self.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    x = self.reshape(math.prod(lead), channels // (r * r), r, r, height, width)
    x = x.transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(*lead, channels // (r * r), height * r, width * r)


@op("pixel_unshuffle", grad_fn="PixelUnshuffleBackward0", face="torch",
    vjp=dict(self=lambda grad, downscale_factor: (
        pixel_shuffle(grad, downscale_factor)
    )))  # fmt: skip
def pixel_unshuffle(self, downscale_factor: int):
    """Pixels ``(C, H * r, W * r)`` as channels ``(C * r * r, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pixel_unshuffle(jnp.arange(4).reshape(1, 2, 2), 2).ravel()
    Array([0, 1, 2, 3], dtype=int32)
    """
    _check_image("pixel_unshuffle", self)
    r = downscale_factor
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = self.shape
    for name, n in (("height", height), ("width", width)):
        if n % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but {n} is "
                f"not divisible by {r}"
            )
    x = self.reshape(math.prod(lead), channels, height // r, r, width // r, r)
    x = x.transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(*lead, channels * r * r, height // r, width // r)


@op("channel_shuffle", grad_fn="ChannelShuffleBackward0", face="torch",
    vjp=dict(self=lambda grad, self_sym_sizes, groups: (
        channel_shuffle(grad, self_sym_sizes[1] // groups)
    )))  # fmt: skip
def channel_shuffle(self, groups: int):
    """Channels of ``groups`` groups (dimension 1), dealt in turn.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.channel_shuffle(jnp.arange(4).reshape(1, 4, 1), 2).ravel()
    Array([0, 2, 1, 3], dtype=int32)
    """
    if self.ndim < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(self.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if self.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {self.shape[1]} channels and "
            f"{groups} groups."
        )
    batch, channels, *inner = self.shape
    x = self.reshape(batch, groups, channels // groups, *inner)
    return x.swapaxes(1, 2).reshape(self.shape)


for _function in (pixel_shuffle, pixel_unshuffle, channel_shuffle):
    composite(_function.name, face="nn")(_function)
