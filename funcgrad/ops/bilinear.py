"""The bilinear layer."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..composite import composite
from ..op import op
from ..signature import Size
from .view import reshape


@op("_trilinear_product", grad_fn="TrilinearBackward0", face="private", vjp=dict(
    i1=lambda grad, i2, i3, expand1, expand2, expand3, sumdim: (
        trilinear(grad, i2, i3, sumdim, expand2, expand3, expand1)),
    i2=lambda grad, i1, i3, expand1, expand2, expand3, sumdim: (
        trilinear(i1, grad, i3, expand1, sumdim, expand3, expand2)),
    i3=lambda grad, i1, i2, expand1, expand2, expand3, sumdim: (
        trilinear(i1, i2, grad, expand1, expand2, sumdim, expand3)),
))  # fmt: skip
def trilinear(i1, i2, i3, expand1: Size, expand2: Size, expand3: Size, sumdim: Size):
    """The product of three tensors, each without some dimensions, summed over ``sumdim``."""
    labels = range(i1.ndim + len(expand1))
    missing = expand1, expand2, expand3, sumdim
    kept = [[d for d in labels if d not in dims] for dims in missing]
    return jnp.einsum(i1, kept[0], i2, kept[1], i3, kept[2], kept[3])


@composite(face="nn")
def bilinear(input1, input2, weight, bias=None):
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k.

    ``input1`` ``(*, I)``, ``input2`` ``(*, J)``, ``weight`` ``(K, I, J)``, the result ``(*, K)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bilinear(jnp.ones((1, 2)), jnp.ones((1, 3)), jnp.ones((4, 2, 3)))
    Array([[6., 6., 6., 6.]], dtype=float32)
    """
    if input1.ndim != input2.ndim:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}"
        )
    if tuple(input1.shape[:-1]) != tuple(input2.shape[:-1]):
        raise RuntimeError(
            "bilinear(): input batch dimensions do not match: got "
            f"{tuple(input1.shape[:-1])} and {tuple(input2.shape[:-1])}"
        )
    if (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise RuntimeError(
            f"bilinear(): input1 size does not match weight size: got {input1.shape[-1]} and "
            f"{input2.shape[-1]} for a weight of shape {tuple(weight.shape)}"
        )
    flat = [reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])) for x in (input1, input2)]
    out = trilinear(flat[0], weight, flat[1], (1, 3), (0,), (1, 2), (2, 3))
    out = reshape(out, (*input1.shape[:-1], weight.shape[0]))
    return out if bias is None else out + bias
