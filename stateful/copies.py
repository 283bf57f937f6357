"""`copy.deepcopy` and `pickle` of tensors. Shared memory is shared among the copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from .devices import device
from .execute import Value
from .hooks import warn_if_has_hooks
from .tensor import Tensor
from .views import Storage


def deepcopy(self: Tensor, memo: dict) -> Tensor:
    """A leaf of its own with the same elements, ``.grad`` and attributes.

    Raises RuntimeError for a tensor that an op made: its history cannot be copied.
    """
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment: this one was made by a recorded op. Use detach() or clone()."
        )
    storage = memo.get(id(self._storage))
    if storage is None:
        storage = memo[id(self._storage)] = Storage(self._storage.value)
        storage.geometry = self._storage.geometry
    out = _rebuilt(type(self), storage, self._view, self.requires_grad)
    memo[id(self)] = out
    if self._grad is not None:
        out._grad = deepcopy(self._grad, memo)
    _copy_attributes(self, out)
    return out


def _rebuilt(cls: type, storage: Storage, view: Any, requires_grad: bool) -> Tensor:
    out = object.__new__(cls)
    out._storage = out._counter = storage
    out._view, out._requires_grad = view, requires_grad
    return out


INTERNAL = frozenset(
    "_storage _counter _view _grad_fn _output_nr _requires_grad _grad _base _grad_version "
    "_creation _accumulator _hooks _post_accumulate_hooks _retains _inference _tangent".split()
)
"""The attributes of a Tensor that are not the user's own."""


def _copy_attributes(source: Tensor, target: Tensor) -> None:
    for name, value in source.__dict__.items():
        if name not in INTERNAL:
            target.__dict__[name] = value


def reduce(self: Tensor, protocol: Any) -> tuple:
    """How a tensor is pickled: its elements, whether it requires a gradient, its own attributes."""
    warn_if_has_hooks(self)
    attributes = {k: v for k, v in self.__dict__.items() if k not in INTERNAL}
    array = self._read().numpy()
    state = (type(self), array, self.requires_grad, str(self.device), attributes)
    return rebuild, state


def rebuild(
    cls: type, array: np.ndarray, requires_grad: bool, place: str, attributes: dict
) -> Tensor:
    """The tensor that `reduce` described."""
    out = _rebuilt(cls, Storage(Value.of(array)), None, requires_grad)
    out.__dict__.update(attributes)
    here = device(place)
    return out if here.type == "cpu" else out.to(here)  # type: ignore[attr-defined]


Tensor.__deepcopy__ = deepcopy  # type: ignore[attr-defined]
Tensor.__reduce_ex__ = reduce  # type: ignore[assignment]
