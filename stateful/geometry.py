"""Where the elements of a tensor lie in its storage: size, stride and offset, in elements.

Values are computed on whole arrays and need none of this; it is what `stride()`, `is_contiguous()`
and "view size is not compatible" answer from. The rules are ATen's: `c10/core/TensorImpl.cpp` and
`Contiguity.h` for contiguity, `aten/src/ATen/TensorIterator.cpp` for the results of pointwise ops.
The rules of the view ops are in `geometry_views`.
"""

import math
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from stateful.devices import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    memory_format,
    preserve_format,
)

_CHANNELS_LAST_ORDER = {channels_last: (0, 2, 3, 1), channels_last_3d: (0, 2, 3, 4, 1)}


class Geometry(NamedTuple):
    """Element `(i, j, ...)` is at `offset + i * stride[0] + j * stride[1] + ...` in the storage.

    >>> contiguous((2, 3))
    Geometry(size=(2, 3), stride=(3, 1), offset=0)
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int = 0

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.size)

    @property
    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self.size)


@lru_cache(maxsize=4096)
def contiguous(size: tuple[int, ...]) -> Geometry:
    """The geometry of a new tensor: rows one after another.

    >>> contiguous((2, 0, 3)).stride
    (3, 3, 1)
    """
    stride, step = [], 1
    for length in reversed(size):
        stride.append(step)
        step *= max(length, 1)
    return Geometry(tuple(size), tuple(reversed(stride)))


@lru_cache(maxsize=4096)
def formatted(size: tuple[int, ...], format: memory_format = contiguous_format) -> Geometry:
    """The geometry of a new tensor in a memory format. RuntimeError if the rank does not fit it.

    >>> formatted((2, 3, 4, 5), channels_last).stride
    (60, 1, 15, 3)
    """
    if format is contiguous_format:
        return contiguous(size)
    order = _channels_last_order(size, format)
    return Geometry(tuple(size), _strides_in_order(size, order[::-1]))


def is_contiguous(geometry: Geometry, format: memory_format = contiguous_format) -> bool:
    """Whether the elements lie in the storage as in a new tensor of this memory format.

    Strides of dimensions of length 1 do not matter.

    >>> is_contiguous(Geometry((2, 3), (1, 2))), is_contiguous(Geometry((2, 1), (1, 9)))
    (False, True)
    """
    if format is contiguous_format or format is preserve_format:
        if 0 in geometry.size or geometry.stride == contiguous(geometry.size).stride:
            return True
        return _is_dense_in_order(geometry, range(geometry.ndim - 1, -1, -1))
    order = _CHANNELS_LAST_ORDER[format]
    return len(order) == geometry.ndim and _is_dense_in_order(geometry, order[::-1])


def suggested(geometry: Geometry) -> memory_format:
    """The memory format that this is: of channels last where the strides say so.

    >>> suggested(Geometry((2, 3, 4, 5), (60, 1, 15, 3)))
    torch.channels_last
    """
    if is_contiguous(geometry):
        return contiguous_format
    for format in _CHANNELS_LAST_ORDER:
        if is_contiguous(geometry, format):
            return format
    return contiguous_format


def is_non_overlapping_and_dense(geometry: Geometry) -> bool:
    """Whether the elements fill one block of the storage, each place once, in any order.

    >>> is_non_overlapping_and_dense(Geometry((2, 3), (1, 2)))
    True
    """
    if is_contiguous(geometry):
        return True
    longer = [at for at, length in enumerate(geometry.size) if length > 1]
    return _is_dense_in_order(geometry, sorted(longer, key=geometry.stride.__getitem__))


def has_internal_overlap(geometry: Geometry) -> bool:
    """Whether elements surely share a place, as in an expanded tensor; in-place ops then fail.

    >>> has_internal_overlap(Geometry((2, 3), (0, 1)))
    True
    """
    if is_non_overlapping_and_dense(geometry):
        return False
    return any(
        length > 1 and step == 0
        for length, step in zip(geometry.size, geometry.stride, strict=True)
    )


def check_writable(geometry: Geometry) -> None:
    """RuntimeError if `has_internal_overlap`: an in-place op would write to a place twice."""
    if has_internal_overlap(geometry):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            f"single memory location: it is expanded, size {list(geometry.size)} with stride "
            f"{list(geometry.stride)}. Please clone() the tensor before performing the operation."
        )


def storage_size(geometry: Geometry) -> int:
    """How many elements the storage must have for this geometry.

    >>> storage_size(Geometry((2, 2), (4, 1), 3))
    9
    """
    if 0 in geometry.size:
        return 0
    ends = zip(geometry.size, geometry.stride, strict=True)
    return geometry.offset + 1 + sum((length - 1) * step for length, step in ends)


@lru_cache(maxsize=4096)
def like(geometry: Geometry, format: memory_format = preserve_format) -> Geometry:
    """The geometry of `clone()` and `empty_like`: the same order of dimensions, without gaps.

    >>> like(Geometry((2, 3), (1, 2))).stride, like(Geometry((4, 2), (0, 1))).stride
    ((1, 2), (2, 1))
    """
    if format is not preserve_format:
        return formatted(geometry.size, format)
    if is_non_overlapping_and_dense(geometry):
        return geometry._replace(offset=0)
    order = _memory_order(geometry.size, [geometry.stride])
    return Geometry(geometry.size, _strides_in_order(geometry.size, order))


@lru_cache(maxsize=4096)
def pointwise(*operands: Geometry) -> Geometry:
    """The geometry of the result of a pointwise op on operands that broadcast together.

    The first operand whose strides order two dimensions decides; contiguous ones give contiguous.

    >>> pointwise(Geometry((2, 3), (1, 2)), contiguous((3,)))
    Geometry(size=(2, 3), stride=(1, 2), offset=0)
    """
    first = operands[0]
    if all(operand.size == first.size for operand in operands):
        found = _pointwise_of_one_size(operands)
        if found is not None:
            return found
    size = broadcast(*(operand.size for operand in operands))
    order = _memory_order(size, [_broadcast_stride(operand, size) for operand in operands])
    if order == tuple(range(len(size) - 1, -1, -1)):
        return contiguous(size)
    return Geometry(size, _strides_in_order(size, order))


def broadcast(*sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The size that all these broadcast to. RuntimeError if they do not fit.

    >>> broadcast((2, 1), (3,))
    (2, 3)
    """
    result = []
    for lengths in zip_longest(*(size[::-1] for size in sizes), fillvalue=1):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            at = max(map(len, sizes)) - 1 - len(result)
            first, second = [length for length in lengths if length != 1][:2]
            raise RuntimeError(
                f"The size of tensor a ({first}) must match the size of tensor b ({second}) at "
                f"non-singleton dimension {at}: sizes {', '.join(str(list(s)) for s in sizes)} "
                "do not broadcast; lengths must be equal or 1, counted from the right"
            )
        result.append(longer.pop() if longer else 1)
    return tuple(reversed(result))


