"""The strides of the inputs of a node, which some formulas ask for.

PyTorch saves them when it records a product of matrices. Here they are found when somebody asks:
from the tensor if it was saved, else from the node that made it. A view has the strides that its
rule gives, everything else is one row of memory.
"""

from __future__ import annotations

from typing import Any

from . import geometry
from .execute import Aval
from .geometry import Geometry
from .graph import AccumulateGrad
from .layout import after
from .layout import of as geometry_of
from .nodes import OpNode
from .views import Step


def strides(node: OpNode) -> dict[str, tuple[int, ...]]:
    """By name, the strides that the formulas of ``node`` ask for."""
    plan = node.plan
    found = {name: _input(node, leaf) for name, leaf in plan.strided.items()}
    return {name: place.stride for name, place in found.items() if place is not None}


def _input(node: OpNode, leaf: int) -> Geometry | None:
    """The geometry of an input of a node; None for a number."""
    plan = node.plan
    if ("input", leaf) in plan.fetch and node.saved:
        kept: Any = node.saved[plan.fetch.index(("input", leaf))]
        tensor = kept[0] if type(kept) is tuple else getattr(kept, "tensor", None)
        if tensor is not None:
            return geometry_of(tensor)
    aval = plan.kernel.inputs[leaf]
    if not isinstance(aval, Aval):
        return None
    edge = plan.leaves.index(leaf) if leaf in plan.leaves else None
    made = None if edge is None else _output(node.targets[edge], node.numbers[edge])
    return geometry.contiguous(aval.shape) if made is None else made


def _output(node: Any, number: int) -> Geometry | None:
    """The geometry of what a node made, where that is known; else it is one row of memory."""
    if isinstance(node, AccumulateGrad):
        return geometry_of(node.variable)
    if not isinstance(node, OpNode) or not node.plan.op.is_view:
        return None
    source = _input(node, node.plan.leaves[0])
    return source and after(Step(node.plan.op, node.plan.kernel.static, number), source)


OpNode.strides = staticmethod(strides)
