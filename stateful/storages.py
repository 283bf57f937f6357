"""`Tensor.set_`, `resize_`, `untyped_storage`: what a program sees of the memory below tensors.

A storage here is one immutable array at a time, so a storage object is a face: it answers what
programs ask (size, identity, elements) and writes through a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from funcgrad.unsupported import type_name

from . import modes
from .described import Described
from .devices import contiguous_format, preserve_format
from .dispatch import wrap
from .execute import Function, execute
from .geometry import contiguous, formatted, suggested
from .layout import of as geometry_of
from .not_implemented import NotImplemented
from .rules import check_inplace, count_write
from .striding import flat
from .tensor import Tensor
from .views import Counter, Storage


class UntypedStorage:
    """The memory of a tensor, counted in bytes.

    >>> import stateful as torch
    >>> x = torch.arange(4.0)
    >>> x.untyped_storage().nbytes(), x[2:].untyped_storage().data_ptr() == x.data_ptr()
    (16, True)
    """

    def __init__(self, storage: Storage):
        self._storage = storage

    def _tensor(self) -> Any:
        """All elements in the order of memory, as a tensor that shares them."""
        return flat(self._storage)

    def element_size(self) -> int:
        """Bytes in an element of this storage: 1."""
        return 1

    def nbytes(self) -> int:
        """The number of bytes."""
        aval = self._storage.value.aval
        return math.prod(aval.shape) * aval.dtype.itemsize

    def size(self) -> int:
        """The number of bytes."""
        return self.nbytes()

    __len__ = size

    def data_ptr(self) -> int:
        """The `Tensor.data_ptr` of a tensor that starts where the storage does."""
        return id(self._storage)

    @property
    def _cdata(self) -> int:
        return id(self._storage)

    @property
    def device(self) -> Any:
        """Where the elements are."""
        return self._tensor().device

    def tolist(self) -> list:
        """The bytes as numbers."""
        return list(self._tensor().numpy().tobytes())

    def resize_(self, size: int) -> UntypedStorage:
        """Give the storage room for ``size`` bytes; new elements are zeros."""
        _grow(self._storage, size // self._storage.value.aval.dtype.itemsize)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and other._storage is self._storage

    def __hash__(self) -> int:
        return id(self._storage)


class TypedStorage(UntypedStorage):
    """The memory of a tensor, counted in its elements.

    >>> import stateful as torch
    >>> torch.arange(3.0).storage().tolist()
    [0.0, 1.0, 2.0]
    """

    def element_size(self) -> int:
        """Bytes in an element."""
        return self._storage.value.aval.dtype.itemsize

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self._tensor().dtype

    def size(self) -> int:
        """The number of elements."""
        return math.prod(self._storage.value.aval.shape)

    __len__ = size

    def untyped(self) -> UntypedStorage:
        """The same memory, counted in bytes."""
        return UntypedStorage(self._storage)

    def tolist(self) -> list:
        """The elements as numbers."""
        return self._tensor().tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index: int) -> Any:
        return self.tolist()[index]

    def __setitem__(self, index: int, value: Any) -> None:
        with modes.no_grad():
            self._tensor()[index] = value

    def fill_(self, value: Any) -> TypedStorage:
        """Overwrite every element."""
        with modes.no_grad():
            self._tensor().fill_(value)
        return self

    def resize_(self, size: int) -> TypedStorage:
        """Give the storage room for ``size`` elements; new ones are zeros."""
        _grow(self._storage, size)
        return self


def _padded(array, size):
    return jnp.pad(array.reshape(-1)[:size], (0, max(0, size - array.size)))


_PAD = Function(_padded)


def _grow(storage: Storage, size: int) -> None:
    """Make the storage one row of ``size`` elements, those that it has in the order of memory."""
    (storage.value,) = execute(_PAD, (flat(storage)._read(),), (size,))
    storage.geometry = None


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory of this tensor.

    >>> import stateful as torch
    >>> torch.arange(3)[1:].untyped_storage().nbytes()
    24
    """
    return UntypedStorage(self._storage)


