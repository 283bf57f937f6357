"""The geometry of views of some of the elements: `select`, `slice`, `split`, `diagonal`, ...

The rules are those of `aten/src/ATen/native/TensorShape.cpp`.
"""

from collections.abc import Sequence

from stateful.geometry import Geometry
from stateful.geometry_dims import set_dim, take_dims, wrap_dim


def select(geometry: Geometry, dim: int, index: int) -> Geometry:
    """Without dimension `dim`, at `index` of it.

    >>> select(Geometry((2, 3), (3, 1)), 0, -1)
    Geometry(size=(3,), stride=(1,), offset=3)
    """
    if geometry.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, geometry.ndim)
    length = geometry.size[dim]
    if not -length <= index < length:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(geometry.size)} at "
            f"dimension {dim}"
        )
    offset = geometry.offset + index % length * geometry.stride[dim]
    rest = take_dims(geometry, [at for at in range(geometry.ndim) if at != dim])
    return rest._replace(offset=offset)


def slice_(
    geometry: Geometry,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Geometry:
    """Every `step`-th from `start` up to `end`; bounds outside the dimension are clipped.

    >>> slice_(Geometry((5,), (1,)), 0, 1, 99, 2)
    Geometry(size=(2,), stride=(2,), offset=1)
    """
    if geometry.ndim == 0:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, geometry.ndim)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, got {step}")
    first, last, _ = slice(start, end).indices(geometry.size[dim])
    length = max(last - first + step - 1, 0) // step
    moved = set_dim(geometry, dim, length, geometry.stride[dim] * step)
    return moved._replace(offset=geometry.offset + first * geometry.stride[dim])


def narrow(geometry: Geometry, dim: int, start: int, length: int) -> Geometry:
    """`length` elements from `start`; all must exist.

    >>> narrow(Geometry((5,), (1,)), 0, 3, 2)
    Geometry(size=(2,), stride=(1,), offset=3)
    """
    if geometry.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    dim = wrap_dim(dim, geometry.ndim)
    size = geometry.size[dim]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_(geometry, dim, start, start + length)


def unbind(geometry: Geometry, dim: int = 0) -> list[Geometry]:
    """Each index of `dim`, as `select` shows it.

    >>> [part.offset for part in unbind(Geometry((2, 3), (3, 1)), 1)]
    [0, 1, 2]
    """
    dim = wrap_dim(dim, geometry.ndim)
    if geometry.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return [select(geometry, dim, index) for index in range(geometry.size[dim])]


def split_with_sizes(
    geometry: Geometry, split_sizes: Sequence[int], dim: int = 0
) -> list[Geometry]:
    """Parts of these lengths, which must sum to the whole.

    >>> [part.offset for part in split_with_sizes(Geometry((5,), (1,)), (2, 3))]
    [0, 2]
    """
    if geometry.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, geometry.ndim)
    if min(split_sizes, default=0) < 0:
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(split_sizes)}"
        )
    if sum(split_sizes) != geometry.size[dim]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {geometry.size[dim]} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={list(split_sizes)}"
        )
    starts = [sum(split_sizes[:at]) for at in range(len(split_sizes))]
    pairs = zip(starts, split_sizes, strict=True)
    return [slice_(geometry, dim, start, start + length) for start, length in pairs]


def split(geometry: Geometry, split_size: int, dim: int = 0) -> list[Geometry]:
    """Parts of `split_size`; the last one may be shorter.

    >>> [part.size for part in split(Geometry((5,), (1,)), 2)]
    [(2,), (2,), (1,)]
    """
    if geometry.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if split_size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={split_size}"
        )
    dim = wrap_dim(dim, geometry.ndim)
    length = geometry.size[dim]
    if split_size == 0 < length:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}"
        )
    starts = range(0, max(length, 1), max(split_size, 1))
    return [slice_(geometry, dim, start, start + split_size) for start in starts]


def chunk(geometry: Geometry, chunks: int, dim: int = 0) -> list[Geometry]:
    """At most `chunks` parts, all but the last of equal length.

    >>> [part.size for part in chunk(Geometry((5,), (1,)), 2)]
    [(3,), (2,)]
    """
    if geometry.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = geometry.size[wrap_dim(dim, geometry.ndim)]
    if length == 0:
        return split_with_sizes(geometry, [0] * chunks, dim)
    return split(geometry, -(-length // chunks), dim)


def diagonal(geometry: Geometry, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Geometry:
    """A diagonal of two dimensions as a new last dimension.

    >>> diagonal(Geometry((2, 3), (3, 1)), 1)
    Geometry(size=(2,), stride=(4,), offset=1)
    """
    first, second = wrap_dim(dim1, geometry.ndim), wrap_dim(dim2, geometry.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rows, columns = geometry.size[first], geometry.size[second]
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    skipped = max(offset, 0) * geometry.stride[second] - min(offset, 0) * geometry.stride[first]
    rest = take_dims(geometry, [at for at in range(geometry.ndim) if at not in (first, second)])
    return Geometry(
        (*rest.size, length),
        (*rest.stride, geometry.stride[first] + geometry.stride[second]),
        geometry.offset + (skipped if length else 0),
    )


def unfold(geometry: Geometry, dimension: int, size: int, step: int) -> Geometry:
    """Windows of `size` elements, `step` apart; the window is a new last dimension.

    >>> unfold(Geometry((5,), (1,)), 0, 3, 1)
    Geometry(size=(3, 3), stride=(1, 1), offset=0)
    """
    dim = wrap_dim(dimension, geometry.ndim)
    length = geometry.size[dim] if geometry.ndim else 1
    if not 0 <= size <= length:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dim} is {length} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if geometry.ndim == 0:
        return Geometry((size,), (1,), geometry.offset)
    windows = (length - size) // step + 1
    moved = set_dim(geometry, dim, windows, geometry.stride[dim] * step)
    return Geometry((*moved.size, size), (*moved.stride, geometry.stride[dim]), geometry.offset)
