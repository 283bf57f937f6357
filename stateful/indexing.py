"""``x[index]`` and ``x[index] = value`` on Tensors; ``funcgrad.indexing`` says what they mean."""

from __future__ import annotations

from typing import Any

import jax

from funcgrad import indexing
from funcgrad.ops import copying
from funcgrad.ops.index import check_bounds

from .dispatch import call, call_inplace
from .execute import Tracer
from .tensor import Tensor


def getitem(self: Tensor, index: Any) -> Tensor:
    """``x[index]``: views where PyTorch gives views, else a gather."""
    with jax.enable_x64(True):
        plan = indexing.parse(index, self._aval.shape)
        _check_places(plan)
        out = _viewed(self, plan.views)
        if not plan.tensors:
            return out
        indices = indexing.expand_masks(plan.tensors, plan.shape)
        return call(indexing.index_tensor, (out, indices), {})


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: written in place, recorded."""
    with jax.enable_x64(True):
        _check_places(indexing.parse(index, self._aval.shape))
        views, op, args = indexing.assignment(self, index, value)
        target = _viewed(self, views) if views and views[0][0] is not indexing.alias else self
        if op is copying.copy:
            target.copy_(*args)  # type: ignore[attr-defined]
        else:
            call_inplace(op, (target, *args), {})


def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``values`` written, or added, in place at ``indices``: integer tensors, masks or None."""
    with jax.enable_x64(True):
        _check_places(indexing.Plan((), tuple(indices), self._aval.shape))
        op, args = indexing.placement(self, indices, values, accumulate)
        return call_inplace(op, (self, *args), {})


def _viewed(tensor: Tensor, views) -> Any:
    for op, args in views:
        tensor = call(op, (tensor, *args), {})
    return tensor


def _check_places(plan: indexing.Plan) -> None:
    """Raise for an index out of bounds at the call that has it: the one reason to look at one."""
    sizes = plan.shape
    dim = 0
    for item in plan.tensors:
        is_mask = isinstance(item, Tensor) and item._aval.dtype.kind == "b"
        if isinstance(item, Tensor) and not is_mask:
            array = item._read().read()
            if not isinstance(array, Tracer):
                check_bounds(array, sizes[dim], dim)
        dim += max(item.ndim, 1) if is_mask else 1


Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
Tensor.__setitem__ = setitem  # type: ignore[attr-defined]
Tensor.index_put_ = index_put_  # type: ignore[attr-defined]
