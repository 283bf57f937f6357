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
from typing import Any

import jax.numpy as jnp

from . import engine, replay
from . import execute as seam
from .blocks import split
from .engine import Task
from .execute import Aval, Function, Kernel, Value, execute, kernel_at
from .graph import LEAF_SEQUENCE, AccumulateGrad, Edge, Node, accumulating
from .layout import lay
from .lazy import CAP, lazy, mark
from .modes import anomaly, state
from .saved import SavedTensor
from .watching import Hooks

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


def explicit(roots: Sequence[Edge], grads: Sequence[Any]) -> list:
    """The gradients of roots, with ones for those that were not given."""
    return [
        ones(edge.node.avals[edge.nr]) if grad is IMPLICIT else grad
        for edge, grad in zip(roots, grads, strict=True)
    ]


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
    known = seam.policy is lazy and not (anomaly.enabled or create_graph and accumulate)
    survey = Survey.of(roots) if known else None
    arrived = None
    if survey is not None and not create_graph:
        arrived = survey.run(roots, grads, keep_graph, inputs, accumulate)
    elif survey is not None and replay.is_possible():
        arrived = survey.replay(roots, grads, keep_graph, inputs)
    if arrived is not None:
        return arrived
    return engine.run_backward(
        roots, explicit(roots, grads), keep_graph=keep_graph, create_graph=create_graph,
        inputs=inputs, accumulate=accumulate,
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
        count = 0
        for node, nr in roots:
            number = number_of(node, count)
            if number == count:
                nodes.append(node)
                count += 1
            shape.append((number, nr))
        for node in itertools.islice(nodes, MOST):  # which grows
            if node.watched:
                return None
            plan = node.plan
            if plan is None:
                if type(node) is not AccumulateGrad:
                    return None
                shape.append(None)
                shape.append(node.avals[0])
                continue
            shape.append(plan)
            shape.append(node.numbers)
            for following in node.targets:
                number = number_of(following, count)
                if number == count:
                    nodes.append(following)
                    count += 1
                shape.append(number)
        return cls(nodes, numbers, shape) if count <= MOST else None

    def schedule(self, roots, grads, inputs, accumulate) -> Schedule | None:
        """What happens in the pass with these options; None if the engine must see to it."""
        seeds = [g is IMPLICIT for g in grads]
        key = (accumulate, *seeds, *self.shape)
        if inputs:
            key += tuple([(self.numbers.get(node, -1), nr) for node, nr in inputs])
        if not (accumulate and all(seeds)):  # what is seen lies in memory as gradients and leaves
            key += tuple([g is not IMPLICIT and Hooks.sign(g) for g in grads])
            leaves: Any = [node for node in self.nodes if node.plan is None]
            key += tuple([Hooks.sign(leaf.variable) for leaf in leaves])
        known = schedules.setdefault(key, [])
        for schedule in known:
            if schedule.fits(self.nodes):
                return schedule
        schedule = Schedule.plan(self, roots, grads, inputs, accumulate)
        if schedule is not None:
            known.append(schedule)
        return schedule

    def run(self, roots, grads, keep_graph, inputs, accumulate) -> list[Any] | None:
        """The pass with these options; None if it cannot be done as one kernel."""
        schedule = self.schedule(roots, grads, inputs, accumulate)
        leaves = None if schedule is None else schedule.gather(self.nodes, grads)
        if schedule is None or leaves is None:
            return None
        results = schedule.run(leaves)
        if not keep_graph:
            schedule.release(self.nodes)
        previous, state.grad_enabled = state.grad_enabled, False
        try:
            return schedule.deliver(self.nodes, results, grads)
        finally:
            state.grad_enabled = previous

    def replay(self, roots, grads, keep_graph, inputs) -> list[Any] | None:
        """The recorded pass to ``inputs``; None if it cannot be replayed."""
        schedule = self.schedule(roots, grads, inputs, False)
        if schedule is None:
            return None
        given = list(map(Hooks.as_tensor, explicit(roots, grads)))
        start = replay.starting_points(schedule.order, self.nodes, given)
        if start is None:
            return None
        kinds = tuple(map(replay.kind, start))
        known = schedule.replays.get(kinds)
        if known is None:
            if kinds in schedule.replays or len(schedule.replays) == replay.MOST:
                return None
            found, schedule.replays[kinds] = replay.traced(start, lambda: engine.run_backward(
                roots, given, keep_graph=keep_graph, create_graph=True, inputs=inputs,
                accumulate=False,
            ))  # fmt: skip
            return found
        previous, state.grad_enabled = state.grad_enabled, True
        try:
            found = known.run(start)
        finally:
            state.grad_enabled = previous
        if not keep_graph:
            schedule.release(self.nodes)
        return found


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
        self.shown, self.captured = planner.shown(inputs)
        self.lent = planner.lent()
        arrived = [value_of(grad) for _, grad in planner.arrivals]
        made = [source for source, _, _ in self.shown if type(source) is Value]
        self.outputs = [value.index for value in arrived + made]
        self.parts = split(planner.entries, self.outputs, CAP)
        places = tuple([~i for i in range(len(self.kinds))]), tuple(self.outputs)
        self.replays: dict[tuple, replay.Replay | None] = {}
        self.whole = self.parts[0].block if [part[1:] for part in self.parts] == [places] else None
        """What computes just the outputs from just the inputs."""

    @classmethod
    def plan(cls, survey: Survey, roots, grads, inputs, accumulate) -> Schedule | None:
        """Let the engine make a pass on references; None if a gradient would need a check."""
        lends = accumulate and any(grad is not IMPLICIT for grad in grads)
        for kind in (Hooks.capturing,) * (lends or not accumulate) + (Planner,) * accumulate:
            planner = kind(survey, roots, inputs, accumulate)
            planner.lends = lends
            seeds = [planner.seed(edge, grad) for edge, grad in zip(roots, grads, strict=True)]
            if None in seeds:
                return None
            planner.run(roots, seeds, create_graph=False)
            if not accumulate or kind is Planner or planner.lent():
                break
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

    def deliver(self, nodes: Sequence[Node], results: Sequence[Value], grads: Sequence) -> list:
        """Gradients to the leaves; the others are returned, None where nothing arrived."""
        with accumulating:
            for number, grad in zip(self.leaves, results, strict=False):
                if number in self.lent:
                    root, steps = self.lent[number]
                    nodes[number].run([view_of(grads[root], steps)], ())
                else:
                    nodes[number].add(grad)  # type: ignore[attr-defined]
        if not self.captured:
            return []
        made, found = iter(results[len(self.leaves) :]), []
        for source, stride, steps in self.shown:
            if type(source) is Value:
                grad = lay(Hooks.as_tensor(next(made)), stride)
            else:
                grad = grads[source]
            found.append(view_of(grad, steps))
        return [None if i is None else found[i] for i in self.captured]

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


class Planner(Task):
    """The engine's task on values that nobody will compute: notes the kernels of the nodes.

    The ``index`` of such a value is its place.
    """

    def __init__(self, survey: Survey, roots, inputs, accumulate):
        super().__init__(roots, inputs, accumulate, keep_graph=True)
        self.numbers = survey.numbers
        self.entries: list[tuple[Kernel, tuple[int, ...]]] = []
        self.inputs: list[Any] = []
        self.order_of_nodes: list[int] = []
        self.arrivals: list[tuple[int, Any]] = []
        self.count = 0
        self.stuck = False

    def seed(self, edge: Edge, grad: Any) -> Any:
        """What stands for the gradient of a root."""
        if grad is None:
            return None
        aval = edge.node.avals[edge.nr]
        if grad is IMPLICIT:
            return self._emit(kernel_at((ONES, (aval.shape, aval.dtype))), ())[0]
        return Value(aval, None, None, self._input(aval))

    def add(self, first: Any, second: Any) -> Value:
        first, second = value_of(first), value_of(second)
        kernel = kernel_at((ADD, (), first.aval, second.aval))
        return self._emit(kernel, (first.index, second.index))[0]

    def _call(self, node: Node, grads: list) -> Sequence[Any]:
        plan = node.plan
        if plan is None:
            if grads[0] is not None:
                self.arrivals.append((self.numbers[node], grads[0]))
            return ()
        wanted = node.wanted(self._wanted(node), grads)  # type: ignore[attr-defined]
        given = [grad for grad in grads if grad is not None]
        if not given:
            return [None] * len(node.targets)
        defined = tuple([g is not None for g in (*grads, *plan.missing)])
        kernel = plan.backward(wanted, defined)
        saved = [self._input(kind) for kind in kernel.inputs[len(given) :]]
        self.order_of_nodes.append(self.numbers[node])
        results = node.scatter(  # type: ignore[attr-defined]
            wanted, self.results_of(node, wanted, grads, kernel, saved)
        )
        for grad, following, nr in zip(results, node.targets, node.numbers, strict=True):
            if grad is not None and following is not None:
                self.stuck |= value_of(grad).aval is not following.avals[nr]
        return results

    def results_of(self, node, wanted, grads, kernel: Kernel, saved: list[int]) -> list:
        """What the formulas of the inputs ``wanted`` give; by ``kernel``, on these places."""
        given = [value_of(grad).index for grad in grads if grad is not None]
        return self._emit(kernel, (*given, *saved))

    def shown(self, inputs: Sequence[Edge]) -> tuple[list[tuple], list[int | None]]:
        """What is returned: (a value or the number of a root, the strides of a value, views of it),
        and for each of ``inputs`` which of them it is."""
        return [], [None] * len(inputs)

    def lent(self) -> dict[int, tuple[int, tuple]]:
        """The leaves that take a view of the gradient of a root: of which root, by which steps."""
        return {}

    def _input(self, kind: Any) -> int:
        self.inputs.append(kind)
        return ~(len(self.inputs) - 1)

    def _emit(self, kernel: Kernel, places: tuple[int, ...]) -> list[Value]:
        self.entries.append((kernel, places))
        start = self.count
        self.count += len(kernel.outputs)
        return [Value(aval, None, None, start + i) for i, aval in enumerate(kernel.outputs)]


def view_of(grad: Any, steps: Sequence) -> Any:
    """What is seen of a gradient through a chain of steps."""
    for step in steps:
        grad = grad._apply_step(step)
    return grad


def value_of(grad: Any) -> Value:
    """What stands for the elements of a gradient."""
    return grad if type(grad) is Value else grad._read()
