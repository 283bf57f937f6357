"""Dimensions and shapes as PyTorch checks them, before an op runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import dimension_error


def wrap_dim(dim: int, rank: int) -> int:
    """``dim`` counted from the front; a 0-dim tensor has the dimensions 0 and -1."""
    if not -max(rank, 1) <= dim < max(rank, 1):
        raise dimension_error(dim, rank)
    return dim % max(rank, 1)


def wrap_dims(dims: Sequence[int], rank: int) -> tuple[int, ...]:
    """All of ``dims`` counted from the front; twice the same one is an error."""
    wrapped = tuple(wrap_dim(dim, rank) for dim in dims)
    for position, dim in enumerate(wrapped):
        if dim in wrapped[:position]:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims {list(dims)}")
    return wrapped


def infer_size(size: Sequence[int], count: int) -> tuple[int, ...]:
    """``size`` with its -1 filled in so that it holds ``count`` elements."""
    unknown = [i for i, n in enumerate(size) if n == -1]
    known = math.prod(n for n in size if n != -1)
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in size):
        raise RuntimeError(f"invalid shape dimension {min(size)}")
    if unknown and known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if known != count and not (unknown and known and count % known == 0):
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple(count // known if n == -1 else n for n in size)


def expanded_size(size: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """What ``expand(size)`` makes of ``shape``: -1 keeps a dimension, only ones are stretched."""
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand({list(size)}): the number of sizes provided ({len(size)}) must be greater or "
            f"equal to the number of dimensions in the tensor ({len(shape)})"
        )
    result = []
    for i, wanted in enumerate(size):
        have = shape[i - lead] if i >= lead else None
        if wanted == -1 and have is None:
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) isn't allowed in a leading, "
                f"non-existing dimension {i}"
            )
        if wanted != -1 and have not in (None, 1, wanted):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) must match the existing size ({have})"
                f" at non-singleton dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(shape)}"
            )
        result.append(have if wanted == -1 else wanted)
    return tuple(result)


def slice_bounds(start: int | None, end: int | None, length: int) -> tuple[int, int]:
    """The clamped bounds of a slice of a dimension of ``length``, with ``start <= end``."""
    start = 0 if start is None else start
    end = length if end is None else end
    start = min(max(start + length if start < 0 else start, 0), length)
    end = min(max(end + length if end < 0 else end, start), length)
    return start, end
