"""A backward pass under ``create_graph`` over a graph of a known shape is a list of known calls.

The formulas run op by op, because their ops are recorded. What they call depends on the shape of
the graph, on what its nodes saved, and on nothing else. The first pass is made by the engine, and
the window then tells which kernels ran on what. Every later pass computes them as one block and
records the calls again, without the engine, the formulas and the binding of arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import modes
from .blocks import block_of
from .dispatch import laid_out, plan_of, record, wrap
from .execute import Aval, Kernel, Value, execute
from .graph import Node
from .lazy import CAP, NUMBERS, Window, current
from .modes import forward, state
from .nodes import OpNode, Plan
from .saved import SavedTensor

MOST = 8
"""For how many kinds of saved things the calls of one pass are remembered."""


class Call:
    """One kernel of a pass. ``leaves``: places of its arguments; ``values``: what it computes."""

    __slots__ = ("kernel", "leaves", "values", "plan", "node_class")

    def __init__(self, kernel: Kernel, leaves: tuple[int, ...], values: range):
        self.kernel, self.leaves, self.values = kernel, leaves, values
        self.plan: Plan | None = None
        self.node_class: type[Node] | None = None

    def choose_plan(self, places: Sequence[Any]) -> None:
        """Find out how the call is recorded: which of its arguments need a gradient."""
        leaves = [places[i] for i in self.leaves]
        bits = sum(1 << i for i, x in enumerate(leaves) if getattr(x, "requires_grad", False))
        if bits and hasattr(self.kernel.fn, "vjp"):
            self.plan = plan_of(self.kernel, bits, leaves)

    def perform(self, places: list, values: Sequence[Value]) -> OpNode | None:
        """Record the call, and add the tensors that it gives to ``places``."""
        leaves = [places[i] for i in self.leaves]
        found = [values[i] for i in self.values]
        kernel = self.kernel
        if kernel.strides:
            outs = laid_out(kernel, leaves, found)
        else:
            outs = [wrap(value) for value in found]
        places += outs
        if self.plan is None:
            return None
        node = record(self.plan, leaves, outs)
        if self.node_class is not None:
            node.__class__ = self.node_class  # type: ignore[assignment]
        return node


class Replay:
    """The calls of a pass. A place is one of what it starts from, of ``constants`` or of what the
    calls give, in that order; ``results``: the place of each gradient, None where none arrives."""

    def __init__(self, calls: list[Call], constants: list, results: list[int | None], made: int):
        self.calls, self.constants, self.results = calls, constants, results
        leaves = [leaf for call in calls for leaf in call.leaves]
        self.inputs = list(dict.fromkeys([leaf for leaf in leaves if leaf < made]))
        places = {leaf: ~i for i, leaf in enumerate(self.inputs)}
        entries = tuple([
            (call.kernel, tuple([places.get(leaf, leaf - made) for leaf in call.leaves]))
            for call in calls
        ])  # fmt: skip
        self.block = block_of(entries, tuple(range(calls[-1].values.stop)))

    def run(self, start: list) -> list[Any]:
        """The gradients, from the saved tensors and the gradients of the roots."""
        places = [*start, *self.constants]
        given = [places[i] for i in self.inputs]
        values = execute(self.block, [x if type(x) in NUMBERS else x._read() for x in given])
        for call in self.calls:
            call.perform(places, values)
        return [None if place is None else places[place] for place in self.results]


def starting_points(order: Sequence[int], nodes: Sequence[Any], seeds: list) -> list | None:
    """What a pass starts from: saved tensors and numbers of its nodes, and gradients of roots.

    None if there are hooks on what was saved. Raises RuntimeError as the pass would if something
    was freed or has changed.
    """
    found: list = []
    for number in order:
        node = nodes[number]
        if any(type(item) is SavedTensor and item.hooked for item in node.saved or ()):
            return None
        found += node.unpack_all()
    return found + seeds


changed: list[Callable[[], bool]] = []
"""Each says whether ops of this thread mean something else now; `autocasting` adds one."""


def is_possible() -> bool:
    """Whether nothing is switched on that calls would have to be told of."""
    transforms = modes.transforms.open or modes.vmap.frames
    if forward.active or state.inference or transforms or state.saved_hooks:
        return False
    return not any(says() for says in changed)


def kind(item: Any) -> Any:
    """All of a starting point that formulas may depend on."""
    if not hasattr(item, "_read"):
        return type(item), repr(item)
    view = item._view
    steps = None if view is None else view.steps
    described = item._aval, item.requires_grad, steps, item._storage.geometry
    return *described, item._inference, type(item)


def traced(start: list, run: Callable[[], list]) -> tuple[list, Replay | None]:
    """Let the engine ``run`` a pass; the gradients, and how to replay it, if that is possible."""
    from .torch_function import overrides

    window = current()
    before, values = window.structure, window.values
    ends = len(values), len(window.numbers)
    results = run()
    if window.values is not values:  # a formula looked at numbers, on which its calls may depend
        return results, None
    if any(overrides(type(item)) for item in start):
        return results, None
    return results, _Trace(start, window, ends).replay(before, results)


class _Trace:
    """What a window recorded during a pass, as calls."""

    def __init__(self, start: list, window: Window, ends: tuple[int, int]):
        self.start, self.window = start, window
        self.first, number = ends
        self.values = window.values[self.first :]
        self.constants: list[Any] = window.numbers[number:]
        self.numbers = iter(range(len(start), len(start) + len(self.constants)))
        self.made = len(start) + len(self.constants)
        self.known = {id(x._read()): i for i, x in enumerate(start) if hasattr(x, "_read")}

    def replay(self, before: Any, results: list) -> Replay | None:
        """The pass since the structure ``before``, if its calls alone make these results."""
        steps, structure = [], self.window.structure
        while structure is not before:
            if structure.parent is None or len(steps) == CAP:
                return None  # the window was flushed in between
            steps.append(structure)
            structure = structure.parent
        calls: list[Call] = []
        count = 0
        for step in reversed(steps):
            following = count + len(step.kernel.outputs)
            leaves = self._leaves(step.kernel, iter(step.wiring))
            if None in leaves:
                return None
            calls.append(Call(step.kernel, leaves, range(count, following)))  # type: ignore
            count = following
        return self._verified(calls, results)

    def _leaves(self, kernel: Kernel, wiring: Any) -> tuple[int | None, ...]:
        """The places of a kernel's arguments; None for what comes from elsewhere."""
        return tuple([
            self._place(next(wiring)) if type(given) is Aval else next(self.numbers)
            for given in kernel.inputs
        ])  # fmt: skip

    def _place(self, index: int) -> int | None:
        if index >= self.first:
            return self.made + index - self.first
        window = self.window
        return self.known.get(id(window.values[index] if index >= 0 else window.inputs[~index]))

    def _verified(self, calls: list[Call], results: list) -> Replay | None:
        """The replay of the calls, if it gives tensors with the same values and history."""
        places = [*self.start, *self.constants]
        call_of: dict[Node, Call] = {}
        for call in calls:
            call.choose_plan(places)
            node = call.perform(places, self.values)
            if node is not None:
                call_of[node] = call
        by_value = {id(x._read()): i for i, x in enumerate(places) if hasattr(x, "_read")}
        found = [None if r is None else by_value.get(id(_value(r)), -1) for r in results]
        pairs = [(r, places[i]) for r, i in zip(results, found, strict=True) if i is not None]
        if not calls or -1 in found or not _alike(pairs, call_of):
            return None
        return Replay(calls, self.constants, found, self.made)


