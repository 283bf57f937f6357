"""`torch.testing.make_tensor`: random tensors for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..creation import FACTORIES
from ..methods import FUNCTIONS
from ..sampling import randint
from ..tensor import Tensor


def make_tensor(
    *shape: Any, dtype: dtypes.dtype, device: Any = None, low: float | None = None,
    high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False,
    exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Random numbers for tests, in [low, high), by default [-9, 9) or what the dtype allows.

    ``noncontiguous``: every other element of a longer tensor. ValueError for an empty range, and
    for integers that are to require a gradient.

    >>> import stateful as torch
    >>> torch.testing.make_tensor(2, 3, dtype=torch.int64, device="cpu", low=0, high=5).shape
    torch.Size([2, 3])
    """
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    differentiable = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not differentiable:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"dtype={dtype}"
        )
    if low is not None and high is not None and low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    spread = noncontiguous and size and np.prod(size) > 1
    made = _drawn((*size[:-1], 2 * size[-1]) if spread else size, dtype, low, high)
    made = made[..., ::2] if spread else made
    if exclude_zero:
        made[made == 0] = 1
    if memory_format is not None:
        made = made.clone(memory_format=memory_format)  # type: ignore[attr-defined]
    made = made if device is None else made.to(device)
    return made.requires_grad_(requires_grad)


def _drawn(size: tuple, dtype: dtypes.dtype, low: float | None, high: float | None) -> Any:
    if dtype is dtypes.bool:
        return randint(0, 2, size, dtype=dtype)
    if dtype.is_floating_point or dtype.is_complex:
        low, high = (-9.0 if low is None else low), (9.0 if high is None else high)
        parts = (*size, 2) if dtype.is_complex else size
        made = FACTORIES["zeros"](parts, dtype=dtype.to_real()).uniform_(low, high)
        return FUNCTIONS["torch"]["view_as_complex"](made) if dtype.is_complex else made
    low = (-9 if dtype.is_signed else 0) if low is None else low
    return randint(int(low), int(10 if high is None else high), size, dtype=dtype)
