"""The strides of what an op gives, from those of its arguments: part of what a kernel knows.

A kernel for arguments of which all lie in memory row by row gives such results; a call of it pays
nothing. For arguments that lie otherwise there is a kernel of its own, which differs in `given`,
the strides of the arguments, and in `strides`, those of the results; in both None stands for rows.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from funcgrad.op import Op

from . import geometry_views, layout_table
from .execute import Aval, Kernel
from .geometry import Geometry, contiguous, like

Strides = tuple[int, ...] | None


def laid(kernel: Kernel, given: Sequence[Strides]) -> Kernel:
    """The kernel for arguments with these strides."""
    if not any(given):
        return kernel
    key = tuple(given)
    found = kernel.memo.get(key)
    if found is None:
        found = copy.copy(kernel)
        found.memo, found.given = {}, key
        found.strides = strides_of(found)
        kernel.memo[key] = found
    return found


def stride_of(tensor: Any) -> Strides:
    """The strides of a tensor."""
    return None if tensor._view is None else tensor._view.stride


def changed(geometry: Geometry) -> Strides:
    """The strides, None for rows one after another."""
    return None if geometry.stride == contiguous(geometry.size).stride else geometry.stride


def placed(aval: Any, stride: Strides) -> Any:
    """Where an argument lies; what is a number stays what it is."""
    if type(aval) is not Aval:
        return aval
    return contiguous(aval.shape) if stride is None else Geometry(aval.shape, stride)


def strides_of(kernel: Kernel) -> tuple[Strides, ...]:
    """The strides of the results of a kernel; nothing where all are rows and none is a view."""
    op = kernel.fn
    if type(op) is not Op or not (op.is_view or kernel.given or op.aten in layout_table.ALWAYS):
        return ()
    found = _found(op, kernel)
    return tuple(found) if op.is_view or any(found) else ()


def _found(op: Op, kernel: Kernel) -> list[Strides]:
    rules: Any = geometry_views.RULES if op.is_view else layout_table.RULES
    rule, missing = rules.get(op.aten), list[Strides]([None] * len(kernel.outputs))
    if rule is None:
        return missing
    given = kernel.given or (None,) * len(kernel.inputs)
    places = [placed(aval, stride) for aval, stride in zip(kernel.inputs, given, strict=True)]
    if op.promotes is True or op.promotes == "float":
        places = _cast(places, kernel.inputs)
    args = op.unbind(kernel.static, places)
    try:
        made = rule(*args[: op.positional]) if op.is_view else rule(op, args, kernel.outputs)
    except RuntimeError:  # who asks for the geometry of such a view is told
        return missing
    return [changed(geometry) for geometry in (made if isinstance(made, list) else [made])]


def _cast(places: list, kinds: Sequence) -> list:
    """Where arguments lie after those of another dtype were copied in the common one."""
    known = [aval for aval in kinds if type(aval) is Aval and aval.shape]
    if all(aval.dtype == known[0].dtype for aval in known):
        return places
    common = functools.reduce(jnp.promote_types, [aval.dtype for aval in known])
    pairs = zip(places, kinds, strict=True)
    return [like(p) if type(a) is Aval and a.dtype != common else p for p, a in pairs]


def of_saved(plan: Any) -> list[Strides]:
    """The strides of what the nodes of a plan save."""
    kernel = plan.kernel
    known = {"input": kernel.given, "output": kernel.strides}
    return [known[source][index] if known[source] else None for source, index in plan.fetch]


Kernel.lay = staticmethod(strides_of)
