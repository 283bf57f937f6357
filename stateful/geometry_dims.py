"""The geometry of views that reorder, drop or add dimensions: `permute`, `squeeze`, ...

The rules are those of `aten/src/ATen/native/TensorShape.cpp`.
"""

from collections.abc import Sequence

from stateful.geometry import Geometry


def wrap_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the left. IndexError if there is no such dimension.

    >>> wrap_dim(-1, 3)
    2
    """
    limit = max(ndim, 1)
    if not -limit <= dim < limit:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], "
            f"but got {dim})"
        )
    return dim % limit


def take_dims(geometry: Geometry, dims: Sequence[int]) -> Geometry:
    """Only these dimensions, in this order."""
    size = tuple(geometry.size[dim] for dim in dims)
    return Geometry(size, tuple(geometry.stride[dim] for dim in dims), geometry.offset)


def set_dim(geometry: Geometry, dim: int, length: int, step: int) -> Geometry:
    """The same, with this length and stride in dimension `dim`."""
    size, stride = list(geometry.size), list(geometry.stride)
    size[dim], stride[dim] = length, step
    return Geometry(tuple(size), tuple(stride), geometry.offset)


def permute(geometry: Geometry, dims: Sequence[int]) -> Geometry:
    """The dimensions in the order `dims`.

    >>> permute(Geometry((2, 3), (3, 1)), (1, 0))
    Geometry(size=(3, 2), stride=(1, 3), offset=0)
    """
    if len(dims) != geometry.ndim:
        raise RuntimeError(
            "permute: number of dimensions in the tensor input does not match the length of the "
            f"desired ordering of dimensions i.e. input.dim() = {geometry.ndim} is not equal to "
            f"len(dims) = {len(dims)}"
        )
    order = [wrap_dim(dim, geometry.ndim) for dim in dims]
    if len(set(order)) < len(order):
        raise RuntimeError(f"permute(): duplicate dims are not allowed, got {list(dims)}")
    return take_dims(geometry, order)


def transpose(geometry: Geometry, dim0: int, dim1: int) -> Geometry:
    """Two dimensions exchanged.

    >>> transpose(Geometry((2, 3), (3, 1)), 0, -1).stride
    (1, 3)
    """
    order = list(range(geometry.ndim))
    first, second = wrap_dim(dim0, geometry.ndim), wrap_dim(dim1, geometry.ndim)
    if order:
        order[first], order[second] = second, first
    return take_dims(geometry, order)


def t(geometry: Geometry) -> Geometry:
    """A matrix with its dimensions exchanged; fewer dimensions stay as they are.

    >>> t(Geometry((2, 3), (3, 1))).size
    (3, 2)
    """
    if geometry.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {geometry.ndim}D; "
            "use transpose(dim0, dim1)"
        )
    return transpose(geometry, 0, geometry.ndim - 1)


def movedim(geometry: Geometry, source, destination) -> Geometry:
    """Dimensions `source` moved to the places `destination`; the others keep their order.

    >>> movedim(Geometry((2, 3, 4), (12, 4, 1)), 0, 2).size
    (3, 4, 2)
    """
    names, given = ("source", "destination"), (source, destination)
    given = [[dims] if isinstance(dims, int) else list(dims) for dims in given]
    if len(given[0]) != len(given[1]):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({given[0]} dims) should contain "
            f"the same number of dims as destination ({given[1]} dims)"
        )
    wrapped = [[wrap_dim(dim, geometry.ndim) for dim in dims] for dims in given]
    for name, dims, original in zip(names, wrapped, given, strict=True):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({original})")
    if geometry.ndim == 0:
        return geometry
    order = dict(zip(wrapped[1], wrapped[0], strict=True))
    others = iter([dim for dim in range(geometry.ndim) if dim not in wrapped[0]])
    return take_dims(
        geometry, [order[at] if at in order else next(others) for at in range(geometry.ndim)]
    )


def reverse_dims(geometry: Geometry) -> Geometry:
    """All dimensions in reverse order, as `x.T`.

    >>> reverse_dims(Geometry((2, 3), (3, 1))).size
    (3, 2)
    """
    return take_dims(geometry, list(range(geometry.ndim))[::-1])


def matrix_transpose(geometry: Geometry) -> Geometry:
    """The last two dimensions exchanged, as `x.mT`.

    >>> matrix_transpose(Geometry((5, 2, 3), (6, 3, 1))).size
    (5, 3, 2)
    """
    if geometry.ndim == 1:
        raise RuntimeError(
            "tensor.mT (mH, adjoint) is only supported on matrices or batches of matrices. "
            "Got 1-D tensor."
        )
    return transpose(geometry, -2, -1) if geometry.ndim else geometry


def squeeze(geometry: Geometry, dim: int | Sequence[int] | None = None) -> Geometry:
    """Without the dimensions of length 1 among `dim`, or without any of them.

    >>> squeeze(Geometry((1, 3, 1), (3, 1, 1)), -1)
    Geometry(size=(1, 3), stride=(3, 1), offset=0)
    """
    dims = range(geometry.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dropped = {wrap_dim(each, geometry.ndim) for each in dims}
    size = geometry.size
    kept = [at for at in range(geometry.ndim) if at not in dropped or size[at] != 1]
    return take_dims(geometry, kept)


def unsqueeze(geometry: Geometry, dim: int) -> Geometry:
    """With a new dimension of length 1 before `dim`.

    >>> unsqueeze(Geometry((2, 3), (3, 1)), 1)
    Geometry(size=(2, 1, 3), stride=(3, 3, 1), offset=0)
    """
    dim = wrap_dim(dim, geometry.ndim + 1)
    step = geometry.size[dim] * geometry.stride[dim] if dim < geometry.ndim else 1
    size, stride = geometry.size, geometry.stride
    return Geometry(
        (*size[:dim], 1, *size[dim:]), (*stride[:dim], step, *stride[dim:]), geometry.offset
    )
