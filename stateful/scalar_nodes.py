"""Nodes of operations with a number inside formulas: ``MulBackward1``.

PyTorch's formulas are written in C++, where a tensor times a number is an overload of its own,
whose node has one input. In Python the number becomes a tensor first, so programs see these nodes
only in the graph of a gradient. A number on the left of ``-`` or ``/`` is a tensor there too.
"""

from __future__ import annotations

import functools
from typing import Any

from funcgrad.mode import mode

from .execute import Aval, Kernel
from .graph import Node
from .nodes import OpNode, Plan
from .undefined import UndefinedPlan, counts

NAMES = {f"{name}Backward0": f"{name}Backward1" for name in ("Add", "Div", "Mul", "Sub")}
NAMES["RsubBackward1"] = "SubBackward0"
COMMUTING = {"AddBackward0", "MulBackward0"}


class ScalarPlan(Plan):
    """How an op with a number is recorded: where it is called decides the class of its nodes."""

    @property
    def node_class(self) -> type[Node]:  # type: ignore[override]
        return self._inside if mode.owner is OpNode.formula_owner else self._outside

    @node_class.setter
    def node_class(self, cls: type[Node]) -> None:
        self._outside, self._inside = cls, scalar_class(cls)


def plan_class(kernel: Kernel) -> type[Plan]:
    """How a call of ``kernel`` is recorded."""
    name = kernel.fn.grad_fn
    if name not in NAMES:
        return UndefinedPlan if counts(kernel) else Plan
    places = [i for i, item in enumerate(kernel.inputs) if isinstance(item, Aval)]
    return ScalarPlan if places == [0] or len(places) == 1 and name in COMMUTING else Plan


@functools.cache
def scalar_class(cls: type[Node]) -> type[Node]:
    """The class of the node of the overload for numbers, which saves the number at most."""
    base: Any = _ScalarLeftNode if cls.__name__ == "RsubBackward1" else _ScalarNode
    fields: dict[str, Any] = {"__module__": "builtins", "__slots__": ()}
    if hasattr(cls, "_saved_other"):
        fields["_saved_other"] = property(_number)
    return type(NAMES[cls.__name__], (base,), fields)


class _ScalarNode(OpNode):
    """The node of a tensor and a number."""

    __slots__ = ()

    @property
    def next_functions(self):
        given = self.plan.kernel.inputs
        pairs = zip(self.plan.leaves, super().next_functions, strict=True)
        return tuple(found for leaf, found in pairs if isinstance(given[leaf], Aval))


class _ScalarLeftNode(OpNode):
    """The node of a number minus a tensor."""

    __slots__ = ()

    @property
    def next_functions(self):
        return (None, 0), *super().next_functions


def _number(node: Any) -> Any:
    found = node.plan.arguments(node.unpack_all()).get("other")
    return found if found is None or type(found) is int else found.conj()
