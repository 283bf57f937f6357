"""What losses share: the ``reduction`` argument, its deprecated spelling, and its code in ATen."""

from __future__ import annotations

import math
import warnings

import jax.numpy as jnp

from .reduce import mean, sum

NONE, MEAN, SUM = 0, 1, 2
_CODES = {"none": NONE, "mean": MEAN, "sum": SUM}


def reduction_code(reduction: str) -> int:
    """ATen's number for a reduction. Raises ValueError for an unknown one."""
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
            stacklevel=4,
        )
        reduction = "mean"
    if reduction not in _CODES:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return _CODES[reduction]


def legacy_reduction(size_average, reduce, reduction: str) -> str:
    """``reduction``, unless one of the deprecated flags that it replaced is given."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        reduction = "none"
    else:
        reduction = "sum" if size_average is False else "mean"
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{reduction}' instead.",
        stacklevel=4,
    )
    return reduction


def check_same_reduction(reduction: str) -> None:
    """Weighted losses know no deprecated names."""
    if reduction not in _CODES:
        raise ValueError(
            f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'."
        )


def reduce_loss(losses, code: int):
    """Losses reduced by ops, so that they are seen in the graph."""
    if code == MEAN:
        return mean(losses)
    return sum(losses) if code == SUM else losses


def reduce_array(losses, code: int):
    """Losses reduced inside an op. The mean of nothing is nan."""
    if code == MEAN:
        return jnp.sum(losses) / losses.size
    return jnp.sum(losses) if code == SUM else losses


def scale_of(losses, code: int) -> float:
    """What the gradient of each loss is multiplied with: one over their number for the mean."""
    return 1.0 / max(math.prod(losses.shape), 1) if code == MEAN else 1.0


def averaged(grad, losses, code: int):
    """``grad`` over the number of losses for the mean, else as it is."""
    return grad / max(math.prod(losses.shape), 1) if code == MEAN else grad
