"""The geometry of what each view op returns, as a table.

`RULES` maps the ATen name of a view op to a function of the input's `Geometry` and the op's other
arguments. It returns the geometry of the view, a list of them for an op with several results, or
None where the elements must be copied (only `reshape` and `flatten` may). `view_dtype` is not in
the table because it needs the sizes of the dtypes, which a geometry does not know.
"""

from collections.abc import Callable, Sequence
from typing import Any

from stateful.geometry import Geometry
from stateful.geometry_dims import (
    matrix_transpose,
    movedim,
    permute,
    reverse_dims,
    squeeze,
    t,
    transpose,
    unsqueeze,
)
from stateful.geometry_select import (
    chunk,
    diagonal,
    narrow,
    select,
    slice_,
    split,
    split_with_sizes,
    unbind,
    unfold,
)
from stateful.geometry_shape import expand, flatten, reshape, unflatten, view


def alias(geometry: Geometry) -> Geometry:
    """The same elements, as `detach` shows them.

    >>> alias(Geometry((2,), (1,)))
    Geometry(size=(2,), stride=(1,), offset=0)
    """
    return geometry


def as_strided(
    geometry: Geometry,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Geometry:
    """Any size and stride on the same storage, whose bounds the caller must check.

    >>> as_strided(Geometry((9,), (1,), 4), (2, 2), (1, 2))
    Geometry(size=(2, 2), stride=(1, 2), offset=4)
    """
    if len(size) != len(stride):
        raise RuntimeError(
            f"mismatch in length of strides and shape: {list(stride)} for {list(size)}"
        )
    if min(stride, default=0) < 0:
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    offset = geometry.offset if storage_offset is None else storage_offset
    return Geometry(tuple(size), tuple(stride), offset)


def view_as_real(geometry: Geometry) -> Geometry:
    """Complex numbers as pairs in a new last dimension, counted in real elements.

    >>> view_as_real(Geometry((3,), (1,)))
    Geometry(size=(3, 2), stride=(2, 1), offset=0)
    """
    stride = tuple(2 * step for step in geometry.stride)
    return Geometry((*geometry.size, 2), (*stride, 1), 2 * geometry.offset)


def real(geometry: Geometry) -> Geometry:
    """The real parts of a complex tensor.

    >>> real(Geometry((3,), (1,), 1))
    Geometry(size=(3,), stride=(2,), offset=2)
    """
    return select(view_as_real(geometry), -1, 0)


def imag(geometry: Geometry) -> Geometry:
    """The imaginary parts of a complex tensor.

    >>> imag(Geometry((3,), (1,), 1))
    Geometry(size=(3,), stride=(2,), offset=3)
    """
    return select(view_as_real(geometry), -1, 1)


def view_as_complex(geometry: Geometry) -> Geometry:
    """Pairs in the last dimension as complex numbers.

    >>> view_as_complex(Geometry((3, 2), (2, 1)))
    Geometry(size=(3,), stride=(1,), offset=0)
    """
    if geometry.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if geometry.size[-1] != 2:
        raise RuntimeError(
            f"Tensor must have a last dimension of size 2, got size {list(geometry.size)}"
        )
    if geometry.stride[-1] != 1:
        raise RuntimeError(
            f"Tensor must have a last dimension with stride 1, got stride {list(geometry.stride)}"
        )
    if any(step % 2 for step in geometry.stride[:-1]):
        raise RuntimeError(
            "Tensor must have a stride divisible by 2 for all but last dimension, got stride "
            f"{list(geometry.stride)}"
        )
    if geometry.offset % 2:
        raise RuntimeError(
            f"Tensor must have a storage_offset divisible by 2, got {geometry.offset}"
        )
    stride = tuple(step // 2 for step in geometry.stride[:-1])
    return Geometry(geometry.size[:-1], stride, geometry.offset // 2)


def view_dtype(geometry: Geometry, itemsize: int, new_itemsize: int) -> Geometry:
    """The geometry after `view(dtype)`, which reads the same bytes as items of another size.

    >>> view_dtype(Geometry((2, 4), (4, 1)), 4, 8)
    Geometry(size=(2, 2), stride=(2, 1), offset=0)
    """
    if itemsize == new_itemsize:
        return geometry
    what = f"to view items of {itemsize} bytes as items of {new_itemsize} (different element sizes)"
    if geometry.ndim == 0:
        raise RuntimeError(f"self.dim() cannot be 0 {what}")
    *size, length = geometry.size
    not_dense = f"self.stride(-1) must be 1 {what}, but got {geometry.stride[-1]}"
    if new_itemsize < itemsize:
        if geometry.stride[-1] != 1:
            raise RuntimeError(not_dense)
        ratio = itemsize // new_itemsize
        stride = tuple(step * ratio for step in geometry.stride[:-1])
        return Geometry((*size, length * ratio), (*stride, 1), geometry.offset * ratio)
    ratio = new_itemsize // itemsize
    if length % ratio:
        raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {what}, but got {length}")
    if geometry.offset % ratio:
        raise RuntimeError(
            f"self.storage_offset() must be divisible by {ratio} {what}, but got {geometry.offset}"
        )
    if geometry.stride[-1] != 1:
        raise RuntimeError(not_dense)
    for dim, step in enumerate(geometry.stride[:-1]):
        if step % ratio:
            raise RuntimeError(
                f"self.stride({dim}) must be divisible by {ratio} {what}, but got {step}"
            )
    stride = tuple(step // ratio for step in geometry.stride[:-1])
    return Geometry((*size, length // ratio), (*stride, 1), geometry.offset // ratio)


RULES: dict[str, Callable[..., Any]] = {
    "alias": alias,
    "detach": alias,
    "_conj": alias,
    "_neg_view": alias,
    "reshape": reshape,
    "_reshape_alias": reshape,
    "view": view,
    "_unsafe_view": view,
    "flatten.using_ints": flatten,
    "unflatten.int": unflatten,
    "expand": expand,
    "permute": permute,
    "transpose.int": transpose,
    "swapaxes": transpose,
    "swapdims": transpose,
    "t": t,
    "movedim.int": movedim,
    "moveaxis.int": movedim,
    "movedim.intlist": movedim,
    "moveaxis.intlist": movedim,
    "numpy_T": reverse_dims,
    "mT": matrix_transpose,
    "mH": matrix_transpose,
    "adjoint": matrix_transpose,
    "squeeze": squeeze,
    "squeeze.dim": squeeze,
    "squeeze.dims": squeeze,
    "unsqueeze": unsqueeze,
    "select.int": select,
    "slice.Tensor": slice_,
    "narrow": narrow,
    "unbind.int": unbind,
    "split_with_sizes": split_with_sizes,
    "split.Tensor": split,
    "chunk": chunk,
    "diagonal": diagonal,
    "unfold": unfold,
    "as_strided": as_strided,
    "view_as_real": view_as_real,
    "real": real,
    "imag": imag,
    "view_as_complex": view_as_complex,
}
