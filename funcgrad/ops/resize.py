"""`interpolate`: images resized by nearest neighbours, by straight lines, or by cubics."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Size
from .avg_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

# Each output element is a weighted sum of a few input elements, dimension by dimension. Where they
# are and how much they weigh is known before any value is, so it is computed with numpy, in
# float32 for everything but float64, as PyTorch does.


class Scales:
    """One ratio of sizes (or None) a dimension: part of the program."""


def _ratio(n: int, count: int, scale, align_corners: bool, kind):
    """How far one step of the output goes in the input."""
    if align_corners:
        return kind(n - 1) / kind(count - 1) if count > 1 else kind(0)
    return kind(1 / scale) if scale is not None and scale > 0 else kind(n) / kind(count)


def _nearest(n: int, count: int, scale, align_corners, kind):
    """The ratio is not asked where the size stays or doubles, whatever the scale."""
    i = np.arange(count)
    if count in (n, 2 * n):
        return [(i * n // count, None)]
    places = np.floor(i.astype(np.float32) * _ratio(n, count, scale, False, np.float32))
    return [(np.minimum(places.astype(int), n - 1), None)]


def _nearest_exact(n: int, count: int, scale, align_corners, kind):
    i = np.arange(count, dtype=np.float32)
    places = np.floor((i + np.float32(0.5)) * _ratio(n, count, scale, False, np.float32))
    return [(np.minimum(places.astype(int), n - 1), None)]


def _source(n: int, count: int, scale, align_corners: bool, kind):
    """Where in the input, between elements, each output element is."""
    step = _ratio(n, count, scale, align_corners, kind)
    i = np.arange(count, dtype=kind)
    return i * step if align_corners else (i + kind(0.5)) * step - kind(0.5)


def _linear(n: int, count: int, scale, align_corners: bool, kind):
    where = np.maximum(_source(n, count, scale, align_corners, kind), kind(0))
    low = np.minimum(where.astype(int), n - 1)
    part = np.clip(where - low.astype(kind), 0, 1)
    return [(low, kind(1) - part), (np.minimum(low + 1, n - 1), part)]


def _cubic(n: int, count: int, scale, align_corners: bool, kind):
    """Keys' convolution with a = -0.75; beyond the border its elements repeat."""
    where = _source(n, count, scale, align_corners, kind)
    low = np.floor(where)
    part = where - low
    a = kind(-0.75)

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    weights = [far(part + 1), near(part), near(1 - part), far(2 - part)]
    return [
        (np.clip(low.astype(int) + offset, 0, n - 1), weight.astype(kind))
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True)
    ]


_RULES = {
    "nearest": _nearest, "nearest-exact": _nearest_exact, "linear": _linear, "cubic": _cubic,
}  # fmt: skip


def _resized(x, rule: str, output_size, scales, align_corners: bool):
    rank = len(output_size)
    kind = np.float64 if x.dtype == np.float64 else np.float32
    wide = x if x.dtype.itemsize != 2 else types.cast(x, jnp.float32)
    for dim in reversed(range(x.ndim - rank, x.ndim)):
        i = dim - x.ndim + rank
        total = None
        for places, weight in _RULES[rule](
            x.shape[dim], output_size[i], scales[i], align_corners, kind
        ):
            term = jnp.take(wide, places, axis=dim)
            if weight is not None:
                term = term * weight.astype(wide.dtype).reshape(-1, *(1,) * (x.ndim - dim - 1))
            total = term if total is None else total + term
        wide = total
    return types.cast(wide, x.dtype)


