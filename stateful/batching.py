"""Run a program on Tensors for a whole batch at once: the Tensors hold what `jax.vmap` traces with.

What the program records inside is a graph over tracers, which are dead once `jax.vmap` is done. So
everything that the graph saved is a result too, and the whole batch becomes one node: its backward
puts the saved arrays back, runs the engine over the inner graph, again under `jax.vmap`, and is
itself recorded in the same way when that is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax

from . import modes
from .dispatch import Face, wrap
from .engine import run_backward
from .execute import Tracer, Value
from .graph import Edge, Node, accumulator, gradient_edge, sequence_numbers
from .saved import SavedTensor

_WHAT = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, nor data-dependent control flow: a Tensor stands for a whole batch "
    "there. Use torch.where, or compute outside."
)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say in PyTorch's words that a batched Tensor has no single value to look at."""
    try:
        yield
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise RuntimeError(_WHAT) from error


def over_batch(
    program: Callable,
    batched: Sequence,
    in_dims: Sequence | None = None,
    size: int | None = None,
    graph: VmapBackward | None = None,
) -> list:
    """``program`` on slices of the Tensors ``batched``; its results, with the batch in front.

    ``program`` returns a list of Tensors and Nones. ``in_dims``: the batch dimension of each
    Tensor, None for one that is the same in all slices. ``graph``: its inner graph is part of the
    program's. Gradients flow to the Tensors and to whatever the program knows from outside.
    """
    batched = [t if isinstance(t, Face.tensor) else wrap(Value.of(t)) for t in batched]
    dims = [0] * len(batched) if in_dims is None else list(in_dims)
    if modes.forward.level is not None:
        return _with_tangents(program, batched, dims, size, graph)
    return _over_batch(program, batched, dims, size, graph)


def _with_tangents(program, batched, dims, size, graph) -> list:
    """Tangents are inputs and results of their own."""
    there = [(i, Face.tangent_of(t)) for i, t in enumerate(batched)]
    there = [(i, t) for i, t in there if t is not None]
    count = len(batched)

    def dual_program(*slices):
        for (i, _), tangent in zip(there, slices[count:], strict=True):
            Face.set_tangent(slices[i], tangent)
        outs = list(program(*slices[:count]))
        return outs + [None if o is None else Face.tangent_of(o) for o in outs]

    found = _over_batch(
        dual_program, [*batched, *(t for _, t in there)], [*dims, *(dims[i] for i, _ in there)],
        size, graph,
    )  # fmt: skip
    half = len(found) // 2
    for out, tangent in zip(found[:half], found[half:], strict=True):
        if tangent is not None:
            Face.set_tangent(out, tangent)
    return found[:half]


def _over_batch(program, batched, dims, size, graph) -> list:
    call = _Call(program, batched, dims, graph)
    with jax.enable_x64(True), explained():
        arrays, residuals = jax.vmap(call.run, in_axes=(dims, 0), axis_size=size)(
            [t._array for t in batched], [] if graph is None else [v.array for v in graph.residuals]
        )
    return call.finish(arrays, residuals)


class Way(NamedTuple):
    """How a gradient leaves an inner graph: at ``inside``, to ``outside``.

    ``dim``: where the batch goes; None where the gradients of all slices are added.
    """

    inside: Edge
    outside: Edge
    dim: int | None


