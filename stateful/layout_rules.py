"""How the results of ops lie in memory: the rules of those that do not just give rows.

A rule is called with the op, its arguments (tensors as their `Geometry`, lists of them as tuples)
and the avals of its results; it gives the geometry of each result. Sources: for pointwise ops
`aten/src/ATen/TensorIterator.cpp`, else the implementation of the op for the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from funcgrad.op import Op

from .devices import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    memory_format,
    preserve_format,
)
from .execute import Aval
from .geometry import Geometry, broadcast, contiguous, formatted, like
from .geometry import pointwise as pointwise_of
from .geometry_dims import take_dims, transpose, unsqueeze
from .geometry_select import select
from .geometry_shape import expand

Rule = Callable[[Op, Sequence, Sequence], list[Geometry]]

NUMBER = Geometry((), ())


def operands(op: Op, args: Sequence) -> list[Geometry]:
    """The tensors among the arguments in their order; a number in the place of one is one, too."""
    found: list[Geometry] = []
    for parameter, arg in zip(op.params, args, strict=True):
        if isinstance(arg, Geometry):
            found.append(arg)
        elif parameter.kind == "tensors" and arg is not None:
            found += [x for x in arg if isinstance(x, Geometry)]
        elif (parameter.kind == "tensor" or parameter.name == "other") and arg is not None:
            found.append(NUMBER)
    return found


def pointwise(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """As TensorIterator orders the dimensions of all operands."""
    found = pointwise_of(*operands(op, args))
    return [found if found.size == o.shape else contiguous(o.shape) for o in outputs]


def kept(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """As a copy of the first argument that keeps its memory format."""
    return [like(args[0]) if args[0].size == o.shape else contiguous(o.shape) for o in outputs]


def suggested(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """In the memory format that the first argument suggests."""
    format = suggestion(args[0])
    return [in_format(o.shape, format) for o in outputs]


def suggested_by_the_second(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """In the memory format that the second argument suggests."""
    return suggested(op, args[1:], outputs)


def padded(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """In the memory format that the argument suggests; else a copy of a part."""
    if all(length <= 0 for length in args[1]):
        return [like(Geometry(outputs[0].shape, args[0].stride))]
    return suggested(op, args, outputs)


def in_format(size: tuple[int, ...], format: memory_format) -> Geometry:
    """A new tensor in a memory format, where its rank has one."""
    return contiguous(size) if len(size) != RANKS.get(format) else formatted(size, format)


RANKS = {channels_last: 4, channels_last_3d: 5}


def suggestion(geometry: Geometry) -> memory_format:
    """The memory format that strides look like; of more than one the first.

    >>> suggestion(Geometry((1, 3, 1, 1), (3, 1, 3, 3)))
    torch.channels_last
    """
    formats = [format for format, rank in RANKS.items() if rank == geometry.ndim]
    return formats[0] if formats and _looks_channels_last(geometry) else contiguous_format


def _looks_channels_last(geometry: Geometry) -> bool:
    """Whether the strides grow from the channels over the last dimension to the first.

    Dimensions of length 1 count, too. See `c10/core/MemoryFormat.h`.
    """
    size, stride, least = geometry.size, geometry.stride, 0
    if stride[1] == 0:
        return False
    for dim in (1, *range(geometry.ndim - 1, 1, -1), 0):
        if size[dim] == 0 or stride[dim] < least or dim == 0 and least == stride[1]:
            return False
        least = stride[dim] * size[dim]
    return True


def convolved(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """Channels last where the input or the weight is; sequences are images of one row, and their
    layout does not count. In double precision volumes are never channels last."""
    output, inputs = outputs[0], args[:2]
    shape = output.shape
    if len(shape) == 3:
        row = convolved(
            op, [unsqueeze(args[1], 2)] * 2, [Aval.of((*shape[:2], 1, shape[2]), output.dtype)]
        )
        return [select(row[0], 2, 0)]
    if len(shape) == 5 and output.dtype == np.float64:
        return [contiguous(shape)]
    formats = [suggestion(x) for x in inputs]
    found = next((f for f in formats if f is not contiguous_format), contiguous_format)
    return [in_format(shape, found)]


def joined(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """In the memory format that all arguments suggest."""
    formats = {suggestion(x) for x in args[0]}
    return [in_format(outputs[0].shape, formats.pop() if len(formats) == 1 else contiguous_format)]


def gated(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """A pointwise op on the halves of the first argument."""
    half = Geometry(outputs[0].shape, args[0].stride)
    return [pointwise_of(half, half)]


def outer(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """A pointwise op on a matrix, a column and a row."""
    matrix, column, row = args[:3]
    shape = outputs[0].shape
    return [pointwise_of(expand(matrix, shape), unsqueeze(column, 1), unsqueeze(row, 0))]


def heads_inside(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """Of the gradients of attention: ``(B, H, L, E)`` in memory as ``(B, L, H, E)``."""
    inside = [transpose(contiguous(o.shape), 1, 2).size for o in outputs]
    return [transpose(contiguous(size), 1, 2) for size in inside]


def attended(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """Of attention: the output lies as the queries do, the sums as ``(B, L, H)``."""
    return [*kept(op, args, outputs[:1]), *heads_inside(op, args, outputs[1:])]


def turned(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """Flipped, and for a quarter turn transposed."""
    _, k, dims = args
    found = like(args[0], preserve_format if k % 4 else contiguous_format)
    return [transpose(found, *dims) if k % 2 else found]


def by_columns(*which: int) -> Rule:
    """Of LAPACK's matrices: these results are kept column by column, the others by rows."""

    def rule(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
        found = [contiguous(o.shape) for o in outputs]
        for nr in which:
            if found[nr].ndim > 1:
                found[nr] = transpose(contiguous(transpose(found[nr], -2, -1).size), -2, -1)
        return found

    return rule


def backwards(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """A pointwise op on the second argument and the first."""
    return [pointwise_of(*reversed(operands(op, args)))]


def of_the_second(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """As a pointwise op on the second argument alone."""
    found = pointwise_of(args[1])
    return [found if found.size == o.shape else contiguous(o.shape) for o in outputs]


def transformed(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """What is transformed lies in memory together, all else around it.

    See `aten/src/ATen/native/mkl/SpectralOps.cpp`.
    """
    source, dims, shape = args[0], [dim % args[0].ndim for dim in args[1]], outputs[0].shape
    if op.aten == "_fft_c2r":
        if len(dims) > 1:  # all but the last are transformed before
            source = _together(source, source.size, sorted(dims[:-1], key=_steps(source)))
        return [_together(source, shape, dims[-1:])]
    last = dims[-1:] if op.aten == "_fft_r2c" else []
    return [
        _together(source, shape, sorted(dims[: len(dims) - len(last)], key=_steps(source)) + last)
    ]


def _together(source: Geometry, shape: tuple[int, ...], dims: list[int]) -> Geometry:
    """Memory of this shape, the dimensions ``dims`` last, the others in the order of ``source``."""
    order = sorted(set(range(source.ndim)) - set(dims), key=_steps(source)) + dims
    made = contiguous(tuple([shape[dim] for dim in order]))
    return take_dims(made, [order.index(dim) for dim in range(len(order))])


def _steps(geometry: Geometry) -> Callable[[int], int]:
    """Sorts dimensions by their strides, the longest first."""
    return lambda dim: -geometry.stride[dim]


def rolled(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """Pieces along a dimension joined in another order; without one a row is rolled."""
    if 0 in args[0].size:
        return kept(op, args, outputs)
    return suggested(op, args, outputs) if args[2] else [contiguous(outputs[0].shape)]


def indexed(op: Op, args: Sequence, outputs: Sequence) -> list[Geometry]:
    """A pointwise op on the tensor, shown once for each index, and the indices.

    The dimensions that are indexed come first unless they follow each other.
    """
    source, indices = args[:2]
    given = [dim for dim, index in enumerate(indices) if index is not None]
    rest = [dim for dim in range(source.ndim) if dim not in given]
    together = given == list(range(given[0], given[0] + len(given)))
    before = [dim for dim in rest if dim < given[0]] if together else []
    shape = broadcast(*[indices[dim].size for dim in given])
    after = [dim for dim in rest if dim not in before]
    head, tail = take_dims(source, before), take_dims(source, after)
    shown = Geometry(
        (*head.size, *shape, *tail.size), (*head.stride, *(0,) * len(shape), *tail.stride)
    )
    each = [expand(indices[dim], shape) for dim in given]
    ones = (1,) * len(after)
    found = pointwise_of(shown, *[Geometry((*i.size, *ones), (*i.stride, *ones)) for i in each])
    return [found if found.size == outputs[0].shape else contiguous(outputs[0].shape)]
