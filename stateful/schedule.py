"""A backward pass over a graph of a known shape is one kernel.

What the engine does depends on the shape of the graph alone, as long as nobody watches: no hooks,
no functions written in Python, no history of the gradients. The first pass over such a shape is
planned by the engine itself, on `Ref` in place of gradients. Every later pass looks the plan up,
hands over what the nodes saved, and leaves what comes out at the leaves.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from . import engine
from . import execute as seam
from .blocks import split
from .engine import Task
from .execute import Aval, Function, Kernel, Value, execute, kernel_at
from .graph import LEAF_SEQUENCE, AccumulateGrad, Edge, Node, accumulating
from .lazy import CAP, lazy, mark
from .modes import anomaly, state
from .saved import SavedTensor

ONES = Function(lambda shape, dtype: jnp.ones(shape, dtype))
ADD = Function(jnp.add)


MOST = 20 * CAP
"""Nodes of the longest pass that is planned as a whole."""


class Implicit:
    """The gradient of a scalar root that was given none: one."""

    def __repr__(self):
        return "1"


IMPLICIT = Implicit()


def ones(aval: Aval) -> Value:
    """The value that `IMPLICIT` stands for."""
    return execute(ONES, (), (aval.shape, aval.dtype))[0]


def run_backward(
    roots: Sequence[Edge],
    grads: Sequence[Any],
    *,
    keep_graph: bool,
    create_graph: bool,
    inputs: Sequence[Edge] = (),
    accumulate: bool = True,
) -> list[Any]:
    """`engine.run_backward`, as one kernel where that is possible; takes `IMPLICIT` gradients."""
    if accumulate:
        mark()
    if not (create_graph or anomaly.enabled) and seam.policy is lazy:
        survey = Survey.of(roots)
        arrived = (
            None if survey is None else survey.run(roots, grads, keep_graph, inputs, accumulate)
        )
        if arrived is not None:
            return arrived
    given = [
        ones(edge.node.avals[edge.nr]) if grad is IMPLICIT else grad
        for edge, grad in zip(roots, grads, strict=True)
    ]
    return engine.run_backward(
        roots, given, keep_graph=keep_graph, create_graph=create_graph, inputs=inputs,
        accumulate=accumulate,
    )  # fmt: skip


class Survey:
    """The nodes behind some roots in the order of discovery, and the shape of their graph.

    ``shape``: for each node its plan, the numbers of its edges, and for each edge the number of the
    node that it leads to (-1 for none); for a leaf its aval. Equal shapes, equal passes.
    """

    __slots__ = ("nodes", "numbers", "shape")

    def __init__(self, nodes: list[Node], numbers: dict[Node | None, int], shape: list):
        self.nodes, self.numbers, self.shape = nodes, numbers, shape

    @classmethod
    def of(cls, roots: Sequence[Edge]) -> Survey | None:
        """None if a node is watched, or is neither an op's nor a leaf's, or if they are many."""
        numbers: dict[Node | None, int] = {None: -1}
        number_of = numbers.setdefault
        nodes: list[Any] = []
        shape: list = []
        for node, nr in roots:
            number = number_of(node, len(nodes))
            if number == len(nodes):
                nodes.append(node)
            shape.append((number, nr))
        for node in itertools.islice(nodes, MOST):  # which grows
            if node.watched:
                return None
            plan = node.plan
            shape.append(plan)
            if plan is None:
                if type(node) is not AccumulateGrad:
                    return None
                shape.append(node.avals[0])
                continue
            shape.append(node.numbers)
            for following in node.targets:
                number = number_of(following, len(nodes))
                if number == len(nodes):
                    nodes.append(following)
                shape.append(number)
        return cls(nodes, numbers, shape) if len(nodes) <= MOST else None

    def run(self, roots, grads, keep_graph, inputs, accumulate) -> list[Any] | None:
        """The pass with these options; None if it cannot be done as one kernel."""
        asked = [(self.numbers.get(node, -1), nr) for node, nr in inputs]
        key = (accumulate, *asked, *[g is IMPLICIT for g in grads], *self.shape)
        known = schedules.setdefault(key, [])
        for schedule in known:
            if schedule.fits(self.nodes):
                break
        else:
            schedule = Schedule.plan(self, roots, grads, inputs, accumulate)
            if schedule is None:
                return None
            known.append(schedule)
        leaves = schedule.gather(self.nodes, grads)
        if leaves is None:
            return None
        results = schedule.run(leaves)
        if not keep_graph:
            schedule.release(self.nodes)
        previous, state.grad_enabled = state.grad_enabled, False
        try:
            return schedule.deliver(self.nodes, results)
        finally:
            state.grad_enabled = previous


schedules: dict[tuple, list[Schedule]] = {}
"""By the shape of the graph and what is asked of it; a list, for the orders of equal shapes."""


class Schedule:
    """The kernels of a pass in order, with where each argument comes from.

    A reference to an earlier result is its number; ``~i`` is the i-th input. Inputs are the given
    gradients of roots, then what the nodes in ``order`` saved.
    """

    def __init__(self, planner: Planner, nodes: Sequence[Node], inputs: Sequence[Edge]):
        self.kinds = planner.inputs
        self.numbers = not all(type(kind) is Aval for kind in self.kinds)
        self.order = planner.order_of_nodes
        self.holders = [number for number in self.order if nodes[number].plan.holds]
        self.leaves = [number for number, _ in planner.arrivals]
        captured = [planner.captured.get(edge) for edge in inputs]
        self.captured = [None if ref is None else i for i, ref in enumerate(captured)]
        outs = [ref for _, ref in planner.arrivals] + [ref for ref in captured if ref is not None]
        self.outputs = [ref.place for ref in outs]
        self.parts = split(planner.entries, self.outputs, CAP)
        places = tuple([~i for i in range(len(self.kinds))]), tuple(self.outputs)
        self.whole = self.parts[0].block if [part[1:] for part in self.parts] == [places] else None
        """What computes just the outputs from just the inputs."""

    @classmethod
    def plan(cls, survey: Survey, roots, grads, inputs, accumulate) -> Schedule | None:
        """Let the engine make a pass on references; None if a gradient would need a check."""
        planner = Planner(survey, roots, inputs, accumulate)
        seeds = [planner.seed(edge, grad) for edge, grad in zip(roots, grads, strict=True)]
        if None in seeds:
            return None
        planner.run(roots, seeds, create_graph=False)
        return None if planner.stuck else cls(planner, survey.nodes, inputs)

    def fits(self, nodes: Sequence[Node]) -> bool:
        """Whether the engine would run these nodes in this order, which decides the order of
        sums."""
        latest = LEAF_SEQUENCE
        for number in self.order:
            sequence = nodes[number].sequence_nr
            if sequence >= latest:
                return False
            latest = sequence
        return True

    def gather(self, nodes: Sequence[Node], grads: Sequence[Any]) -> list | None:
        """The inputs of a pass; None if the engine has to see to something: an error, or hooks."""
        leaves = [g if type(g) is Value else g._read() for g in grads if g is not IMPLICIT]
        for number in self.order:
            saved = nodes[number].saved  # type: ignore[attr-defined]
            if saved is None:
                return None
            for item in saved:
                if type(item) is tuple:
                    holder, version, nr = item
                    if nr is not None:
                        if holder.version != version:
                            return None
                        item = holder.value
                    elif holder._counter.version != version:
                        return None
                    else:
                        item = holder._storage.value if holder._view is None else holder._read()
                elif type(item) is SavedTensor:
                    tensor = item.tensor
                    if tensor is None or tensor._counter.version != item.version:
                        return None
                    item = tensor._read()
                leaves.append(item)
        if self.numbers:
            kinds = [leaf.aval if type(leaf) is Value else type(leaf) for leaf in leaves]
        else:
            kinds = list(map(_aval_of, leaves))
        return leaves if kinds == self.kinds else None  # ``.data`` may have changed one

    def release(self, nodes: Sequence[Node]) -> None:
        """Free what the nodes saved."""
        for number in self.holders:
            nodes[number].saved = None  # type: ignore[attr-defined]

    def deliver(self, nodes: Sequence[Node], results: Sequence[Value]) -> list[Any]:
        """Gradients to the leaves; the others are returned, None where nothing arrived."""
        with accumulating:
            for number, grad in zip(self.leaves, results, strict=False):
                nodes[number].add(grad)  # type: ignore[attr-defined]
        others = iter(results[len(self.leaves) :])
        return [None if place is None else next(others) for place in self.captured]

    def run(self, leaves: Sequence) -> list[Value]:
        """The gradients that the pass arrives at."""
        if self.whole is not None:
            return execute(self.whole, leaves)
        found: dict[int, Any] = {~i: leaf for i, leaf in enumerate(leaves)}
        for block, takes, gives in self.parts:
            outs = execute(block, [found[place] for place in takes])
            found.update(zip(gives, outs, strict=True))
        return [found[place] for place in self.outputs]

    def __repr__(self):
        return f"<backward pass of {sum(part.block.weight for part in self.parts)} kernels>"


_aval_of = operator.attrgetter("aval")


class Ref(NamedTuple):
    """Stands for a gradient while a pass is planned."""

    aval: Aval
    place: int


class Planner(Task):
    """The engine's task on `Ref`: notes the kernels that the nodes would run."""

    def __init__(self, survey: Survey, roots, inputs, accumulate):
        super().__init__(roots, inputs, accumulate, keep_graph=True)
        self.numbers = survey.numbers
        self.entries: list[tuple[Kernel, tuple[int, ...]]] = []
        self.inputs: list[Any] = []
        self.order_of_nodes: list[int] = []
        self.arrivals: list[tuple[int, Ref]] = []
        self.count = 0
        self.stuck = False

    def seed(self, edge: Edge, grad: Any) -> Ref | None:
        """The reference to the gradient of a root."""
        if grad is None:
            return None
        aval = edge.node.avals[edge.nr]
        if grad is IMPLICIT:
            return self._emit(kernel_at((ONES, (aval.shape, aval.dtype))), ())[0]
        return Ref(aval, self._input(aval))

    def add(self, first: Ref, second: Ref) -> Ref:
        kernel = kernel_at((ADD, (), first.aval, second.aval))
        return self._emit(kernel, (first.place, second.place))[0]

    def _call(self, node: Node, grads: list) -> Sequence[Any]:
        plan = node.plan
        if plan is None:
            if grads[0] is not None:
                self.arrivals.append((self.numbers[node], grads[0]))
            return ()
        wanted = node.wanted(self._wanted(node))  # type: ignore[attr-defined]
        given = [grad for grad in grads if grad is not None]
        if not given:
            return [None] * len(node.targets)
        defined = tuple([g is not None for g in (*grads, *plan.missing)])
        kernel = plan.backward(wanted, defined)
        saved = [self._input(kind) for kind in kernel.inputs[len(given) :]]
        self.order_of_nodes.append(self.numbers[node])
        refs = self._emit(kernel, (*[g.place for g in given], *saved))
        results = node.scatter(wanted, refs)  # type: ignore[attr-defined]
        for ref, following, nr in zip(results, node.targets, node.numbers, strict=True):
            if ref is not None and following is not None:
                self.stuck |= ref.aval is not following.avals[nr]
        return results

    def _input(self, kind: Any) -> int:
        self.inputs.append(kind)
        return ~(len(self.inputs) - 1)

    def _emit(self, kernel: Kernel, places: tuple[int, ...]) -> list[Ref]:
        self.entries.append((kernel, places))
        start = self.count
        self.count += len(kernel.outputs)
        return [Ref(aval, start + i) for i, aval in enumerate(kernel.outputs)]
