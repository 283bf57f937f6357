"""`Tensor.stride`, `is_contiguous`, ...: the geometry of a tensor, from the one of its storage."""

from __future__ import annotations

import functools
from typing import Any

from funcgrad.ops.view import view_dtype

from . import geometry, geometry_views
from .devices import preserve_format
from .geometry import Geometry
from .renewal import step_avals
from .result_layouts import changed
from .views import Step, Storage, View


def of(tensor: Any) -> Geometry:
    """Size, stride and offset of a tensor."""
    root = tensor._storage.geometry or geometry.contiguous(tensor._storage.value.aval.shape)
    view = tensor._view
    if view is None:
        return root
    if view.geometry is None:
        found = root
        for number, step in enumerate(view.steps):
            if step.op is view_dtype:
                aval = step_avals(view.steps[: number + 1], tensor._storage.value.aval)[-1]
                _, new = step.op.unbind(step.template, [found])
                found = geometry_views.view_dtype(found, aval.dtype.itemsize, new.itemsize)
            else:
                found = after(step, found)
        view.geometry = found
    return view.geometry


@functools.lru_cache(maxsize=4096)
def after(step: Step, before: Geometry) -> Geometry:
    """The geometry of the result of a view step."""
    args = step.op.unbind(step.template, [before])
    result = geometry_views.RULES[step.op.aten](*args[: step.op.positional])
    return result[step.output] if isinstance(result, list) else result


def steps_of(tensor: Any) -> tuple[Step, ...]:
    """The view steps from the storage of a tensor to it."""
    return () if tensor._view is None else tensor._view.steps


def is_default(tensor: Any) -> bool:
    """Whether the tensor surely is contiguous, told without computing its geometry."""
    return tensor._view is None and tensor._storage.geometry is None


def set_like(out: Any, source: Any, memory_format: Any) -> None:
    """Give a fresh tensor the strides that a copy of ``source`` in ``memory_format`` has."""
    place(out, geometry.like(of(source), memory_format))


def place(out: Any, found: Geometry) -> None:
    """Let a fresh tensor lie in memory as ``found`` says."""
    default = found == geometry.contiguous(found.size)
    out._storage.geometry = None if default else found
    out._view = None if default else whole(out._storage)


def whole(storage: Storage) -> View | None:
    """How a tensor that is no view sees a storage."""
    found: Any = storage.geometry
    if found is None:
        return None
    value = storage.value
    return View((), value, value, changed(found))


def lay(out: Any, stride: tuple[int, ...] | None) -> Any:
    """A fresh tensor, now with these strides, None for rows one after another."""
    if stride is not None:
        storage = out._storage
        value = storage.value
        storage.geometry = Geometry(value.aval.shape, stride)
        out._view = View((), value, value, stride)
    return out


def lying_as(source: Any, out: Any) -> Any:
    """A fresh tensor, now in the memory format of another one of its size."""
    if not is_default(source) and out._aval.shape == source._aval.shape:
        set_like(out, source, preserve_format)
    return out
