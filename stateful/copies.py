"""`copy.deepcopy` and `pickle` of tensors. Shared memory is shared among the copies."""

from __future__ import annotations

import copy
from typing import Any

from funcgrad.ops.view import alias

from . import modes
from .conjugates import flipped, pending
from .devices import device
from .dispatch import call
from .execute import Value
from .geometry import Geometry
from .hooks import warn_if_has_hooks
from .layout import of as geometry_of
from .layout import steps_of, whole
from .tensor import Tensor
from .torch_function import DisableTorchFunctionSubclass, overrides
from .views import Counter, Storage


def deepcopy(self: Tensor, memo: dict) -> Tensor:
    """A leaf of its own with the same elements, ``.grad`` and attributes; conjugates are taken.

    Raises RuntimeError for a tensor that an op made: its history cannot be copied.
    """
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. This one was made by a recorded op: copy its detach()."
        )
    if overrides(type(self)) and type(self.new_empty(())) is not type(self):  # type: ignore
        raise RuntimeError(
            "The default implementation of __deepcopy__() for non-wrapper subclasses only works "
            "for subclass types that implement new_empty() and for which that function returns "
            f"another instance of the same subclass: {type(self).__name__} needs a new_empty() or "
            "a __deepcopy__() of its own."
        )
    if any(pending(self)):
        out = _rebuilt(type(self), Storage(self._read()), None, self.requires_grad)
    else:
        out = _rebuilt(type(self), _copied(self._storage, memo), self._view, self.requires_grad)
    memo[id(self)] = out
    if self._grad is not None:
        out._grad = deepcopy(self._grad, memo)
    out.__dict__.update(copy.deepcopy(own_attributes(self), memo))
    return out


def _copied(storage: Storage, memo: dict) -> Storage:
    found = memo.get(id(storage))
    if found is None:
        found = memo[id(storage)] = Storage(storage.value)
        found.geometry, found.version = storage.geometry, 1
    return found


def _rebuilt(cls: type, storage: Storage, view: Any, requires_grad: bool) -> Tensor:
    out = object.__new__(cls)
    out._storage = out._counter = storage
    out._view, out._requires_grad = view, requires_grad
    if modes.state.inference:
        out._inference = True
    return out


INTERNAL = frozenset(
    "_storage _counter _view _node _output_nr _requires_grad _grad _base _grad_version "
    "_creation _accumulator _hooks _post_accumulate_hooks _retains _inference _tangents "
    "_grad_aval".split()
)
"""The attributes of a Tensor that are not the user's own."""


def own_attributes(tensor: Tensor) -> dict[str, Any]:
    """What the user put on a tensor."""
    return {k: v for k, v in tensor.__dict__.items() if k not in INTERNAL}


def reduce(self: Tensor, protocol: Any) -> tuple:
    """How a tensor is pickled: its storage, where in it the elements are, its own attributes.

    `copy.copy` makes a tensor of the same storage; each pickled tensor has one of its own.
    """
    warn_if_has_hooks(self)
    bits = pending(self)
    storage, place = self._storage, geometry_of(self) if steps_of(self) else None
    if place is not None and self._aval.dtype != storage.value.aval.dtype:
        with modes.no_grad():
            storage, place = Storage(flipped(self, bits)._read()), None
    return rebuild, (
        type(self), _Memory(storage), place and tuple(place), self.requires_grad,
        str(self.device), own_attributes(self), bits,
    )  # fmt: skip


def rebuild(
    cls: type, memory: _Memory, place: Any, requires_grad: bool, device_name: str,
    attributes: dict, bits: tuple[bool, bool] = (False, False),
) -> Tensor:  # fmt: skip
    """The tensor that `reduce` described."""
    out = _rebuilt(Tensor, memory.storage, whole(memory.storage), False)
    with modes.no_grad():
        if place is not None:
            out._view = out.as_strided(*place)._view
        out._view = flipped(out, bits)._view
    if cls is not Tensor:
        out = out._as(cls)
    out._requires_grad = requires_grad
    if not out._inference:
        out._counter = Counter(1)  # as in PyTorch, which counts putting the elements in
    out.__dict__.update(attributes)
    here = device(device_name)
    return out if here.type == "cpu" else out.to(here)  # type: ignore[attr-defined]


class _Memory:
    """A storage, which is pickled as its elements and their geometry."""

    def __init__(self, storage: Storage):
        self.storage = storage

    def __getstate__(self) -> tuple:
        storage = self.storage
        return storage.value.numpy(), storage.geometry and tuple(storage.geometry)

    def __setstate__(self, state: tuple) -> None:
        array, geometry = state
        self.storage = Storage(Value.of(array))
        self.storage.geometry = geometry and Geometry(*geometry)  # type: ignore[assignment]


def as_subclass(self: Tensor, cls: type) -> Any:
    """The same elements, recorded, as a tensor of class ``cls``.

    >>> import stateful as torch
    >>> class Named(torch.Tensor):
    ...     pass
    >>> type(torch.ones(2).as_subclass(Named)).__name__
    'Named'
    """
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    _check_subclass(cls)
    with DisableTorchFunctionSubclass():
        out: Any = call(alias, (self,), {})
    out.__class__ = cls
    return out


def _check_subclass(cls: type) -> None:
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not "
            f"possible. Make sure your class inherits from Tensor: {cls.__name__} does not."
        )


def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
    _check_subclass(cls)
    if not isinstance(data, Tensor):
        raise TypeError(
            "_make_subclass(): argument 'data' (position 2) must be Tensor, not "
            f"{type(data).__name__}"
        )
    with DisableTorchFunctionSubclass():
        out = data.detach()._as(cls)  # type: ignore[attr-defined]
        out.requires_grad = require_grad
    return out


Tensor.as_subclass = as_subclass  # type: ignore[attr-defined]
Tensor._make_subclass = staticmethod(_make_subclass)  # type: ignore[attr-defined]
Tensor.__deepcopy__ = deepcopy  # type: ignore[attr-defined]
Tensor.__reduce_ex__ = reduce  # type: ignore[assignment]
