"""`torch.testing._internal.common_methods_invocations`, without its table of ops."""

from __future__ import annotations

from collections.abc import Sequence

from ...creation import FACTORIES
from ...tensor import Tensor


def mask_not_all_zeros(shape: Sequence[int]) -> Tensor:
    """A random mask with at least one True; AssertionError for the shape of a scalar."""
    if not len(shape):
        raise AssertionError(f"Expected len(shape) > 0, got {len(shape)}")
    while True:
        mask = FACTORIES["zeros"](shape).normal_().gt(0)
        if mask.any():
            return mask
