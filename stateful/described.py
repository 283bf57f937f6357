"""What people ask of a tensor: its elements as numbers, its shape, dtype, place and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from funcgrad import types
from funcgrad.errors import dimension_error
from funcgrad.unsupported import TYPE_NAMES, type_name

from . import devices, dtypes, geometry, modes, printing
from .conjugates import check_resolved
from .dispatch import Face, wrap
from .execute import Aval, Tracer, Value
from .frames import check_look
from .layers import described
from .layout import is_default
from .layout import of as geometry_of
from .once import warn_once
from .sizes import Size
from .views import (
    Storage,
    View,
    read,
)  # fmt: skip


class Described:
    """The part of `Tensor` that only reads."""

    _storage: Storage
    _view: View | None
    _requires_grad: bool
    _shown_as: str = "tensor"

    if TYPE_CHECKING:  # what Tensor adds

        def __getattr__(self, name: str) -> Any: ...

    # -- reading ---------------------------------------------------------------------------------

    def _read(self) -> Value:
        view = self._view
        return self._storage.value if view is None else read(self._storage, view)

    @property
    def _aval(self) -> Aval:
        view = self._view
        return self._storage.value.aval if view is None else view.value.aval

    @property
    def _array(self) -> jax.Array:
        return self._read().read()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The elements as a numpy array (a copy: JAX arrays cannot be written to).

        Raises RuntimeError if the tensor requires a gradient and ops are being recorded, unless
        ``force``.
        """
        if self._requires_grad and not force and modes.state.grad_enabled:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if modes.vmap.frames:
            check_look(self, "numpy")
        if self._view is not None and not force:
            check_resolved(self)
        return np.array(self._read().numpy())

    def item(self) -> Any:
        """The only element as a Python number.

        >>> import stateful as torch
        >>> torch.tensor([2.5]).item()
        2.5
        """
        if modes.vmap.frames:
            check_look(self, "item")
        array = self._read().numpy()
        if array.size != 1:
            raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
        return array.item() if array.dtype.kind != "V" else float(array.reshape(()))

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        if modes.vmap.frames:
            check_look(self, "numpy")
        return self._read().numpy().tolist()

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __jax_array__(self):
        return self._array

    # -- what it is ------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        view = self._view
        value = self._storage.value if view is None else view.value
        return tuple.__new__(Size, value.aval.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its entries."""
        return self.shape if dim is None else self._aval.shape[_checked_dim(dim, self)]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        view = self._view
        return len((self._storage.value if view is None else view.value).aval.shape)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self._aval.shape)

    ndimension = dim

    @property
    def dtype(self) -> dtypes.dtype:
        """The dtype, as ``torch.float32``."""
        return dtypes.from_numpy(self._aval.dtype)

    @property
    def device(self) -> devices.device:
        """Where the elements are."""
        array = self._storage.value.array
        if isinstance(array, jax.Array) and not isinstance(array, Tracer):
            return devices.from_jax(next(iter(array.devices())))
        return devices.device("cpu")

    def stride(self, dim: int | None = None) -> Any:
        """How far apart in storage neighbours along each dimension are, in elements."""
        stride = geometry_of(self).stride
        return stride if dim is None else stride[_checked_dim(dim, self)]

    def storage_offset(self) -> int:
        """Where in storage the first element is."""
        return geometry_of(self).offset

    def is_contiguous(self, memory_format=devices.contiguous_format) -> bool:
        """Whether the elements lie in storage in the order of the dimensions."""
        if is_default(self) and memory_format is devices.contiguous_format:
            return True
        return geometry.is_contiguous(geometry_of(self), memory_format)

    def _has_overlap(self) -> bool:
        return geometry.has_internal_overlap(geometry_of(self))

    def _overlaps(self, other: Any) -> bool:
        """Whether this and another view of the same storage overlap but are not the same."""
        mine, theirs = geometry_of(self), geometry_of(other)
        if mine == theirs or not all(map(geometry.is_non_overlapping_and_dense, (mine, theirs))):
            return False
        return (
            mine.offset < theirs.offset + theirs.numel and theirs.offset < mine.offset + mine.numel
        )

    def element_size(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    def data_ptr(self) -> int:
        """A number that is equal for tensors that start at the same place of the same storage."""
        if modes.vmap.frames:
            check_look(self, "numpy")
        return id(self._storage) + self.storage_offset() * self.element_size()

    def numel(self) -> int:
        """The number of elements."""
        return self.shape.numel()

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.itemsize

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self.device.type == "cuda"

    @property
    def layout(self):
        """Always strided."""
        return devices.strided

    def __len__(self) -> int:
        if not self._aval.shape:
            raise TypeError("len() of a 0-d tensor")
        return self._aval.shape[0]

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                "Boolean value of Tensor with "
                f"{'no values' if not self.numel() else 'more than one value'}"
                " is ambiguous"
            )
        if modes.vmap.frames:
            check_look(self, "bool")
        return bool(self.item())

    def __float__(self) -> float:
        return float(_real(self._scalar(), "double"))

    def __int__(self) -> int:
        if self.numel() != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return int(_real(self.item(), "int64_t"))

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def _scalar(self) -> Any:
        """The only element; a warning if the gradient ends here."""
        if modes.state.grad_enabled and self.requires_grad:
            warn_once(
                "Converting a tensor with requires_grad=True to a scalar may lead to unexpected "
                "behavior.\nConsider using tensor.detach() first.",
                stacklevel=4,
            )
        if self.numel() != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __index__(self) -> int:
        if self.numel() != 1 or types.is_differentiable(self._aval.dtype):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __iter__(self):
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))  # type: ignore[attr-defined]

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, Described | bool | int | float | complex):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                f"{type(element)}."
            )
        equal: Any = self == element
        return bool(equal.any())

    def __pos__(self) -> Any:
        return self

    __hash__ = object.__hash__

    def __repr__(self, *, tensor_contents=None) -> str:
        return _text(self) if tensor_contents is None else _plain_text(self, tensor_contents)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.ndim else object.__format__(self, spec)

    def type(self, dtype: Any = None, non_blocking: bool = False, **given: Any) -> Any:
        """The legacy type name, ``"torch.FloatTensor"``; with an argument, a conversion by `to`."""
        if dtype is None:
            return f"torch.{type_name(self._aval.dtype)}Tensor"
        if isinstance(dtype, str):
            dtype = dtypes.from_numpy(type_dtype(dtype))
        return self.to(getattr(dtype, "_dtype", dtype), **given)  # type: ignore[attr-defined]


def _checked_dim(dim: int, tensor: Any) -> int:
    if not -max(tensor.ndim, 1) <= dim < max(tensor.ndim, 1):
        raise dimension_error(dim, tensor.ndim)
    return dim


def _text(tensor: Any) -> str:
    if modes.transforms.open:
        text = described(tensor, lambda array: _plain_text(wrap(Value.of(array))))
        if text is not None:
            return text
    return _plain_text(tensor)


def _plain_text(tensor: Any, contents: str | None = None) -> str:
    name = _history_name(tensor)
    tangent = None if modes.forward.level is None else Face.tangent_of(tensor)
    if contents is None:
        array = tensor._read().numpy()
    else:
        array = np.broadcast_to(np.zeros((), tensor._aval.dtype), tensor._aval.shape)
    return printing.tensor_repr(
        array,
        grad_fn_name=name,
        requires_grad=tensor._requires_grad,
        class_name=tensor._shown_as,
        tangent=None if tangent is None else format(tangent),
        contents=contents,
    )


def _history_name(tensor: Any) -> str | None:
    """The name of ``grad_fn`` as it is shown; a forbidden write makes that of a view invalid."""
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return "Invalid"
    return None if node is None else node.name().rpartition("::")[2]


def type_dtype(name: str) -> np.dtype:
    """The dtype of a legacy type name."""
    short = name.removeprefix("torch.").removesuffix("Tensor")
    for numpy_name, known in TYPE_NAMES.items():
        if short == known:
            return np.dtype(numpy_name)
    raise ValueError(f"invalid type: {name!r}: expected a name such as 'torch.FloatTensor'")


def _real(number: Any, kind: str) -> Any:
    if not isinstance(number, complex):
        return number
    if number.imag:
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow: {number}")
    return number.real
