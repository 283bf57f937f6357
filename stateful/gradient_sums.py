"""How the sum of two gradients lies in memory: as the result of an addition."""

from __future__ import annotations

from typing import Any

from .execute import Value
from .geometry import contiguous, pointwise
from .layout import lay
from .layout import of as geometry_of
from .result_layouts import changed
from .watching import Hooks


def laid_as_sum(total: Value, first: Any, second: Any) -> Any:
    """The sum of two gradients; a Tensor if it is no new row of memory.

    A gradient that is a `Value` is one row.
    """
    places = [
        contiguous(g.aval.shape) if type(g) is Value else geometry_of(g) for g in (first, second)
    ]
    stride = changed(pointwise(*places))
    return total if stride is None else lay(Hooks.as_tensor(total), stride)
