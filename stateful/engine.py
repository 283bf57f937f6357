"""The backward engine: PyTorch's algorithm, without its worker threads.

Count the dependencies of every node that can be reached, then take ready nodes from a heap, latest
``sequence_nr`` first (leaves before all), until none is left. Everything is iterative. The engine
adds gradients and does not care whether they are Values or, under ``create_graph``, Tensors.
"""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from . import modes
from .graph import Edge, Node
from .ready import pop, push
from .watching import Hooks, check_nan, origins_of, run_post_hooks, run_pre_hooks, run_tensor_hooks

DEEPEST = 40
"""Backward passes inside each other on one stack; the next one gets a thread of its own."""


class _Running(threading.local):
    """The backward passes that this thread is in, innermost last."""

    def __init__(self):
        self.tasks: list[Task] = []


running = _Running()
_task_ids = itertools.count()


def current_task() -> Task:
    """The innermost running backward pass of this thread; AssertionError outside of any."""
    if not running.tasks:
        raise AssertionError("expected this hook to be called inside a backward call")
    return running.tasks[-1]


def current_node() -> Node | None:
    """The node that the innermost running backward pass is in."""
    return running.tasks[-1].node if running.tasks else None


Node.running = staticmethod(current_node)


def queue_callback(callback: Callable[[], None]) -> None:
    """Call ``callback`` at the end of the running backward pass."""
    if not running.tasks:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    running.tasks[-1].callbacks.append(callback)


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
    task = Task(roots, inputs, accumulate, keep_graph)
    task.lends = accumulate and any([hasattr(grad, "_storage") for grad in grads])
    depth = len(running.tasks)
    if depth and depth % DEEPEST == 0:
        _on_fresh_stack(task, roots, grads, create_graph)
    else:
        task.run(roots, grads, create_graph)
    return [task.captured.get(edge) for edge in inputs]


def _on_fresh_stack(task: Task, roots, grads, create_graph: bool) -> None:
    """Run a nested pass in a thread, because Python's stack is finite; the caller waits for it."""
    failure: list[BaseException] = []
    inherited = dict(vars(modes.state))

    def work():
        vars(modes.state).update(inherited)
        try:
            task.run(roots, grads, create_graph)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


class Task:
    """One backward pass.

    ``needed``: the nodes that run, None for all. ``reaching``: the nodes whose gradient is wanted.
    ``captures``: edges whose gradients are returned, by node.
    """

    node: Node | None = None
    seen: set[Node] | None = None
    lends: bool = False
    """Whether a leaf may take, as its ``.grad``, a view of a gradient that the program gave."""

    def __init__(self, roots, inputs, accumulate, keep_graph):
        self.id = next(_task_ids)
        self.keep_graph = keep_graph
        self.buffers: dict[Node, list] = {}
        self.captured: dict[Edge, Any] = {}
        self.captures: dict[Node, list[Edge]] = {}
        self.callbacks: list[Callable] = []
        self.ready: list = []
        self.roots = [edge.node for edge in roots]
        self.dependencies = _dependencies(self.roots)
        self.reaching: set[Node] | None = None
        self.needed: set[Node] | None = None
        if inputs:
            self.reaching = reaching(self.dependencies, {edge.node for edge in inputs})
            if accumulate:
                self.needed = self.reaching
            else:
                for edge in inputs:
                    self.captures.setdefault(edge.node, []).append(edge)
                self.needed = {
                    node for node in self.reaching
                    if any(following in self.reaching for following in node.targets)
                }  # fmt: skip

    def will_execute(self, node: Node) -> bool:
        """Whether the gradients of ``node`` are computed here; PyTorch says no for an only root."""
        if [node] == self.roots:
            return False
        if node in self.captures and not node.targets:
            raise RuntimeError(
                "A leaf node was passed to _will_engine_execute_node but we are currently running "
                "autograd.grad(). This is currently not supported."
            )
        return node in (self.dependencies if self.reaching is None else self.reaching)

    def run(self, roots: Sequence[Edge], grads: Sequence[Any], create_graph: bool) -> None:
        """The whole pass, in the calling thread."""
        state = modes.state
        previous, state.grad_enabled = state.grad_enabled, create_graph
        running.tasks.append(self)
        try:
            for edge, grad in zip(roots, grads, strict=True):
                self._receive(*edge, grad)
            for node in dict.fromkeys(edge.node for edge in roots):
                if self.dependencies[node] == 0:
                    push(self.ready, node)
            while self.ready:
                self._step(pop(self.ready))
            for callback in self.callbacks:
                callback()
        except Exception:
            if modes.anomaly.enabled and self.node is not None:
                for text in origins_of(self.node):
                    warnings.warn(text, stacklevel=4)
            raise
        finally:
            running.tasks.pop()
            state.grad_enabled = previous

    def _receive(self, node: Node, nr: int, grad: Any) -> None:
        """Add ``grad`` to the buffer of a node's output."""
        buffer = self.buffers.get(node)
        if buffer is None:
            buffer = self.buffers[node] = [None] * len(node.avals)
        present = buffer[nr]
        buffer[nr] = grad if present is None else self.add(present, grad)

    def add(self, first: Any, second: Any) -> Any:
        """The sum of two gradients."""
        return Hooks.add(first, second)

    def _step(self, node: Node) -> None:
        self.node = node
        grads = self.buffers.pop(node, None) or [None] * len(node.avals)
        runs = self.needed is None or node in self.needed
        if not runs and node.watched:
            grads = run_tensor_hooks(node, grads)
        for edge in self.captures.get(node, ()):
            self.captured[edge] = grads[edge.nr]
        if not runs:
            return
        results = self._call(node, grads)
        dependencies, reaching = self.dependencies, self.reaching
        for following, nr, result in zip(node.targets, node.numbers, results, strict=True):
            if following is None or reaching is not None and following not in reaching:
                continue
            if result is not None:
                self._receive(following, nr, result)
            left = dependencies[following] = dependencies[following] - 1
            if left == 0:
                push(self.ready, following)

    def _call(self, node: Node, grads: list) -> Sequence[Any]:
        """The node on its gradients, with all hooks; releases it unless the graph is kept."""
        if node.watched:
            grads = run_pre_hooks(node, grads)
        results = Hooks.check(node, node.run(grads, self._wanted(node)))
        if node.node_hooks:
            results = run_post_hooks(node, results, grads)
        if not self.keep_graph:
            node.release()
        if modes.anomaly.enabled and modes.anomaly.check_nan:
            check_nan(node, results)
        return results

    def _wanted(self, node: Node) -> list[bool]:
        """For which edges of ``node`` a gradient is wanted."""
        reaching = self.reaching
        if reaching is None:
            return [following is not None for following in node.targets]
        return [following in reaching for following in node.targets]


def _dependencies(roots: Sequence[Node]) -> dict[Node, int]:
    """How many edges lead to each node that can be reached from ``roots``."""
    counts: dict[Node, int] = {root: 0 for root in roots}
    stack = list(counts)
    while stack:
        for following in stack.pop().targets:
            if following is None:
                continue
            seen = counts.get(following)
            if seen is None:
                counts[following] = 1
                stack.append(following)
            else:
                counts[following] = seen + 1
    return counts


def reaching(nodes: dict[Node, int], targets: set[Node]) -> set[Node]:
    """The nodes among ``nodes`` from which a target can be reached, targets included."""
    callers: dict[Node, list[Node]] = {}
    for node in nodes:
        for following in node.targets:
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
