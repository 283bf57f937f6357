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
import jax.numpy as jnp

from . import frames, modes
from .dispatch import Face, wrap
from .engine import run_backward
from .execute import Tracer, Value
from .graph import Edge, Node, accumulator, gradient_edge, sequence_numbers
from .nodes import OpNode
from .saved import SavedTensor
from .views import Storage

_WHAT = (
    "vmap: We do not support batching operators that can output dynamic shape: the shape of the "
    "result depends on data, and a Tensor stands for a whole batch there. Use torch.where, or "
    "compute outside."
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
    randomness: str = "error",
) -> list:
    """``program`` on slices of the Tensors ``batched``; its results, with the batch in front.

    ``program`` returns a list of Tensors and Nones. ``in_dims``: the batch dimension of each
    Tensor, None for one that is the same in all slices. ``graph``: its inner graph is part of the
    program's. Gradients flow to the Tensors and to whatever the program knows from outside.
    """
    batched = [t if isinstance(t, Face.tensor) else wrap(Value.of(t)) for t in batched]
    dims = [0] * len(batched) if in_dims is None else list(in_dims)
    if modes.forward.level is not None:
        return _with_tangents(program, batched, dims, size, graph, randomness)
    return _over_batch(program, batched, dims, size, graph, randomness)


def _with_tangents(program, batched, dims, size, graph, randomness) -> list:
    """Tangents are inputs and results of their own."""
    level = modes.forward.level
    parts = [_apart(t, level) for t in batched]

    def dual_program(*slices):
        items = iter(slices)
        outs = program(*[_together([next(items) for _ in part], part, level) for part in parts])
        shown = [{} if o is None else _apart(o, level) for o in outs]
        places[:] = [list(part) for part in shown]
        return [tangent for part in shown for tangent in part.values()]

    places: list[list] = []
    found = iter(_over_batch(
        dual_program, [t for part in parts for t in part.values()],
        [dim for part, dim in zip(parts, dims, strict=True) for _ in part],
        size, graph, randomness,
    ))  # fmt: skip
    return [_together([next(found) for _ in part], part, level) for part in places]


def _apart(tensor: Any, level: Any) -> dict[tuple, Any]:
    """A tensor, its tangents and their tangents, by the levels that lead to each."""
    if level is None:
        return {(): tensor}
    found = _apart(tensor, level.outer)
    tangent = Face.tangent_of(tensor, level)
    if tangent is not None:
        found |= {(level, *path): t for path, t in _apart(tangent, level.outer).items()}
    return found


def _together(items: list, paths: Iterable[tuple], level: Any) -> Any:
    """What `_apart` took apart; None for nothing."""
    found = dict(zip(paths, items, strict=True))
    for path in sorted(found, key=len, reverse=True):
        if path:
            Face.set_tangent(found[path[:-1]], found[path], path[-1])
    return found.get(())


def batch_size(tensors: Sequence, dims: Sequence) -> int:
    """How many slices there are: the same in all tensors."""
    sizes = [t._aval.shape[d] for t, d in zip(tensors, dims, strict=True) if d is not None]
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


def _over_batch(program, batched, dims, size, graph, randomness) -> list:
    call = _Call(program, batched, dims, graph)
    size = batch_size(batched, dims) if size is None else size

    def run(slices, extras, number):
        with frames.opened(number, size, randomness):
            return call.run(slices, extras)

    with jax.enable_x64(True), explained():
        arrays, residuals = jax.vmap(run, in_axes=(dims, 0, 0), axis_size=size)(
            [t._array for t in batched],
            [] if graph is None else [v.array for v in graph.residuals],
            jnp.arange(size),
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
        self.leaves: list = []
        self.inner: list = []
        self.written: list[int] = []
        self.outs: list = []
        self.kept: list[Value] = []

    def run(self, slices: list, extras: list):
        """The outputs' arrays and everything that the inner graph saved."""
        self.leaves = [wrap(Value.of(s)) for s in slices]
        for inside, outside in zip(self.leaves, self.batched, strict=True):
            inside._requires_grad = outside.requires_grad and modes.state.grad_enabled
        self.inner = [
            inside if outside.is_leaf or not inside._requires_grad else inside.clone()
            for inside, outside in zip(self.leaves, self.batched, strict=True)
        ]
        before = [value.array for value in self.values]
        for value, array in zip(self.values, extras, strict=True):
            value.array = array
        try:
            given = [t._storage.value for t in self.inner]
            outs = list(self.program(*self.inner))
            self.written = [i for i, t in enumerate(self.inner) if t._storage.value is not given[i]]
            outs += [_unmoved(self.inner[i]) for i in self.written]
            self.outs = [self._inside(out) for out in outs]
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
        stack = [o._node for o in self.outs if o is not None and o.requires_grad]
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
        for inside, outside, dim in zip(self.leaves, self.batched, self.dims, strict=True):
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
        """The results with their history; what the program wrote to is written to outside."""
        results = self._results(arrays, residuals)
        count = len(results) - len(self.written)
        for position, result in zip(self.written, results[count:], strict=True):
            self.batched[position].copy_(result.movedim(0, self.dims[position]))
        return results[:count]

    def _results(self, arrays: list, residuals: list) -> list:
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


def _unmoved(tensor: Any) -> Any:
    """What a tensor has in its storage, in the shape that it came with: see `inplace_views`."""
    if tensor._view is None or tensor.requires_grad:
        return tensor
    whole = tensor._alias()
    whole._view = None
    return whole


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
        self.inner = call.leaves

    def run(self, grads, needed):
        there = [nr for nr, g in enumerate(grads) if g is not None]
        if not there:
            return [None] * len(self.ways)

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
        kept = node.residuals if isinstance(node, VmapBackward) else _content(node)
        for value in _values(kept):
            if isinstance(value.array, Tracer) and id(value) not in seen:
                seen.add(id(value))
                yield value


def _content(node: Node) -> list:
    """What a node holds, apart from where its gradients go."""
    if isinstance(node, OpNode):
        return [node.saved]
    return [x for name, x in vars(node).items() if name != "targets"]


def _values(items: Iterable) -> Iterator[Value]:
    for item in items:
        if isinstance(item, list | tuple) and not isinstance(item, Edge):
            yield from _values(item)
        elif isinstance(item, SavedTensor):
            yield from _values([item.tensor, getattr(item.hooked, "packed", None)])
        elif isinstance(item, Value):
            yield item
        elif isinstance(item, Storage):
            yield item.value
        elif isinstance(item, Node):
            yield from _values(_content(item))
        elif isinstance(item, Face.tensor):
            yield from _values_of(item)


def _values_of(tensor: Any) -> Iterator[Value]:
    yield tensor._storage.value
    if tensor._view is not None:
        yield from (tensor._view.source, tensor._view.value)
    if tensor._tangents is not None:
        yield from _values([t for t in tensor._tangents.values() if t is not None])


Face.check_write = frames.check_write
