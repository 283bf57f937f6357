"""``x[index]`` and ``x[index] = value`` on Tensors; ``funcgrad.indexing`` says what they mean."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from funcgrad import indexing
from funcgrad.ops import copying
from funcgrad.ops.index import check_bounds
from funcgrad.ops.slicing import slice_tensor

from . import modes
from .dispatch import call, call_inplace
from .execute import Tracer
from .foreign import foreign
from .rules import check_overlap
from .tensor import Tensor


def getitem(self: Tensor, index: Any) -> Tensor:
    """``x[index]``: views where PyTorch gives views, else a gather."""
    if type(index) is int:
        shape = self._aval.shape
        if shape and -shape[0] <= index < shape[0]:
            return call(indexing.select, (self, 0, index), {})
    try:
        with jax.enable_x64(True):
            plan = indexing.parse(index, self._aval.shape)
            _check_places(plan)
            out = _viewed(self, plan.views)
            if not plan.tensors:
                return out
            _check_masks(plan.tensors)
            _warn_of_bytes(index)
            indices = indexing.expand_masks(plan.tensors, plan.shape)
            if any(map(_is_mask, plan.tensors)):
                _follow_masks(plan.tensors, indices)
            return call(indexing.index_tensor, (out, indices), {})
    except (IndexError, TypeError, AttributeError):
        return foreign(getitem, (self, index), {})


def _is_mask(item: Any) -> bool:
    return isinstance(item, Tensor) and item._aval.dtype.kind == "b"


def _follow_masks(items: Sequence, indices: Sequence) -> None:
    """Who overwrites a mask overwrites the indices that it stands for: PyTorch saves the mask."""
    rest = iter(indices)
    for item in items:
        mask = item if isinstance(item, Tensor) and _is_mask(item) else None
        of_array = isinstance(item, np.ndarray) and item.dtype.kind == "b"
        places = max(item.ndim, 1) if of_array or mask is not None else 1
        for index in itertools.islice(rest, places):
            if mask is not None:
                index._counter = mask._counter


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: written in place, recorded."""
    if index is False or type(index) is tuple and any(item is False for item in index):
        return
    try:
        with jax.enable_x64(True):
            plan = indexing.parse(index, self._aval.shape)
            _check_places(plan)
            _check_masks(plan.tensors)
            views, op, args = indexing.assignment(self, index, value)
            if op is indexing.index_put_mask:
                _check_bytes(index)
            elif op is indexing.index_put_tensors:
                _warn_of_bytes(index)
            target = self if _is_whole(views, self._aval.shape) else _viewed(self, views)
            if op is copying.copy:
                target.copy_(*args)  # type: ignore[attr-defined]
            else:
                call_inplace(op, (target, *args), {})
    except (IndexError, TypeError, AttributeError):
        foreign(setitem, (self, index, value), {})


def _check_bytes(index: Any) -> None:
    """Raise if one value is assigned to a mask of bytes."""
    if _masks_of_bytes(index):
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype unsigned char: "
            "convert it with .bool()"
        )


def _warn_of_bytes(index: Any) -> None:
    """Warn of each mask of bytes, which PyTorch takes, but not for long."""
    for _ in _masks_of_bytes(index):
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead: mask.bool()",
            stacklevel=3,
        )


def _masks_of_bytes(index: Any) -> list:
    items = index if isinstance(index, tuple | list) else (index,)
    return [item for item in items if isinstance(item, Tensor) and item._aval.dtype == "uint8"]


def _is_whole(views: Any, shape: tuple[int, ...]) -> bool:
    """Whether the views of an assignment are the tensor itself."""
    return all(
        op is indexing.alias
        or op is slice_tensor and args[1] in (None, 0) and args[3] == 1
        and (args[2] is None or args[2] >= shape[args[0]])
        for op, args in views
    )  # fmt: skip


def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``values`` written, or added, in place at ``indices``: integer tensors, masks or None.

    >>> import stateful as torch
    >>> torch.zeros(3).index_put_((torch.tensor([0, 2]),), torch.tensor(5.0))
    tensor([5., 0., 5.])
    """
    with jax.enable_x64(True):
        op, args = _placement("index_put_", self, indices, values, accumulate)
        if accumulate:
            check_overlap(self)
        return call_inplace(op, (self, *args), {})


def index_put(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with ``values`` written, or added, at ``indices``.

    >>> import stateful as torch
    >>> torch.index_put(torch.zeros(3), (torch.tensor([0, 2]),), torch.ones(2))
    tensor([1., 0., 1.])
    """
    with jax.enable_x64(True):
        op, args = _placement("index_put", self, indices, values, accumulate)
        return call(op, (self, *args), {})


def _placement(name: str, tensor: Tensor, indices: Any, values: Tensor, accumulate: bool) -> Any:
    if not isinstance(indices, tuple | list):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not "
            f"{type(indices).__name__}"
        )
    _check_places(indexing.Plan((), tuple(indices), tensor._aval.shape))
    _check_masks(indices)
    placed = indexing.placement(tensor, indices, values, accumulate)
    if placed[0] is indexing.index_put_mask:
        _check_bytes(indices)
    else:
        _warn_of_bytes(indices)
    return placed


def _viewed(tensor: Tensor, views) -> Any:
    for op, args in views:
        tensor = call(op, (tensor, *args), {})
    return tensor


def _check_masks(indices: Sequence) -> None:
    masks = list(filter(_is_mask, indices)) if modes.vmap.frames else ()
    if any(frame.batches(mask._array) for frame in modes.vmap.frames for mask in masks):
        raise RuntimeError(
            "vmap: We do not support batching operators that can support dynamic shape. Attempting "
            "to batch over indexing with a boolean mask: use torch.where."
        )


def _check_places(plan: indexing.Plan) -> None:
    """Raise for an index out of bounds at the call that has it: the one reason to look at one."""
    sizes = plan.shape
    dim = 0
    for item in plan.tensors:
        is_mask = _is_mask(item) or isinstance(item, Tensor) and item._aval.dtype == "uint8"
        if isinstance(item, Tensor) and not is_mask:
            array = item._read().read()
            if not isinstance(array, Tracer):
                if dim >= len(sizes):
                    raise IndexError(
                        f"too many indices for tensor of dimension {len(sizes)} "
                        f"(got {len(plan.tensors)})"
                    )
                check_bounds(array, sizes[dim], dim)
        dim += max(item.ndim, 1) if is_mask else 1


getitem.__name__, setitem.__name__ = "__getitem__", "__setitem__"
Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
Tensor.__setitem__ = setitem  # type: ignore[attr-defined]


def delitem(self: Tensor, index: Any) -> None:
    """Raises TypeError: a tensor has no items to give up."""
    raise TypeError("Tensor does not support deleting items")


Tensor.__delitem__ = delitem  # type: ignore[attr-defined]
Tensor.index_put_ = index_put_  # type: ignore[attr-defined]
Tensor.index_put = index_put  # type: ignore[attr-defined]
