"""Questions to the running backward pass, as hooks and custom functions ask them."""

from __future__ import annotations

from typing import Any

from .. import modes
from ..engine import _dependencies, current_node, running
from ..graph import Node
from ..ready import pop, push


def _current_graph_task_id() -> int:
    """The number of the innermost backward pass; -1 outside of any."""
    return running.tasks[-1].id if running.tasks else -1


def _current_autograd_node() -> Node | None:
    """The node whose gradients are being computed."""
    return current_node()


def _will_engine_execute_node(node: Any) -> bool:
    """Whether the running backward pass computes gradients in ``node``."""
    if not isinstance(node, Node):
        raise RuntimeError(
            f"_will_engine_execute_node expects an grad_fn, but got {type(node).__name__}"
        )
    if not running.tasks:
        raise RuntimeError(
            "_get_should_execute_nodes should only be called during the backward pass: ask in a "
            "hook"
        )
    return running.tasks[-1].will_execute(node)


def _current_graph_task_execution_order() -> list[Node]:
    """All nodes of the running backward pass in the order in which they run."""
    if not running.tasks:
        raise RuntimeError(
            "_current_graph_task_execution_order should only be called during the backward pass: "
            "ask in a hook"
        )
    if modes.state.multithreading:
        raise RuntimeError(
            "get_current_graph_task_execution_order expects the current backward to be executed "
            "with multithreading disabled: run it inside of "
            "torch.autograd.set_multithreading_enabled(False)"
        )
    task = running.tasks[-1]
    left, order, ready = _dependencies(task.roots), [], []
    for root in dict.fromkeys(task.roots):
        push(ready, root)
    while ready:
        node = pop(ready)
        order.append(node)
        for following in node.targets:
            if following is None:
                continue
            left[following] -= 1
            if left[following] == 0 and (task.reaching is None or following in task.reaching):
                push(ready, following)
    return order
