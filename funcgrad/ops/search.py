"""Places in sorted sequences, and counts."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op


def _searched(sequence, values, out_int32: bool, right: bool, side, sorter):
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
    if sorter is not None:
        sequence = jnp.take_along_axis(sequence, sorter, -1)
    if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(sequence.shape)} and input value tensor "
            f"{list(values.shape)}"
        )
    end = "right" if right or side == "right" else "left"

    def find(ordered, wanted):
        return jnp.searchsorted(ordered, wanted, side=end)

    if sequence.ndim > 1:
        batch = sequence.shape[:-1]
        flat = sequence.reshape(-1, sequence.shape[-1]), values.reshape(-1, values.shape[-1])
        found = jax.vmap(find)(*flat).reshape(*batch, values.shape[-1])
    else:
        found = find(sequence, values)
    return found.astype(jnp.int32 if out_int32 else types.index_dtype())


@op("searchsorted.Tensor", face="torch")
def searchsorted(
    sorted_sequence, self, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter=None,
):  # fmt: skip
    """Where to insert ``self`` in a sorted last dimension; ``right``: after equal elements.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.searchsorted(jnp.array([1, 3, 5]), jnp.array([3, 6]))
    Array([1, 3], dtype=int32)
    """
    return _searched(sorted_sequence, self, out_int32, right, side, sorter)


@op("bucketize.Tensor", face="torch")
def bucketize(self, boundaries, *, out_int32: bool = False, right: bool = False):
    """The number of the bucket between ``boundaries``; ``right``: a boundary belongs to the next.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bucketize(jnp.array([3, 6]), jnp.array([1, 3, 5]))
    Array([1, 3], dtype=int32)
    """
    if boundaries.ndim != 1:
        raise RuntimeError(
            f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})"
        )
    return _searched(boundaries, self, out_int32, right, None, None)


@op("_extremes", face="private")
def _extremes(self):
    """The smallest and the largest number, at most and at least 0."""
    return jnp.stack([jnp.min(self, initial=0), jnp.max(self, initial=0)])


@op("_bincount", face="private")
def _bincount(self, weights, length: int):
    """How often each number below ``length`` occurs, or the sum of its weights."""
    if weights is None:
        return jnp.zeros(length, types.index_dtype()).at[self].add(1)
    if weights.dtype != jnp.float32:
        weights = weights.astype(types.canonical("float64"))
    return jnp.zeros(length, weights.dtype).at[self].add(weights)


@composite()
def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, ... occurs, or the sum of its weights; needs the values.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bincount(jnp.array([0, 2, 2]))
    Array([1, 0, 2], dtype=int32)
    """
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    smallest, largest = _extremes(input).tolist()
    if input.ndim != 1 or smallest < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and tuple(weights.shape) != tuple(input.shape):
        raise RuntimeError("weights should be 1-d and have the same length as input")
    length = largest + 1 if input.shape[0] else 0
    return _bincount(input, weights, max(length, minlength))