def _value(result: Any) -> Value:
    return result if type(result) is Value else result._read()


Pairs = list[tuple[Any, Any]]
"""What is yet to be compared."""


def _alike(pairs: Pairs, call_of: dict[Node, Call]) -> bool:
    """Whether tensors of the engine and of a replay have the same values and histories.

    Tells the calls the classes of the engine's nodes, which depend on who called.
    """
    seen: dict[Node, Node] = {}
    while pairs:
        one, other = pairs.pop()
        kind = type(one)
        if one is other or issubclass(kind, Node) and seen.get(one) is other:
            continue
        if issubclass(kind, OpNode) and other in call_of and one not in seen:
            seen[one], call_of[other].node_class = other, kind
            parts = _parts_of_node(one, other)
        elif kind is type(other) is SavedTensor:
            same = one.output_nr == other.output_nr and one.hooked is None
            parts = [(one.tensor, other.tensor)] if same else None
        elif hasattr(one, "_read") and hasattr(other, "_read"):
            same = _description(one) == _description(other)
            parts = [(one._node, other._node), (one._base, other._base)] if same else None
        else:
            parts = [] if kind is type(other) and repr(one) == repr(other) else None
        if parts is None:
            return False
        pairs += parts
    return True


def _parts_of_node(one: OpNode, other: OpNode) -> Pairs | None:
    """What two nodes lead to and save; None if they are of different kinds."""
    if one.plan is not other.plan or one.numbers != other.numbers or one.watched:
        return None
    targets = zip(one.targets, other.targets, strict=True)
    return [*targets, *zip(one.saved_items(), other.saved_items(), strict=True)]


def _description(tensor: Any) -> tuple:
    """All of a tensor but its history."""
    view = tensor._view
    return (
        id(tensor._read()), tensor.requires_grad, tensor._output_nr, tensor._creation,
        None if view is None else view.steps, tensor._storage.geometry,
    )  # fmt: skip