def _pointwise_of_one_size(operands: tuple[Geometry, ...]) -> Geometry | None:
    size = operands[0].size
    if all(is_contiguous(operand) for operand in operands):
        return contiguous(size)
    if all(is_contiguous(operand, channels_last) for operand in operands):
        return formatted(size, channels_last)
    stride = operands[0].stride
    if all(operand.stride == stride for operand in operands):
        if is_non_overlapping_and_dense(operands[0]):
            return Geometry(size, stride)
    return None


def _broadcast_stride(operand: Geometry, size: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an operand along the dimensions of the result; 0 where it is repeated."""
    missing = len(size) - operand.ndim
    own = zip(operand.size, operand.stride, size[missing:], strict=True)
    repeated = (0 if length == 1 != target else step for length, step, target in own)
    return (0,) * missing + tuple(repeated)


def _memory_order(size: tuple[int, ...], strides: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The dimensions from the fastest to the slowest, as TensorIterator sorts them.

    An insertion sort, because "undecided" (all strides 0) is not an order that `sorted` could use.
    """
    order = list(range(len(size) - 1, -1, -1))
    for start in range(1, len(order)):
        at = start
        for before in range(start - 1, -1, -1):
            comparison = _compare(order[before], order[at], size, strides)
            if comparison < 0:
                break
            if comparison > 0:
                order[before], order[at] = order[at], order[before]
                at = before
    return tuple(order)


def _compare(first: int, second: int, size: tuple[int, ...], strides: list) -> int:
    """Negative if dimension `first` is faster than `second`, positive if slower, 0 undecided."""
    for stride in strides:
        if stride[first] == 0 or stride[second] == 0:
            continue
        if stride[first] != stride[second]:
            return stride[first] - stride[second]
        if size[first] > size[second]:
            return 1
    return 0


def _strides_in_order(size: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, ...]:
    """Strides without gaps when the dimensions lie in this order, the fastest first."""
    stride, step = [0] * len(size), 1
    for dim in order:
        stride[dim] = step
        step *= size[dim]
    return tuple(stride)


def _is_dense_in_order(geometry: Geometry, order) -> bool:
    step = 1
    for dim in order:
        if geometry.size[dim] != 1:
            if geometry.stride[dim] != step:
                return False
            step *= geometry.size[dim]
    return True


def _channels_last_order(size: tuple[int, ...], format: memory_format) -> tuple[int, ...]:
    order = _CHANNELS_LAST_ORDER.get(format)
    if order is None:
        raise RuntimeError(f"{format} does not describe a new tensor; use contiguous_format")
    if len(order) != len(size):
        raise RuntimeError(
            f"required rank {len(order)} tensor to use {str(format)[6:]} format, got {list(size)}"
        )
    return order
