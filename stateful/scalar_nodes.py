"""Nodes of operations with a number inside formulas: ``MulBackward1``.

PyTorch's formulas are written in C++, where a tensor times a number is an overload of its own. In
Python the number becomes a tensor first, so programs see these nodes only in the graph of a
gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from .execute import Aval
from .graph import Node

NAMES = {f"{name}Backward0": f"{name}Backward1" for name in ("Add", "Div", "Mul", "Sub")}


@functools.cache
def scalar_class(cls: type[Node]) -> type[Node]:
    """The class of the node of the overload for numbers."""
    fields = {"__module__": "builtins", "_saved_other": property(_number)}
    return type(NAMES[cls.__name__], (cls,), fields)


def _number(node: Any) -> Any:
    found = node.plan.arguments(node.unpack_all()).get("other")
    return found if found is None or type(found) is int else found.conj()


def rename(results: Iterable[Any], given: Iterable[Any]) -> None:
    """Give the nodes between the tensors ``given`` to a formula and its ``results`` their names."""
    seen = {None, *(getattr(item, "_grad_fn", None) for item in given)}
    stack: list[Any] = [getattr(item, "_grad_fn", None) for item in results]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if type(node).__name__ in NAMES:
            operands = [item for item in node.plan.kernel.inputs if isinstance(item, Aval)]
            if len(operands) == 1:
                node.__class__ = scalar_class(type(node))
        stack.extend(edge.node for edge in node.edges)
