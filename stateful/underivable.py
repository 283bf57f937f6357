"""Ops whose result is recorded although it has no derivative: an error only if one is wanted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import modes
from .graph import Node, gradient_edge
from .methods import FUNCTIONS
from .tensor import Tensor


class _Underivable(Node):
    """A node without a formula."""

    op: str

    def __init__(self, source: Tensor, result: Tensor):
        super().__init__()
        self.edges, self.avals = (gradient_edge(source),), (result._aval,)

    def run(self, grads, needed):
        raise NotImplementedError(f"the derivative for '{self.op}' is not implemented.")


def _node(name: str, op: str) -> type[_Underivable]:
    return type(name, (_Underivable,), {"op": op, "__module__": "builtins"})


_NODES = {
    ("unique", False): _node("Unique2Backward0", "_unique2"),
    ("unique", True): _node("UniqueDimBackward0", "unique_dim"),
    ("unique_consecutive", False): _node("UniqueConsecutiveBackward0", "unique_consecutive"),
    ("unique_consecutive", True): _node("UniqueDimConsecutiveBackward0", "unique_dim_consecutive"),
}


def _recorded(name: str, function: Callable) -> Callable:
    @functools.wraps(function)
    def wrapper(input: Tensor, *args: Any, dim: int | None = None, **kwargs: Any) -> Any:
        result = function(input, *args, dim=dim, **kwargs)
        if modes.state.grad_enabled and input.requires_grad:
            distinct = result[0] if isinstance(result, tuple) else result
            distinct._set_history(_NODES[name, dim is not None](input, distinct), 0)
        return result

    return wrapper


for _name in ("unique", "unique_consecutive"):
    FUNCTIONS["torch"][_name] = _recorded(_name, FUNCTIONS["torch"][_name])
    setattr(Tensor, _name, _recorded(_name, getattr(Tensor, _name)))
