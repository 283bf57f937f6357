"""Images read at places between their elements, and the places of an affine map."""

from __future__ import annotations

import itertools

import jax.numpy as jnp

from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Size

_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}


def _in_elements(x, size: int, align_corners: bool):
    """From [-1, 1] to places counted in elements."""
    if align_corners:
        return (x + 1) / 2 * (size - 1)
    return ((x + 1) * size - 1) / 2


def _clipped(x, size: int):
    """At the border and outside it the gradient is 0."""
    return jnp.where(x <= 0, 0.0, jnp.where(x >= size - 1, float(size - 1), x)).astype(x.dtype)


def _reflected(x, size: int, align_corners: bool):
    """Mirrored at the border, as often as it takes."""
    low, span = (0.0, float(size - 1)) if align_corners else (-0.5, float(size))
    if span <= 0:
        return jnp.zeros_like(x)
    away = jnp.where(x - low < 0, low - x, x - low)
    flips = jnp.floor(away / span)
    rest = away - flips * span
    return jnp.where(flips % 2 == 0, rest + low, span - rest + low)


def _brought_inside(x, size: int, padding_mode: int, align_corners: bool):
    if padding_mode == 2:
        x = _reflected(x, size, align_corners)
    return x if padding_mode == 0 else _clipped(x, size)


def _read(image, places, weight=None):
    """``image[n, :, places]`` for integer places ``(N, ...)`` a dimension, weighted; 0 outside."""
    inside = True
    safe = []
    for x, size in zip(places, image.shape[2:], strict=True):
        inside = inside & (x >= 0) & (x < size)
        safe.append(jnp.clip(x, 0, size - 1).astype(jnp.int32))
    batch = jnp.arange(image.shape[0]).reshape(-1, *[1] * (safe[0].ndim - 1))
    found = jnp.moveaxis(image, 1, -1)[(batch, *safe)]
    found = jnp.where(inside[..., None], found, 0)  # type: ignore[index]
    if weight is None:
        return found
    # Outside of volumes PyTorch skips the product, of images it has 0 times a weight, even nan.
    return found * (weight if image.ndim == 4 else jnp.where(inside, weight, 0))[..., None]


def _linear(image, places):
    """The corners around each place, weighted by how near they are."""
    low = [jnp.floor(x) for x in places]
    part = [x - f for x, f in zip(places, low, strict=True)]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=len(places)):
        weight = 1.0
        for side, t in zip(corner, part, strict=True):
            weight = weight * (t if side else 1 - t)
        at = [f + side for f, side in zip(low, corner, strict=True)]
        total = total + _read(image, at, weight)
    return total


def _cubic_weights(t):
    """Keys' convolution with a = -0.75."""
    a = -0.75

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _cubic(image, places, padding_mode: int, align_corners: bool):
    """Sixteen elements around each place; what is outside comes from the padding."""
    low = [jnp.floor(x) for x in places]
    weights = [_cubic_weights(x - f) for x, f in zip(places, low, strict=True)]
    total = 0.0
    for i, j in itertools.product(range(4), repeat=2):
        at = [
            _brought_inside(f + k - 1, size, padding_mode, align_corners)
            for f, k, size in zip(low, (i, j), image.shape[2:], strict=True)
        ]
        total = total + _read(image, at, weights[0][i] * weights[1][j])
    return total


def _sampled(input, grid, mode: int, padding_mode: int, align_corners: bool):
    if not grid.size:
        return jnp.zeros((input.shape[0], input.shape[1], *grid.shape[1:-1]), input.dtype)
    sizes = input.shape[2:]
    places = [
        _in_elements(grid[..., -1 - dim], size, align_corners) for dim, size in enumerate(sizes)
    ]
    if mode == 2:
        out = _cubic(input, places, padding_mode, align_corners)
    else:
        places = [
            _brought_inside(x, size, padding_mode, align_corners)
            for x, size in zip(places, sizes, strict=True)
        ]
        if mode == 1:
            out = _read(input, [jnp.round(x) for x in places])
        else:
            out = _linear(input, places)
    return jnp.moveaxis(out, -1, 1).astype(input.dtype)


@op("grid_sampler_2d", grad_fn="GridSampler2DBackward0", face="private",
    vjp=derived("input", "grid"))  # fmt: skip
def grid_sampler_2d(input, grid, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """``(N, C, H, W)`` read at ``(N, H', W', 2)``, the place in a row first."""
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@op("grid_sampler_3d", grad_fn="GridSampler3DBackward0", face="private",
    vjp=derived("input", "grid"))  # fmt: skip
def grid_sampler_3d(input, grid, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """``(N, C, D, H, W)`` read at ``(N, D', H', W', 3)``."""
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@composite(face="nn")
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The values of images at the places of ``grid``, which run from -1 to 1.

    ``input``: ``(N, C, H, W)`` with ``grid`` ``(N, H', W', 2)``, or one dimension more.
    ``align_corners``: -1 and 1 are the middles of the outermost elements, not their outer sides.
    The gradient of a place at or beyond the border is 0, unless padding with zeros.

    >>> import jax.numpy as jnp, funcgrad
    >>> image = jnp.arange(4.0).reshape(1, 1, 2, 2)
    >>> funcgrad.grid_sample(image, jnp.zeros((1, 1, 1, 2)), align_corners=False)
    Array([[[[1.5]]]], dtype=float32)
    """
    if mode not in _MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if input.ndim not in (4, 5) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but "
            f"got input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if input.shape[0] != grid.shape[0] or grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, and grid to have "
            f"size {input.ndim - 2} in last dimension, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if mode == "bicubic" and input.ndim != 4:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    sampler = grid_sampler_2d if input.ndim == 4 else grid_sampler_3d
    return sampler(input, grid, _MODES[mode], _PADDINGS[padding_mode], bool(align_corners))


@op("affine_grid_generator", grad_fn="AffineGridGeneratorBackward0", face="private",
    vjp=derived("theta"))  # fmt: skip
def affine_grid_generator(theta, size: Size, align_corners: bool):
    """The places of an affine map of images of ``size``."""
    axes = []
    for n in size[2:]:
        steps = jnp.linspace(-1, 1, n, dtype=theta.dtype) if n > 1 else jnp.zeros(1, theta.dtype)
        axes.append(steps if align_corners else steps * ((n - 1) / n))
    mesh = jnp.meshgrid(*axes, indexing="ij")
    base = jnp.stack([*reversed(mesh), jnp.ones_like(mesh[0])], -1)
    flat = base.reshape(-1, base.shape[-1])
    return (flat @ jnp.swapaxes(theta, 1, 2)).reshape(size[0], *size[2:], len(size) - 2)


@composite(face="nn")
def affine_grid(theta, size, align_corners=None):
    """The grid for `grid_sample` that maps images of ``size`` by matrices ``theta``.

    >>> import jax.numpy as jnp, funcgrad
    >>> same = jnp.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> funcgrad.affine_grid(same, (1, 1, 1, 2), align_corners=True)
    Array([[[[-1.,  0.],
             [ 1.,  0.]]]], dtype=float32)
    """
    if len(size) not in (4, 5) or tuple(theta.shape[1:]) != (len(size) - 2, len(size) - 1):
        raise ValueError(
            f"Expected a batch of {len(size) - 2}D affine matrices of shape "
            f"Nx{len(size) - 2}x{len(size) - 1} for size {tuple(size)}. Got {tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    return affine_grid_generator(theta, tuple(size), bool(align_corners))