def storage(self: Tensor) -> TypedStorage:
    """The memory of this tensor, counted in elements.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.arange(3).storage().tolist()
    [0, 1, 2]
    """
    return TypedStorage(self._storage)


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same part of the same memory in the same way.

    >>> import stateful as torch
    >>> x = torch.arange(4)
    >>> x.is_set_to(x.view(4)), x.is_set_to(x[1:])
    (True, False)
    """
    return self._storage is tensor._storage and geometry_of(self) == geometry_of(tensor)


def set_(
    self: Tensor,
    source: Any = None,
    storage_offset: int = 0,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Make this tensor show the memory of ``source``: a tensor, a storage, or none at all.

    Raises RuntimeError if the dtype is another, or if this is a leaf that requires a gradient.

    >>> import stateful as torch
    >>> x, y = torch.zeros(3), torch.ones(2)
    >>> _ = x.set_(y)
    >>> _ = y.add_(1)
    >>> x
    tensor([2., 2.])
    """
    sources = [t for t in (self, source) if isinstance(t, Tensor)]
    records = modes.state.grad_enabled and any(t.requires_grad for t in sources)
    check_inplace(self, records)
    seen = _source(self, source, storage_offset, size, stride)
    if seen._aval.dtype != self._aval.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {type_name(seen._aval.dtype)} to a tensor of type "
            f"{type_name(self._aval.dtype)}"
        )
    given = [t for t in sources if t.requires_grad]
    node = NotImplemented("set_", given, seen._aval) if records else None
    _show(self, seen)
    if node is not None:
        self._set_history(node, 0)
    return self


def _source(self: Tensor, source: Any, offset: int, size: Any, stride: Any) -> Tensor:
    """What `set_` is to show."""
    if source is None:
        return wrap(_empty(self))
    seen = source.detach() if isinstance(source, Tensor) else source._tensor()
    if size is None:
        return seen
    size = (size,) if isinstance(size, int) else tuple(size)
    stride = contiguous(size).stride if stride is None else stride
    return flat(seen._storage).as_strided(size, tuple(stride), offset)


def _empty(self: Tensor) -> Any:
    return execute(_PAD, (self._read(),), (0,))[0]


def _show(self: Tensor, seen: Described) -> None:
    """Let ``self`` show what ``seen`` shows, and count the change."""
    if self._inference:
        count_write(self)  # raises, unless we are in inference mode
        self._counter = self._storage = seen._storage
        self._view = seen._view
        return
    self._counter = Counter(self._counter.version)
    self._storage, self._view = seen._storage, seen._view
    count_write(self)
    self._grad_version = self._counter.version


def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Give this tensor another size, on the same memory; where that is too small, on new memory.

    Elements that were not there before are zeros. Raises RuntimeError if it requires a gradient.

    >>> import stateful as torch
    >>> torch.arange(4.0).resize_(2, 2)
    tensor([[0., 1.],
            [2., 3.]])
    """
    wanted = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad: detach() first")
    shape = tuple(int(n) for n in wanted)
    if any(n < 0 for n in shape):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    if memory_format is preserve_format:
        raise RuntimeError("Unsupported memory formatPreserve: there is no tensor to go by")
    if shape == self._aval.shape and memory_format is None:
        return self
    offset = self.storage_offset()
    needed = offset + math.prod(shape)
    with modes.no_grad():
        memory = self._storage
        if needed > math.prod(memory.value.aval.shape):
            memory = Storage(execute(_PAD, (flat(memory)._read(),), (needed,))[0])
        stride = formatted(shape, memory_format or contiguous_format).stride
        seen = flat(memory).as_strided(shape, stride, offset)
    _show(self, seen)
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the size of another tensor.

    >>> import stateful as torch
    >>> torch.arange(4).resize_as_(torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    if memory_format is preserve_format:
        memory_format = suggested(geometry_of(the_template))
    return resize_(self, the_template.shape, memory_format=memory_format)


for _method in (untyped_storage, storage, is_set_to, set_, resize_, resize_as_):
    setattr(Tensor, _method.__name__, _method)
