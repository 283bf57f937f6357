"""The backward engine: PyTorch's algorithm, without its threads.

Count the dependencies of every node that can be reached, then take ready nodes from a heap, latest
``sequence_nr`` first (leaves before all), until none is left. Everything is iterative. The engine adds
gradients and does not care whether they are Values or, under ``create_graph``, Tensors.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from typing import Any

from . import modes
from .graph import AccumulateGrad, Edge, Node


class Hooks:
    """What the engine needs from Tensor; ``tensor.py`` fills it in."""

    as_tensor: Any = None
    add: Any = None
    check: Any = None


def run_backward(
    roots: Sequence[Edge],
    grads: Sequence[Any],
    *,
    keep_graph: bool,
    create_graph: bool,
    inputs: Sequence[Edge] = (),
    accumulate: bool = True,
) -> list[Any]:
    """Send ``grads`` from ``roots`` to the leaves, or only to ``inputs``.

    With ``inputs`` and not ``accumulate`` the gradients arriving there are returned (None where
    nothing arrived).
    """
    task = _Task(roots, inputs, accumulate, keep_graph)
    with modes.set_grad_enabled(create_graph):
        for edge, grad in zip(roots, grads, strict=True):
            task.receive(edge, grad)
        task.run()
    return [task.captured.get(edge) for edge in inputs]


class _Task:
    """One backward pass."""

    def __init__(self, roots, inputs, accumulate, keep_graph):
        self.keep_graph = keep_graph
        self.buffers: dict[Node, list] = {}
        self.captured: dict[Edge, Any] = {}
        self.captures: dict[Node, list[Edge]] = {}
        self.executed: set[Node] | None = None
        self.dependencies = _dependencies([edge.node for edge in roots])
        for edge in inputs:
            if accumulate and isinstance(edge.node, AccumulateGrad):
                continue
            self.captures.setdefault(edge.node, []).append(edge)
        if inputs:
            self.executed = _reaching(self.dependencies, {edge.node for edge in inputs})
            self.stops = {edge.node for edge in inputs}
        self.accumulate = accumulate
        self.order = itertools.count()
        self.ready: list = []
        self.roots = list(dict.fromkeys(edge.node for edge in roots))

    def receive(self, edge: Edge, grad: Any) -> None:
        """Add ``grad`` to the buffer of a node's output."""
        node, nr = edge
        buffer = self.buffers.get(node)
        if buffer is None:
            buffer = self.buffers[node] = [None] * max(len(node.avals), nr + 1)
        present = buffer[nr]
        buffer[nr] = grad if present is None else Hooks.add(present, grad)

    def run(self) -> None:
        for node in self.roots:
            if self.dependencies.get(node, 0) == 0:
                self._push(node)
        while self.ready:
            self._step(heapq.heappop(self.ready)[-1])

    def _push(self, node: Node) -> None:
        heapq.heappush(self.ready, (-node.sequence_nr, next(self.order), node))

    def _step(self, node: Node) -> None:
        grads = self.buffers.pop(node, None) or [None] * len(node.avals)
        if self.executed is not None and node not in self.executed:
            results: Sequence[Any] = ()
        else:
            grads = self._before(node, grads)
            results = self._call(node, grads)
        for index, edge in enumerate(node.edges):
            following = edge.node
            if following is None:
                continue
            if index < len(results) and results[index] is not None:
                self.receive(edge, results[index])
            left = self.dependencies[following] = self.dependencies[following] - 1
            if left == 0:
                self._push(following)

    def _before(self, node: Node, grads: list) -> list:
        """Tensor hooks, retained gradients, captures: what sees gradients before the node does."""
        if node.pre_hooks or node.retained or node.node_pre_hooks:
            grads = run_pre_hooks(node, grads)
        for edge in self.captures.get(node, ()):
            self.captured[edge] = grads[edge.nr]
        return grads

    def _call(self, node: Node, grads: list) -> Sequence[Any]:
        if isinstance(node, AccumulateGrad):
            if node not in self.captures and grads[0] is not None:
                node.run(grads, ())
            return ()
        needed = self._needed(node)
        if not any(needed) and self.executed is not None:
            return ()
        results = Hooks.check(node, node.run(grads, needed))
        if node.node_hooks:
            results = run_post_hooks(node, results, grads)
        if not self.keep_graph:
            node.release()
        return results

    def _needed(self, node: Node) -> list[bool]:
        executed = self.executed
        if executed is None:
            return [edge.node is not None for edge in node.edges]
        return [edge.node is not None and edge.node in executed for edge in node.edges]


def _dependencies(roots: Sequence[Node]) -> dict[Node, int]:
    """How many edges lead to each node that can be reached from ``roots``."""
    counts: dict[Node, int] = {root: 0 for root in roots}
    stack = list(counts)
    while stack:
        for following, _ in stack.pop().edges:
            if following is None:
                continue
            seen = counts.get(following)
            if seen is None:
                counts[following] = 1
                stack.append(following)
            else:
                counts[following] = seen + 1
    return counts


def _reaching(nodes: dict[Node, int], targets: set[Node]) -> set[Node]:
    """The nodes among ``nodes`` from which a target can be reached, targets included."""
    callers: dict[Node, list[Node]] = {}
    for node in nodes:
        for following, _ in node.edges:
            if following is not None:
                callers.setdefault(following, []).append(node)
    found = {t for t in targets if t in nodes}
    stack = list(found)
    while stack:
        for caller in callers.get(stack.pop(), ()):
            if caller not in found:
                found.add(caller)
                stack.append(caller)
    return found


def run_pre_hooks(node: Node, grads: list) -> list:
    """Hooks of tensors on single gradients, then the node's own pre-hooks on all."""
    grads = list(grads)
    for nr, hooks in (node.pre_hooks or {}).items():
        for hook in list(hooks.values()):
            if grads[nr] is not None:
                grads[nr] = Hooks.as_tensor(grads[nr])
                result = hook(grads[nr])
                grads[nr] = grads[nr] if result is None else result
    for hook in list((node.node_pre_hooks or {}).values()):
        seen = tuple(None if g is None else Hooks.as_tensor(g) for g in grads)
        result = hook(seen)
        if result is not None:
            grads = list(result) if isinstance(result, tuple | list) else [result]
    for nr, reference in (node.retained or {}).items():
        tensor = reference()
        if tensor is not None and grads[nr] is not None:
            tensor._grad = Hooks.as_tensor(grads[nr])
    return grads


def run_post_hooks(node: Node, results: Sequence[Any], grads: Sequence[Any]) -> Sequence[Any]:
    """The node's hooks on its results; each may replace them."""
    outs = tuple(None if g is None else Hooks.as_tensor(g) for g in results)
    ins = tuple(None if g is None else Hooks.as_tensor(g) for g in grads)
    for hook in list((node.node_hooks or {}).values()):
        result = hook(outs, ins)
        if result is not None:
            outs = tuple(result) if isinstance(result, tuple | list) else (result,)
    return outs
