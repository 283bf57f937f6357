"""`empty_strided`, `empty_permuted`: new tensors whose strides are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import modes
from .creation import FACTORIES
from .geometry import Geometry
from .layout import place
from .tensor import Tensor


def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A new tensor with this size and these strides; its elements are zeros.

    Raises RuntimeError unless there is a stride for each dimension.

    >>> import stateful as torch
    >>> torch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    if any(n < 0 for n in size):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(size)}")
    needed = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    with modes.no_grad():
        if 0 in size:
            out: Any = FACTORIES["zeros"](tuple(size), dtype=dtype, device=device)
            place(out, Geometry(tuple(size), tuple(stride)))
        else:
            memory: Any = FACTORIES["zeros"](needed, dtype=dtype, device=device)
            out = memory.as_strided(tuple(size), tuple(stride))._alias()
    out.requires_grad = requires_grad
    return out


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], **kwargs: Any) -> Tensor:
    """A new tensor whose dimensions lie in memory in the order ``physical_layout``.

    >>> import stateful as torch
    >>> torch.empty_permuted((2, 3, 4), (0, 2, 1)).stride()
    (12, 1, 3)
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(
            f"physical_layout {list(physical_layout)} must name each dimension of the size "
            f"{list(size)} once: Number of dimensions in size does not match the length of the "
            "physical_layout, or one is a duplicate"
        )
    stride, step = [0] * len(size), 1
    for d in reversed(physical_layout):
        stride[d] = step
        step *= max(size[d], 1)
    return empty_strided(size, stride, **kwargs)


def _new_empty_strided(
    self: Tensor, size: Sequence[int], stride: Sequence[int], dtype: Any = None, **kwargs: Any
) -> Tensor:
    """`empty_strided` with the dtype of this tensor.

    >>> import stateful as torch
    >>> torch.ones(1).new_empty_strided((2, 2), (1, 2)).stride()
    (1, 2)
    """
    return empty_strided(size, stride, dtype=self.dtype if dtype is None else dtype, **kwargs)


Tensor.new_empty_strided = _new_empty_strided  # type: ignore[attr-defined]
ALLOCATIONS = {"empty_strided": empty_strided, "empty_permuted": empty_permuted}
