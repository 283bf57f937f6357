"""Ops of which PyTorch has no derivative: their results say that they require a gradient, and the
backward that needs it raises.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import modes
from .graph import Node, gradient_edge
from .methods import FUNCTIONS
from .tensor import Tensor
from .views import rebase_history


class NotImplemented(Node):
    """The node of an op without a derivative."""

    __module__ = "builtins"

    def __init__(self, name: str, given: list[Tensor], aval: Any):
        super().__init__()
        self.op = name
        self.edges, self.avals = tuple(map(gradient_edge, given)), (aval,)

    def run(self, grads, needed):
        raise RuntimeError(f"derivative for aten::{self.op} is not implemented")


def recorded(function: Callable, name: str, in_place: bool = False) -> Callable:
    """``function`` with such a node as the history of its result, if an argument needs one."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        given = [item for item in args if isinstance(item, Tensor) and item.requires_grad]
        if not given or not modes.state.grad_enabled:
            return function(*args, **kwargs)
        node = NotImplemented(name, given, args[0]._aval) if in_place else None
        made = function(*args, **kwargs)
        if node is not None:
            rebase_history(made, node)
        elif isinstance(made, Tensor):
            made._set_history(NotImplemented(name, given, made._aval), 0)
        return made

    return call


for _name in ("bincount", "floor_divide", "heaviside"):
    for _place in (FUNCTIONS["torch"], vars(Tensor)):
        _wrapped = recorded(_place[_name], _name)
        if _place is FUNCTIONS["torch"]:
            FUNCTIONS["torch"][_name] = _wrapped
        else:
            setattr(Tensor, _name, _wrapped)
for _name in ("floor_divide_", "heaviside_"):
    setattr(Tensor, _name, recorded(getattr(Tensor, _name), _name, in_place=True))
for _name in ("__floordiv__", "__rfloordiv__", "__ifloordiv__"):
    _wrapped = recorded(getattr(Tensor, _name), "floor_divide", _name == "__ifloordiv__")
    setattr(Tensor, _name, _wrapped)
