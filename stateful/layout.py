"""`Tensor.stride`, `is_contiguous`, ...: the geometry of a tensor, from the one of its storage."""

from __future__ import annotations

import functools
from typing import Any

from . import geometry, geometry_views
from .geometry import Geometry
from .views import Step


def of(tensor: Any) -> Geometry:
    """Size, stride and offset of a tensor."""
    root = tensor._storage.geometry or geometry.contiguous(tensor._storage.value.aval.shape)
    view = tensor._view
    if view is None:
        return root
    if view.geometry is None:
        found = root
        for step in view.steps:
            found = after(step, found)
        view.geometry = found
    return view.geometry


@functools.lru_cache(maxsize=4096)
def after(step: Step, before: Geometry) -> Geometry:
    """The geometry of the result of a view step."""
    args = step.op.unbind(step.template, [before])
    result = geometry_views.RULES[step.op.aten](*args[: step.op.positional])
    return result[step.output] if isinstance(result, list) else result


def is_default(tensor: Any) -> bool:
    """Whether the tensor surely is contiguous, told without computing its geometry."""
    return tensor._view is None and tensor._storage.geometry is None


def set_like(out: Any, source: Any, memory_format: Any) -> None:
    """Give a fresh tensor the strides that a copy of ``source`` in ``memory_format`` has."""
    place(out, geometry.like(of(source), memory_format))


def place(out: Any, found: Geometry) -> None:
    """Let a fresh tensor lie in memory as ``found`` says."""
    out._storage.geometry = None if found == geometry.contiguous(found.size) else found
