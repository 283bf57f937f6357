"""`torch.gradient`: the derivative of what samples show, by finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    dims = _dims(input, dim)
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

    def part(start: int, length: int) -> Any:
        return input.narrow(dim, start % size, length)

    if isinstance(spacing, Tensor):
        steps = _steps(input, dim, spacing)
    else:
        steps = _Even(spacing)
    middle = steps.middle(part(0, size - 2), part(1, size - 2), part(2, size - 2))
    if edge_order == 1:
        first = (part(1, 1) - part(0, 1)) / steps.at(0)
        last = (part(-1, 1) - part(-2, 1)) / steps.at(-1)
    else:
        first = steps.end(part(0, 1), part(1, 1), part(2, 1), 0, 1)
        last = -steps.end(part(-1, 1), part(-2, 1), part(-3, 1), -1, -2)
    return _cat([first, middle, last], dim)


class _Even:
    """Samples that are ``step`` apart."""

    def __init__(self, step: Any):
        self.step = step

    def at(self, index: int) -> Any:
        return self.step

    def middle(self, before: Any, here: Any, after: Any) -> Any:
        return (after - before) / (2 * self.step)

    def end(self, here: Any, next: Any, second: Any, near: int, far: int) -> Any:
        return (-1.5 * here + 2 * next - 0.5 * second) / self.step


class _Uneven:
    """Samples whose distances are ``steps``, shaped to go with the samples."""

    def __init__(self, steps: Any, dim: int):
        self.steps, self.dim = steps, dim

    def at(self, index: int) -> Any:
        return self.steps.narrow(self.dim, index % self.steps.size(self.dim), 1)

    def middle(self, before: Any, here: Any, after: Any) -> Any:
        count = self.steps.size(self.dim) - 1
        left = self.steps.narrow(self.dim, 0, count)
        right = self.steps.narrow(self.dim, 1, count)
        return (
            -before * right / (left * (left + right))
            + here * (right - left) / (left * right)
            + after * left / (right * (left + right))
        )

    def end(self, here: Any, next: Any, second: Any, near: int, far: int) -> Any:
        h, k = self.at(near), self.at(far)
        return (
            -here * (2 * h + k) / (h * (h + k))
            + next * (h + k) / (h * k)
            - second * h / (k * (h + k))
        )


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
