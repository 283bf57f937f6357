"""The geometry of views of another shape: `view`, `reshape`, `flatten`, `unflatten`, `expand`.

The rules are those of `aten/src/ATen/TensorUtils.cpp` and `ExpandUtils.cpp`.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from stateful.geometry import Geometry, contiguous
from stateful.geometry_dims import wrap_dim


@lru_cache(maxsize=4096)
@lru_cache(maxsize=4096)
def infer_size(size: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """`size` with its one -1 replaced. RuntimeError if it cannot hold exactly `numel` elements.

    >>> infer_size((2, -1), 6)
    (2, 3)
    """
    if sum(length == -1 for length in size) > 1:
        raise RuntimeError(f"only one dimension can be inferred, got {list(size)}")
    if any(length < -1 for length in size):
        raise RuntimeError(f"invalid shape dimension {min(size)} in {list(size)}")
    known = math.prod(length for length in size if length != -1)
    if -1 in size and known == 0 == numel:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if known != numel and not (-1 in size and known > 0 and numel % known == 0):
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {numel}")
    return tuple(numel // known if length == -1 else length for length in size)


@lru_cache(maxsize=4096)
def view_stride(geometry: Geometry, size: tuple[int, ...]) -> tuple[int, ...] | None:
    """The stride with which `size` shows the same elements, or None if a copy is needed.

    The input's dimensions form blocks that are contiguous in themselves; the new dimensions must
    cut up one block after the other.

    >>> view_stride(Geometry((2, 3, 4), (12, 4, 1)), (6, 4))
    (4, 1)
    >>> view_stride(Geometry((3, 2), (1, 3)), (6,)) is None
    True
    """
    if geometry.numel == 0:
        return geometry.stride if geometry.size == size else contiguous(size).stride
    stride, at = [0] * len(size), len(size) - 1
    for numel, step in _blocks(geometry):
        filled = 1
        while at >= 0 and (filled < numel or size[at] == 1):
            stride[at] = filled * step
            filled *= size[at]
            at -= 1
        if filled != numel:
            return None
    return tuple(stride)


def _blocks(geometry: Geometry) -> list[tuple[int, int]]:
    """(number of elements, stride of the last dimension) of each contiguous block, last first."""
    blocks: list[tuple[int, int]] = []
    numel, step = 1, geometry.stride[-1] if geometry.ndim else 1
    for dim in range(geometry.ndim - 1, -1, -1):
        numel *= geometry.size[dim]
        if dim == 0:
            break
        previous = geometry.stride[dim - 1]
        if geometry.size[dim - 1] != 1 and previous != numel * step:
            blocks.append((numel, step))
            numel, step = 1, previous
    return [*blocks, (numel, step)]


def reshape(geometry: Geometry, shape: Sequence[int], *_: Any) -> Geometry | None:
    """The same elements in another shape, or None if they must be copied for it.

    >>> reshape(Geometry((2, 3), (3, 1)), (-1,))
    Geometry(size=(6,), stride=(1,), offset=0)
    """
    size = infer_size(tuple(shape), geometry.numel)
    stride = view_stride(geometry, size)
    return None if stride is None else Geometry(size, stride, geometry.offset)


def view(geometry: Geometry, size: Sequence[int]) -> Geometry:
    """Like `reshape`, but a RuntimeError if the elements must be copied.

    >>> view(Geometry((2, 3), (3, 1)), (3, 2)).stride
    (2, 1)
    """
    found = reshape(geometry, size)
    if found is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            f"dimension spans across two contiguous subspaces): size {list(geometry.size)} with "
            f"stride {list(geometry.stride)} cannot be seen as {list(size)} without a copy. "
            "Use .reshape(...) instead."
        )
    return found


def flatten(geometry: Geometry, start_dim: int = 0, end_dim: int = -1) -> Geometry | None:
    """Dimensions `start_dim` to `end_dim` made one; None if they must be copied.

    >>> flatten(Geometry((2, 3, 4), (12, 4, 1)), 1).size
    (2, 12)
    """
    start, end = wrap_dim(start_dim, geometry.ndim), wrap_dim(end_dim, geometry.ndim)
    if start > end:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim cannot come after end_dim ({start} > {end})"
        )
    if geometry.ndim == 0:
        return reshape(geometry, (1,))
    if start == end:
        return geometry
    size = geometry.size
    return reshape(geometry, (*size[:start], math.prod(size[start : end + 1]), *size[end + 1 :]))


def unflatten(geometry: Geometry, dim: int, sizes: Sequence[int]) -> Geometry:
    """One dimension made into several.

    >>> unflatten(Geometry((2, 12), (12, 1)), 1, (3, -1)).size
    (2, 3, 4)
    """
    dim = wrap_dim(dim, geometry.ndim)
    if geometry.ndim == 0:
        raise RuntimeError(f"unflatten: Dimension specified as {dim} but tensor has no dimensions")
    length = geometry.size[dim]
    try:
        parts = infer_size(tuple(sizes), length)
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({length}) in the input tensor"
        ) from None
    return view(geometry, (*geometry.size[:dim], *parts, *geometry.size[dim + 1 :]))


def expand(geometry: Geometry, size: Sequence[int], *, implicit: bool = False) -> Geometry:
    """Dimensions of length 1 repeated without a copy, with stride 0; -1 keeps a length.

    >>> expand(Geometry((3, 1), (1, 1)), (2, -1, 4))
    Geometry(size=(2, 3, 4), stride=(0, 1, 0), offset=0)
    """
    missing = len(size) - geometry.ndim
    if missing < 0:
        raise RuntimeError(
            f"expand(Tensor{{{list(geometry.size)}}}, size={list(size)}): the number of sizes "
            f"provided ({len(size)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({geometry.ndim})"
        )
    new_size, stride, step = list(size), [0] * len(size), 1 if geometry.ndim else 0
    for dim in range(len(size) - 1, -1, -1):
        old = geometry.size[dim - missing] if dim >= missing else 1
        step = geometry.stride[dim - missing] if dim >= missing else step
        if size[dim] == -1 and dim >= missing:
            new_size[dim] = old
        _check_expanded(geometry, size, new_size[dim], old, dim, missing)
        stride[dim] = step if new_size[dim] == old else 0
        step = new_size[dim] * stride[dim]
    return Geometry(tuple(new_size), tuple(stride), geometry.offset)


def _check_expanded(geometry, size, target: int, old: int, dim: int, missing: int) -> None:
    if target < 0:
        where = "in a leading, non-existing dimension" if dim < missing else "at dimension"
        raise RuntimeError(
            f"The expanded size of the tensor ({target}) isn't allowed {where} {dim}"
        )
    if target != old != 1:
        raise RuntimeError(
            f"The expanded size of the tensor ({target}) must match the existing size ({old}) at "
            f"non-singleton dimension {dim}.  Target sizes: {list(size)}.  "
            f"Tensor sizes: {list(geometry.size)}"
        )
