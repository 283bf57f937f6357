"""Ranges for nodes of backward passes and for functions that are no ops, while one measures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from funcgrad.composite import COMPOSITES, Overloads

from .. import modes
from ..engine import Task
from ..graph import Node
from ..nodes import OpNode
from .function import Function


@functools.cache
def install(measuring: Callable[[], bool], range_of: Callable[..., Any]) -> None:
    """From now on nodes run in a range, op by op, while ``measuring()``.

    ``range_of(name, node, given)``: a context whose time is noted.
    """
    step, call, run = Task._step, Task._call, OpNode.run

    def timed_step(task: Task, node: Node) -> None:
        if not measuring():
            return step(task, node)
        with range_of(f"autograd::engine::evaluate_function: {node.name()}", node):
            return step(task, node)

    def timed_call(task: Task, node: Node, grads: list) -> Sequence[Any]:
        if not measuring():
            return call(task, node, grads)
        with range_of(node.name(), node):
            return call(task, node, grads)

    def run_by_ops(node: OpNode, grads: list, needed: Sequence[bool]) -> Any:
        arrived = any(grad is not None for grad in grads)
        if modes.state.grad_enabled or node.saved is None or not (arrived and measuring()):
            return run(node, grads, needed)
        return node._apply_recorded(grads, needed)

    apply: Any = vars(Function)["apply"]

    def timed_apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        if not measuring():
            return apply.__get__(None, cls)(*args, **kwargs)
        with range_of(cls.__name__):
            return apply.__get__(None, cls)(*args, **kwargs)

    def timed_composite(name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if not measuring():
                return function(*args, **kwargs)
            with range_of(f"aten::{name}", None, args):
                return function(*args, **kwargs)

        return timed

    for composite in COMPOSITES.values():
        if not isinstance(composite, Overloads):
            composite.fn = timed_composite(composite.name, composite.fn)
    Function.apply = classmethod(timed_apply)  # type: ignore[method-assign,assignment]
    Task._step, Task._call = timed_step, timed_call  # type: ignore[method-assign]
    OpNode.run = run_by_ops  # type: ignore[method-assign]
