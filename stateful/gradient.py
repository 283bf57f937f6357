"""`torch.gradient`: the derivative of what samples show, by finite differences."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from funcgrad.ops.with_number import div_number, mul_number

from .geometry_dims import wrap_dim
from .methods import FUNCTIONS
from .tensor import Tensor

_cat = FUNCTIONS["torch"]["cat"]


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Second-order differences along each dimension, of ``edge_order`` 1 or 2 at the ends.

    ``spacing``: the distance of samples, a number or one for each dimension, or a tensor of
    coordinates for each. Raises RuntimeError for too few samples, and where ``spacing`` and ``dim``
    differ in length.

    >>> import stateful as torch
    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims, spacing = _dims(input, dim), 1 if spacing is None else spacing
    spacings = list(spacing) if isinstance(spacing, list | tuple) else [spacing] * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"{len(dims)} to match the dimensions {dims}, but got a list of length {len(spacings)}"
        )
    for d in dims:
        if input.size(d) < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1: "
                f"dimension {d} has {input.size(d)} samples, edge_order is {edge_order}"
            )
    return tuple(_along(input, d, h, edge_order) for d, h in zip(dims, spacings, strict=True))


def _dims(input: Tensor, dim: Any) -> list[int]:
    given = range(input.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [wrap_dim(d, input.dim()) for d in given]
    if len(set(dims)) < len(dims):
        raise RuntimeError(f"torch.gradient: dim {list(given)} appears multiple times")
    return dims


def _along(input: Any, dim: int, spacing: Any, edge_order: int) -> Tensor:
    size = input.size(dim)
    steps = _steps(input, dim, spacing) if isinstance(spacing, Tensor) else _Even(spacing)

    def parts(length: int, *starts: int) -> list[Any]:
        """The last one is made first, as by PyTorch: gradients are added in this order."""
        return [input.narrow(dim, start % size, length) for start in reversed(starts)][::-1]

    middle = steps.middle(functools.partial(parts, max(size - 2, 0)))
    if edge_order == 1:
        (next, here), (last, before) = parts(1, 1, 0), parts(1, -1, -2)
        first, last = steps.one(next - here, 0), steps.one(last - before, -1)
    else:
        first = steps.first(*parts(1, 0, 1, 2))
        last = steps.last(*parts(1, -3, -2, -1))
    return _cat([first, middle, last], dim)


class _Even:
    """Samples that are ``step`` apart."""

    def __init__(self, step: Any):
        self.step = step

    def one(self, difference: Any, index: int) -> Any:
        divide = operator.truediv if isinstance(self.step, Tensor) else div_number
        return divide(difference, self.step)

    def middle(self, parts: Callable) -> Any:
        after, before = parts(2, 0)
        return div_number(self.one(after - before, 0), 2)

    def first(self, here: Any, next: Any, second: Any) -> Any:
        total = mul_number(here, -1.5) + mul_number(next, 2) - mul_number(second, 0.5)
        return self.one(total, 0)

    def last(self, second: Any, before: Any, here: Any) -> Any:
        total = mul_number(second, 0.5) - mul_number(before, 2) + mul_number(here, 1.5)
        return self.one(total, 0)


class _Uneven:
    """Samples whose distances are ``steps``, shaped to go with the samples."""

    def __init__(self, steps: Any, dim: int):
        self.steps, self.dim = steps, dim

    def at(self, index: int) -> Any:
        return self.steps.narrow(self.dim, index % self.steps.size(self.dim), 1)

    def one(self, difference: Any, index: int) -> Any:
        return difference / self.at(index)

    def middle(self, parts: Callable) -> Any:
        before, here, after = parts(0, 1, 2)
        count = self.steps.size(self.dim) - 1
        left = self.steps.narrow(self.dim, 0, count)
        right = self.steps.narrow(self.dim, 1, count)
        of_before = -right / (left * (left + right))
        of_here = (right - left) / (left * right)
        of_after = left / (right * (left + right))
        return of_before * before + of_here * here + of_after * after

    def first(self, here: Any, next: Any, second: Any) -> Any:
        h, k = self.at(0), self.at(1)
        a, b, c = -(2 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))
        return a * here + b * next + c * second

    def last(self, second: Any, before: Any, here: Any) -> Any:
        h, k = self.at(-1), self.at(-2)
        a, b, c = h / (k * (h + k)), -(h + k) / (h * k), (2 * h + k) / (h * (h + k))
        return a * second + b * before + c * here


def _steps(input: Tensor, dim: int, coordinates: Any) -> Any:
    if coordinates.dim() == 0:
        return _Even(coordinates)
    if coordinates.dim() != 1 or coordinates.size(0) != input.size(dim):
        raise RuntimeError(
            "torch.gradient expected the coordinates of a dimension to be one for each of its "
            f"{input.size(dim)} samples, but got a tensor of size {list(coordinates.shape)}"
        )
    shape: Sequence[int] = [-1 if d == dim else 1 for d in range(input.dim())]
    return _Uneven((coordinates[1:] - coordinates[:-1]).view(shape), dim)
