"""`Tensor.resize`: what `Tensor.reshape` was before it had that name."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ...tensor import Tensor
from ..function import Function


class Resize(Function):
    """The elements of a tensor in another shape, as a copy."""

    @staticmethod
    def forward(ctx: Any, tensor: Any, sizes: tuple) -> Any:  # type: ignore[override]
        if math.prod(sizes) != tensor.numel():
            raise RuntimeError(
                f"requested resize to {'x'.join(map(str, sizes))} ({math.prod(sizes)} elements in "
                f"total), but the given tensor has a size of {'x'.join(map(str, tensor.size()))} "
                f"({tensor.numel()} elements). autograd's resize can only change the shape of a "
                "given tensor, while preserving the number of elements."
            )
        ctx.input_sizes = tensor.size()
        return tensor.detach().clone().view(sizes)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:  # type: ignore[override]
        return grad_output.contiguous().view(ctx.input_sizes), None


def _resize(self: Tensor, *sizes: Any) -> Tensor:
    """Deprecated: use `reshape`, or `resize_` in place.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.ones(4).resize(2, 2)
    tensor([[1., 1.],
            [1., 1.]])
    """
    warnings.warn("non-inplace resize is deprecated", UserWarning, stacklevel=2)
    first = sizes[0] if len(sizes) == 1 else sizes
    return Resize.apply(self, (first,) if isinstance(first, int) else tuple(first))


def _resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """Deprecated: use `reshape_as`, or `resize_as_` in place.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.ones(2).resize_as(torch.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    warnings.warn("non-inplace resize_as is deprecated", UserWarning, stacklevel=2)
    return Resize.apply(self, tuple(tensor.size()))


Tensor.resize, Tensor.resize_as = _resize, _resize_as  # type: ignore[attr-defined]
