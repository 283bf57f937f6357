"""The strides of the inputs of a node, which some formulas ask for.

PyTorch saves them when it records a product of matrices. Here the kernel of the op knows them.
"""

from __future__ import annotations

from .execute import Aval
from .nodes import OpNode
from .result_layouts import placed


def strides(node: OpNode) -> dict[str, tuple[int, ...]]:
    """By name, the strides that the formulas of ``node`` ask for."""
    kernel, found = node.plan.kernel, {}
    for name, leaf in node.plan.strided.items():
        aval = kernel.inputs[leaf]
        if type(aval) is Aval:
            found[name] = placed(aval, kernel.given[leaf] if kernel.given else None).stride
    return found


OpNode.strides = staticmethod(strides)