class _Call:
    """One program under `jax.vmap`: what it showed while it was traced."""

    def __init__(self, program: Callable, batched: list, dims: list, graph: VmapBackward | None):
        self.program, self.batched, self.dims = program, batched, dims
        self.start = next(sequence_numbers)
        self.values = [] if graph is None else graph.values
        self.ways = [] if graph is None else graph.ways
        self.known: set[Node] = set() if graph is None else graph.nodes
        self.inner: list = []
        self.outs: list = []
        self.kept: list[Value] = []

    def run(self, slices: list, extras: list):
        """The outputs' arrays and everything that the inner graph saved."""
        self.inner = [wrap(Value.of(s)) for s in slices]
        for inside, outside in zip(self.inner, self.batched, strict=True):
            inside._requires_grad = outside.requires_grad and modes.state.grad_enabled
        before = [value.array for value in self.values]
        for value, array in zip(self.values, extras, strict=True):
            value.array = array
        try:
            self.outs = [self._inside(out) for out in self.program(*self.inner)]
            arrays = [o._array for o in self.outs if o is not None]
            self.kept = list(saved_tracers(self.recorded()))
            return arrays, [value.array for value in self.kept]
        finally:
            for value, array in zip(self.values, before, strict=True):
                value.array = array

    def _inside(self, out: Any) -> Any:
        """A result that the program only handed on becomes one of its own."""
        if out is None or not out.requires_grad or any(out is t for t in self.inner):
            return out
        node = out.grad_fn
        return out if node is not None and self._is_inner(node) else out.view_as(out)

    def recorded(self) -> set[Node]:
        """The nodes of the inner graph."""
        found: set[Node] = set()
        stack = [o._grad_fn for o in self.outs if o is not None and o.requires_grad]
        while stack:
            node = stack.pop()
            if node is None or node in found or isinstance(node, Border):
                continue
            if self._is_inner(node):
                found.add(node)
                stack.extend(edge.node for edge in node.edges)
        return found

    def _is_inner(self, node: Any) -> bool:
        return node in self.known or self.start < node.sequence_nr < float("inf")

    def all_ways(self) -> list[Way]:
        """The ways to the inputs, those that an inner graph had, and those to captured Tensors."""
        found = {way.inside: way for way in self.ways}
        for inside, outside, dim in zip(self.inner, self.batched, self.dims, strict=True):
            if inside._requires_grad:
                edge = Edge(accumulator(inside), 0)
                found[edge] = Way(edge, gradient_edge(outside), dim)
        borders: dict[Edge, Edge] = {}
        for node in self.recorded():
            node.edges = tuple([self._border(edge, found, borders) for edge in node.edges])
        ways = [Way(border, edge, None) for edge, border in borders.items()]
        return [*found.values(), *ways]

    def _border(self, edge: Edge, found: dict, borders: dict) -> Edge:
        """An edge out of the inner graph becomes one to a `Border`."""
        known = edge.node is None or edge in found or isinstance(edge.node, Border)
        if known or self._is_inner(edge.node):
            return edge
        if edge not in borders:
            borders[edge] = Edge(Border(edge), 0)
        return borders[edge]

    def finish(self, arrays: list, residuals: list) -> list:
        """The results with their history."""
        items = iter(arrays)
        results: list = [None if o is None else wrap(Value.of(next(items))) for o in self.outs]
        roots = [(nr, o) for nr, o in enumerate(self.outs) if o is not None and o.requires_grad]
        if not roots or not modes.state.grad_enabled:
            return results
        node = VmapBackward(self, [o for _, o in roots], residuals)
        for position, (nr, _) in enumerate(roots):
            node.avals = (*node.avals, results[nr]._aval)
            results[nr]._set_history(node, position)
        return results


class Border(Node):
    """Where an inner graph ends: the engine must not go on outside, in each slice."""

    def __init__(self, outside: Edge):
        super().__init__()
        self.avals = (outside.node.avals[outside.nr],)

    def run(self, grads, needed):
        return []


class VmapBackward(Node):
    """The history of the results of a program that ran for a batch."""

    def __init__(self, call: _Call, outs: list, residuals: list):
        super().__init__()
        self.roots = [gradient_edge(o) for o in outs]
        self.nodes, self.ways = call.recorded(), call.all_ways()
        self.values, self.residuals = call.kept, [Value.of(a) for a in residuals]
        self.edges = tuple([way.outside for way in self.ways])
        self.inner = call.inner

    def run(self, grads, needed):
        there = [nr for nr, g in enumerate(grads) if g is not None]

        def program(*seeds):
            found = run_backward(
                [self.roots[nr] for nr in there], seeds, keep_graph=True,
                create_graph=modes.state.grad_enabled, inputs=[way.inside for way in self.ways],
                accumulate=False,
            )  # fmt: skip
            return [None if g is None else self.as_tensor(g) for g in found]

        found = over_batch(program, [self.as_tensor(grads[nr]) for nr in there], graph=self)
        return [
            None if g is None else g.sum(0) if way.dim is None else g.movedim(0, way.dim)
            for g, way in zip(found, self.ways, strict=True)
        ]


def saved_tracers(nodes: Iterable[Node]) -> Iterator[Value]:
    """Every value with a tracer that ``nodes`` keep, once."""
    seen: set[int] = set()
    for node in nodes:
        kept = node.residuals if isinstance(node, VmapBackward) else list(vars(node).values())
        for value in _values(kept):
            if isinstance(value.array, Tracer) and id(value) not in seen:
                seen.add(id(value))
                yield value


def _values(items: Iterable) -> Iterator[Value]:
    for item in items:
        if isinstance(item, list | tuple) and not isinstance(item, Edge):
            yield from _values(item)
        elif isinstance(item, SavedTensor):
            yield from _values([item.tensor, getattr(item.hooked, "packed", None)])
        elif isinstance(item, Value):
            yield item
        elif isinstance(item, Node):
            yield from _values([x for x in vars(item).values() if not isinstance(x, Node)])
        elif isinstance(item, Face.tensor):
            yield from _values_of(item)


def _values_of(tensor: Any) -> Iterator[Value]:
    yield tensor._storage.value
    if tensor._view is not None:
        yield from (tensor._view.source, tensor._view.value)
    if tensor._tangent is not None:
        yield from _values([tensor._tangent])
