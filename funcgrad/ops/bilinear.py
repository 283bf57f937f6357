"""The bilinear layer."""

from __future__ import annotations

import jax.numpy as jnp

from ..composite import composite
from ..derivative import derived
from ..op import op


@op("_bilinear_form", grad_fn="TrilinearBackward0", face="private",
    vjp=derived("input1", "weight", "input2"))  # fmt: skip
def _bilinear_form(input1, weight, input2):
    """``input1 @ weight[k] @ input2`` for each k."""
    return jnp.einsum("...i,kij,...j->...k", input1, weight, input2)


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
    out = _bilinear_form(input1, weight, input2)
    return out if bias is None else out + bias