def _declare(name: str, rule: str):
    """The op of one kind of image, and the op of its gradient."""

    @op(f"_{name}_backward", grad_fn=f"{name}BackwardBackward0", face="private",
        vjp=dict(grad_output=lambda grad, output_size, scales, align_corners: (
            resize(grad, output_size, scales, align_corners)
        )))  # fmt: skip
    def backward(
        grad_output, input_sizes: Size, output_size: Size, scales: Scales, align_corners: bool
    ):
        """Each input element takes the gradients of the outputs that it weighs in."""
        like = jax.ShapeDtypeStruct(input_sizes, grad_output.dtype)
        run = jax.linear_transpose(
            lambda x: _resized(x, rule, output_size, scales, align_corners), like
        )
        return run(grad_output)[0]

    @op(f"_{name}", grad_fn=f"{name}Backward0", face="private",
        vjp=dict(self=lambda grad, self_sym_sizes, output_size, scales, align_corners: (
            backward(grad, self_sym_sizes, output_size, scales, align_corners)
        )))  # fmt: skip
    def resize(self, output_size: Size, scales: Scales, align_corners: bool):
        """The last dimensions in another size."""
        return _resized(self, rule, output_size, scales, align_corners)

    return resize


# The names are those of the graph nodes in PyTorch.
_BY_MODE = {
    "nearest": {
        1: _declare("UpsampleNearest1D", "nearest"),
        2: _declare("UpsampleNearest2D", "nearest"),
        3: _declare("UpsampleNearest3D", "nearest"),
    },
    "nearest-exact": {
        1: _declare("UpsampleNearestExact1D", "nearest-exact"),
        2: _declare("UpsampleNearestExact2D", "nearest-exact"),
        3: _declare("UpsampleNearestExact3D", "nearest-exact"),
    },
    "linear": {1: _declare("UpsampleLinear1D", "linear")},
    "bilinear": {2: _declare("UpsampleBilinear2D", "linear")},
    "trilinear": {3: _declare("UpsampleTrilinear3D", "linear")},
    "bicubic": {2: _declare("UpsampleBicubic2D", "cubic")},
}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def _sizes(input, size, scale_factor, recompute: bool):
    """The size of the result, and the scales that positions are computed with."""
    shape = tuple(input.shape[2:])
    rank = len(shape)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    given = tuple(given) if isinstance(given, list | tuple) else (given,) * rank
    if len(given) != rank:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(shape)} and "
            f"{'output size' if size is not None else 'scale_factor'} of {list(given)}. Please "
            "provide input tensor in (N, C, d1, d2, ...,dK) format."
        )
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return given, (None,) * rank
    counts = tuple(math.floor(n * float(s)) for n, s in zip(shape, given, strict=True))
    return counts, (None,) * rank if recompute else tuple(map(float, given))


@composite(face="nn")
def interpolate(
    input, size=None, scale_factor=None, mode="nearest", align_corners=None,
    recompute_scale_factor=None, antialias=False,
):  # fmt: skip
    """``(N, C, ...)`` in another size: ``size``, or ``scale_factor`` times as large.

    ``mode`` is ``"nearest"``, ``"nearest-exact"``, ``"linear"``, ``"bilinear"``, ``"trilinear"``,
    ``"bicubic"`` or ``"area"``. With ``align_corners`` the centers of the corner elements meet,
    else their outer edges. ``antialias`` is not there yet.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.interpolate(jnp.array([[[0.0, 1.0]]]), 4, mode="linear")
    Array([[[0.  , 0.25, 0.75, 1.  ]]], dtype=float32)
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    if antialias:
        raise NotImplementedError("interpolate(antialias=True) is not written yet")
    rank = input.ndim - 2
    counts, scales = _sizes(input, size, scale_factor, bool(recompute_scale_factor))
    if mode == "area" and rank in _AREA:
        return _AREA[rank](input, counts)
    resize = _BY_MODE.get(mode, {}).get(rank)
    if resize is None:
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | "
            f"area | nearest-exact (got {mode}); linear needs 3D, bilinear and bicubic 4D, "
            "trilinear 5D input"
        )
    if min(counts) < 1 or 0 in tuple(input.shape[1:]):
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(input.shape)} "
            f"and output {list(counts)}"
        )
    return resize(input, counts, scales, bool(align_corners))


@composite(face="nn")
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate` under its old name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.upsample(jnp.array([[[0.0, 1.0]]]), 4)
    Array([[[0., 0., 1., 1.]]], dtype=float32)
    """
    return interpolate(input, size, scale_factor, mode, align_corners)
