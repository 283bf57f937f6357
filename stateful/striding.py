"""`as_strided` of tensors whose elements are not one row of memory: it goes by the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from funcgrad.ops import creation, places, view

from . import forward, modes, renewal
from .conjugates import flipped, pending
from .dispatch import call
from .geometry import Geometry
from .graph import gradient_edge
from .layout import is_default, steps_of
from .layout import of as geometry_of
from .tensor import Tensor
from .views import Storage


def flat(storage: Storage) -> Any:
    """A tensor of all elements of a storage in the order of memory, without history."""
    out: Any = object.__new__(Tensor)
    out._storage = out._counter = storage
    stride = None if storage.geometry is None else storage.geometry.stride
    with modes.no_grad():
        if stride is not None:
            out = out.permute(sorted(range(len(stride)), key=lambda dim: -stride[dim]))
        return call(view.view_size, (out, (-1,)), {})


def as_strided(
    self: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A view of the memory of this tensor with any size and strides.

    >>> import stateful as torch
    >>> torch.arange(6.0).view(2, 3).t().as_strided((2, 2), (1, 2))
    tensor([[0., 2.],
            [1., 3.]])
    """
    size, stride = tuple(size), tuple(stride)
    base = self if self._base is None else self._base
    here = self._aval.dtype == self._storage.value.aval.dtype and not steps_of(base)
    if is_default(self) or not here:
        return call(places.as_strided, (self, size, stride, storage_offset), {})
    offset = self.storage_offset() if storage_offset is None else storage_offset
    with modes.no_grad():
        out = call(places.as_strided, (flat(self._storage), size, stride, offset), {})
        out = flipped(out, pending(self))
    _place(out, self, base)
    if modes.state.grad_enabled and self.requires_grad:
        out._set_history(AsStridedBackward0(self, out, storage_offset), 0)
    if modes.forward.active:
        forward.push_view(self, out, lambda t: t.as_strided(size, stride, storage_offset))
    return out


def _place(out: Tensor, source: Tensor, base: Tensor) -> None:
    """Make ``out`` a view, as `dispatch` does for the views of ops."""
    out._counter, out._base, out._grad_version = source._counter, base, source._counter.version
    out._inference, out._creation = source._inference, source._creation
    if modes.state.inference:
        out._creation = "inference"
    elif not modes.state.grad_enabled:
        out._creation = "no_grad"


class AsStridedBackward0(renewal.AsStridedBackward0):
    """The history of a view of the memory of a tensor, which does not lie there row by row."""

    def __init__(self, source: Tensor, view: Tensor, storage_offset: int | None):
        super().__init__(gradient_edge(source), (), source._aval, view)
        self._saved_storage_offset = storage_offset
        self.source, self.view = geometry_of(source), geometry_of(view)
        self.length = math.prod(source._storage.value.aval.shape)

    def run(self, grads, needed):
        if grads[0] is None:
            return [None]
        grad: Any = _seen(self.as_tensor(grads[0]), self.view, self.source, self.length)
        if places.overlaps(self.source.size, self.source.stride):
            # the gradient of an element that is shown often is divided among its places
            ones = call(creation.ones_like, (grad.detach(),), {})
            grad = grad / _seen(ones, self.source, self.source, self.length)
        return [grad]


def _seen(tensor: Tensor, there: Geometry, here: Geometry, length: int) -> Tensor:
    """What ``here`` shows of memory of ``length`` elements that has a tensor at ``there``."""
    memory = call(places.as_strided_backward, (tensor, (length,), *there), {})
    return call(places.as_strided, (memory, *here), {})


Tensor.as_strided = as_strided  # type: ignore[attr-defined]
