"""The nodes of declared ops: the parameter names of a formula are what a node saves.

All formulas of a node run as one kernel; under ``create_graph`` they run as recorded ops instead.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from funcgrad import types
from funcgrad.derivative import fit
from funcgrad.mode import owned_by
from funcgrad.op import Op
from funcgrad.template import HOLE
from funcgrad.together import asked, gradients, optional

from . import modes, saved_arguments, saved_shapes
from .execute import Aval, Kernel, Value, execute, kernel_at
from .graph import FREED, Node
from .saved import SAVED_NUMBERS, SavedComplex, SavedFloat, SavedInt, SavedTensor


class Plan:
    """How one kernel is recorded when certain leaves need a gradient; shared by its nodes.

    ``leaves``: the leaf of each edge; ``sources``: the same, None where it needs no gradient;
    ``numbers``: the usual number of each edge.
    ``needs``: the inputs (by position) whose formulas are consulted. ``fetch``: what is saved, as
    ("input", leaf) or ("output", number), in the order in which PyTorch's hooks see it: inputs by
    name, then outputs.
    """

    def __init__(self, kernel: Kernel, needs: tuple[int, ...], requiring: int):
        op: Op = kernel.fn
        self.kernel, self.op, self.needs = kernel, op, needs
        spans = leaf_spans(op, kernel.static)
        self.leaves = [leaf for i in op.differentiable for leaf in spans[i]]
        self.sources = [leaf if requiring >> leaf & 1 else None for leaf in self.leaves]
        self.numbers = (0,) * len(self.sources)
        self.owners = [i for i in op.differentiable for _ in spans[i]]
        tensors = [i for p, span in zip(op.params, spans, strict=True) for i in span
                   if p.kind == "tensor"]  # fmt: skip
        self.all_tensors = all(isinstance(kernel.inputs[i], Aval) for i in tensors)
        """Whether no number stands for a tensor, which would be one in PyTorch's formulas."""
        self.absent = [
            sum(max(len(spans[j]), 1) for j in op.differentiable if j < i)
            for i in op.differentiable if op.params[i].kind == "tensor" and not spans[i]
        ]  # fmt: skip
        """Where tensors that were not given, such as a bias, would have their edge."""
        args = op.unbind(kernel.static, [_Leaf(i) for i in range(len(kernel.inputs))])
        self.layout: dict[str, Any] = {}
        self.strided = {
            item.name: spans[item.index][0] for item in itertools.chain(*op.saves.values())
            if item.source == "strides" and spans[item.index]
        }  # fmt: skip
        """The inputs whose strides formulas ask for; they are found out if these run on Tensors."""
        self.fetch: list[tuple[str, int]] = []
        found = {item.name: item for index in needs for item in op.saves[op.names[index]]}
        for item in sorted(found.values(), key=lambda item: (item.source == "output", item.name)):
            self.layout[item.name] = self._place(item, args)
        self.filled = [name for name, place in self.layout.items() if _has_slot(place)]
        self.places: dict[tuple[int, ...], list[int | None]] = {}
        self.layouts: dict[tuple, Any] = {}
        """How the results lie in memory; see `gradient_layouts`."""
        numbers = [i for p, span in zip(op.params, spans, strict=True) for i in span
                   if p.kind == "scalar"]  # fmt: skip
        self.holds = any(item[0] != "input" or item[1] not in numbers for item in self.fetch)
        outs = kernel.outputs
        self.outputs = [
            i for i, o in enumerate(outs) if types.is_differentiable(o.dtype) and op.has_history(i)
        ]
        last = self.outputs[-1]
        self.avals = kernel.outputs[: last + 1]
        self.missing = [None] * (len(kernel.outputs) - last - 1)
        self.asks, self.optional = asked(op), optional(op)
        self.node_class = node_class(op)

    def _place(self, item, args):
        """Where a formula's argument comes from: a `_Slot` of the node, or a constant."""
        if item.source == "output":
            return self._slot("output", item.index)
        arg = args[item.index]
        if item.source == "sizes":
            many = isinstance(arg, tuple)
            shapes = [_shape(self.kernel.inputs[x.index]) for x in (arg if many else (arg,))]
            return tuple(shapes) if many else shapes[0]
        if item.source == "strides":
            return None
        if isinstance(arg, _Leaf):
            return self._slot("input", arg.index)
        if isinstance(arg, tuple) and any(isinstance(x, _Leaf) for x in arg):
            return tuple(self._slot("input", x.index) if x is not None else None for x in arg)
        return arg

    def _slot(self, source: str, index: int) -> _Slot:
        self.fetch.append((source, index))
        return _Slot(len(self.fetch) - 1)

    def arguments(self, items: Sequence[Any]) -> dict[str, Any]:
        """The formulas' arguments by name, from the saved items in the order of ``fetch``."""
        found = self.layout.copy()
        for name in self.filled:
            found[name] = _filled(found[name], items)
        return found

    def place(self, wanted: tuple[int, ...]) -> list[int | None]:
        """For each edge, its number among the results of the formulas of the inputs ``wanted``."""
        count = itertools.count()
        self.places[wanted] = [
            next(count) if owner in wanted and isinstance(self.kernel.inputs[leaf], Aval) else None
            for owner, leaf in zip(self.owners, self.leaves, strict=True)
        ]
        return self.places[wanted]

    def backward(self, wanted: tuple[int, ...], defined: tuple[bool, ...]) -> Kernel:
        """The kernel of these formulas, given these gradients of outputs."""
        grads = [aval for aval, there in zip(self.kernel.outputs, defined, strict=True) if there]
        return kernel_at((self, (wanted, defined), *grads, *self.saved_kinds))

    def results(self, wanted: tuple[int, ...]) -> list[tuple[int, Aval]]:
        """What the formulas of the inputs ``wanted`` give: of which input, of what aval."""
        leaves = zip(self.owners, [self.kernel.inputs[leaf] for leaf in self.leaves], strict=True)
        pairs = [(owner, aval) for owner, aval in leaves if isinstance(aval, Aval)]
        return [pair for index in wanted for pair in pairs if pair[0] == index]

    @property
    def saved_kinds(self) -> list:
        """What is saved, as `Kernel.inputs` says it."""
        kernel = self.kernel
        return [
            (kernel.inputs if source == "input" else kernel.outputs)[index]
            for source, index in self.fetch
        ]

    def on_tensors(
        self, wanted: tuple[int, ...], grads: Sequence, saved: Sequence, strides: Any = None
    ) -> list:
        """The formulas op by op on Tensors. ``grads``: of all outputs, None where there is none.

        ``strides``: by the names in ``strided``.
        """
        full = self.completed(grads, OpNode.zeros)
        names, results = [self.op.names[index] for index in wanted], []
        arguments = self.arguments(saved) | (strides or {})
        with owned_by(OpNode.formula_owner if self.all_tensors else OpNode.owner):
            for result in gradients(self.op, names, full, arguments):
                results.extend(result if isinstance(result, tuple | list) else [result])
        return results

    def completed(self, grads: Sequence, zeros: Callable) -> list:
        """The gradients of all outputs, with zeros for those that the formulas cannot miss."""
        return [
            grad if grad is not None or i in self.optional else zeros(aval)
            for i, (grad, aval) in enumerate(zip(grads, self.kernel.outputs, strict=True))
        ]

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """All wanted formulas on arrays. ``static``: wanted inputs, and which gradients exist."""
        wanted, defined = static
        items = iter(arrays)
        given = [next(items) if there else None for there in defined]
        grads = self.completed(given, lambda aval: jnp.zeros(aval.shape, aval.dtype))
        saved = self.arguments(list(items))
        results = []
        for index in wanted:
            result = self.op.apply_formula(self.op.names[index], grads, saved)
            leaves = [leaf for leaf, i in zip(self.leaves, self.owners, strict=True) if i == index]
            many = result if isinstance(result, tuple | list) else [result]
            for grad, leaf in zip(many, leaves, strict=True):
                aval = self.kernel.inputs[leaf]
                if isinstance(aval, Aval):
                    where = f"invalid gradient at index {self.leaves.index(leaf)}"
                    what = f"Function {self.op.grad_fn} returned an {where}"
                    results.append(fit(grad, aval.shape, aval.dtype, what))
        return tuple(results)

    trace = run

    def __repr__(self):
        return f"{self.op.grad_fn}"


@dataclasses.dataclass(frozen=True, slots=True)
class _Leaf:
    """Stands for a leaf of the call."""

    index: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Slot:
    """Stands for a saved item of a node."""

    index: int


def _has_slot(place: Any) -> bool:
    return type(place) is _Slot or type(place) is tuple and _Slot in map(type, place)


def _filled(place: Any, items: Sequence[Any]) -> Any:
    """A slot, or a tuple with slots, with the saved items in their places."""
    if type(place) is _Slot:
        return items[place.index]
    return tuple([items[p.index] if type(p) is _Slot else p for p in place])


def leaf_spans(op: Op, template: tuple) -> list[range]:
    """For each parameter the leaves that belong to it."""
    spans, start = [], 0
    for entry in template:
        count = 1 if entry is HOLE else 0
        if isinstance(entry, tuple):
            count = sum(item is HOLE for item in entry)
        spans.append(range(start, start + count))
        start += count
    return spans


def _shape(aval) -> tuple[int, ...]:
    return aval.shape if isinstance(aval, Aval) else ()


class OpNode(Node):
    """The node of a declared op. ``saved`` is None once the node was released."""

    __slots__ = (
        "plan", "avals", "targets", "numbers", "saved", "sequence_nr", "watched", "pre_hooks",
        "retained", "node_pre_hooks", "node_hooks", "_metadata",
    )  # fmt: skip
    plan: Plan
    saved: Sequence | None

    @property
    def next_functions(self):
        found = list(super().next_functions)
        for position in self.plan.absent:
            found.insert(position, (None, 0))
        return tuple(found)

    def release(self):
        if self.plan.holds:
            self.saved = None

    def saved_items(self) -> Sequence:
        """What was saved: each a `SavedTensor`, a `Value` or a number."""
        items: Any = self.saved
        for i, item in enumerate(items):
            if type(item) is tuple:
                items[i] = SavedTensor.unfold(item)
        return items

    def run(self, grads, needed):
        if self.saved is None:
            raise RuntimeError(FREED)
        if not any(g is not None for g in grads):
            return [None] * len(self.targets)
        if modes.state.grad_enabled:
            return self._apply_recorded(grads, needed)
        plan = self.plan
        wanted = self.wanted(needed, grads)
        lying = self.lying(self, wanted, grads)
        if lying is None:
            return self._apply_recorded(grads, needed)
        if plan.missing:
            grads = [*grads, *plan.missing]
        leaves = [g if type(g) is Value else g._read() for g in grads if g is not None]
        key = (wanted, tuple([g is not None for g in grads]))
        leaves += [
            x.current(self)._read() if type(x) is SavedTensor else x for x in self.saved_items()
        ]
        results: list = execute(plan, leaves, key)
        for i, place in lying:
            results[i] = self.placed(results[i], place, grads)
        return self.scatter(wanted, results)

    def wanted(self, needed: Sequence[bool], grads: Sequence[Any]) -> tuple[int, ...]:
        """The inputs whose formulas are needed, given these gradients of outputs."""
        plan = self.plan
        if plan.asks is not None:
            there = [grad is not None for grad in grads]
            reached = [any(there[i] for i in plan.asks[owner]) for owner in plan.owners]
            needed = [need and found for need, found in zip(needed, reached, strict=True)]
        elif all(needed) or len(plan.needs) == 1:
            return plan.needs
        asked = {owner for owner, need in zip(plan.owners, needed, strict=True) if need}
        return tuple(i for i in plan.needs if i in asked)

    def scatter(self, wanted: tuple[int, ...], results: Sequence[Any]) -> list:
        """Results of the formulas of the inputs ``wanted``, in the order of the edges."""
        places = self.plan.places.get(wanted) or self.plan.place(wanted)
        return [None if place is None else results[place] for place in places]

    def _apply_recorded(self, grads, needed):
        """The formulas op by op on Tensors, so that the result can be differentiated."""
        wanted, saved = self.wanted(needed, grads), self.unpack_all()
        given = [None if g is None else self.as_tensor(g) for g in (*grads, *self.plan.missing)]
        strides = self.strides(self) if self.plan.strided else None
        return self.scatter(wanted, self.plan.on_tensors(wanted, given, saved, strides))

    def unpack_all(self) -> list:
        """What was saved, tensors with their history."""
        if self.saved is None:
            raise RuntimeError(FREED)
        return [self._unpacked(item) for item in self.saved]

    def _unpacked(self, item: Any) -> Any:
        kind = type(item)
        if kind is tuple:
            holder, version, nr = item
            if nr is None and holder._counter.version == version:
                return holder
            return SavedTensor.unfold(item).unpack(self)
        if kind is SavedTensor:
            return item.unpack(self)
        return self.as_tensor(item) if kind is Value else SAVED_NUMBERS[kind](item)

    strides: Any = None
    """The strides of inputs that formulas ask for; set by `input_strides`."""
    lying: Any = None
    placed: Any = None
    """How the results of formulas lie in memory; set by `gradient_layouts`."""
    owner: Any = None
    formula_owner: Any = None
    """Who makes the results of formulas; `scalar_nodes` tells by it where an op is called."""
    zeros: Any = None
    number: Any = None
    """Make a Tensor of zeros, and one of a number; set where Tensor is defined."""


@functools.cache
def node_class(op: Op) -> type[OpNode]:
    """The class of the nodes of ``op``, with PyTorch's name and ``_saved_*`` attributes."""
    own = {"__module__": "builtins", "__slots__": ()}
    fields: dict[str, Any] = dict(own)
    for item in itertools.chain.from_iterable(op.saves.values()):
        read = _strides_of if item.source == "strides" else _saved_attribute
        fields[f"_saved_{item.name}"] = property(functools.partial(read, item.name))
        kind = item.source if item.source in ("sizes", "strides") else "tensor"
        if item.source == "input":
            kind = op.params[item.index].kind
        if kind in ("tensor", "tensors"):
            raw = property(functools.partial(_raw_attribute, item.name, kind == "tensors"))
            fields[f"_raw_saved_{item.name}"] = raw
    fields.update(saved_shapes.attributes(op.grad_fn) | saved_arguments.attributes(op.grad_fn))
    for name in saved_shapes.hidden(op.grad_fn) | saved_arguments.hidden(op.grad_fn):
        fields.pop(name, None)
    return type(op.grad_fn or op.name, (OpNode,), fields)


INPLACE_NAMES = {
    "AcoshBackward0": "AcoshBackward1",
    "AsinhBackward0": "AsinhBackward1",
    "AtanhBackward0": "AtanhBackward1",
    "CeluBackward0": "CeluBackward1",
    "EluBackward0": "EluBackward1",
    "LeakyReluBackward0": "LeakyReluBackward1",
    "ThresholdBackward0": "ThresholdBackward1",
    "TBackward0": "TBackward1",
    "TransposeBackward0": "TransposeBackward1",
    "UnsqueezeBackward0": "UnsqueezeBackward1",
    "SqueezeBackward0": "SqueezeBackward3",
    "SqueezeBackward1": "SqueezeBackward4",
    "SqueezeBackward2": "SqueezeBackward5",
    "AsStridedBackward0": "AsStridedBackward1",
    "FillBackward0": "FillBackward2",
    "FillBackward1": "FillBackward3",
}
"""PyTorch numbers these in-place overloads after the others."""


@functools.cache
def inplace_class(cls: type[Node]) -> type[Node]:
    """The class of the node of the in-place form of an op."""
    name = INPLACE_NAMES.get(cls.__name__)
    return cls if name is None else type(name, (cls,), {"__slots__": ()})


def _static_argument(plan: Plan, parameter: Any) -> Any:
    """An argument that is no tensor, for formulas that were not consulted."""
    kernel = plan.kernel
    args = plan.op.unbind(kernel.static, [None] * len(kernel.inputs))
    given = args[plan.op.names.index(parameter.name)]
    return parameter.default if given is None else given


def _unsigned(number: Any) -> Any:
    """As PyTorch shows its 64-bit numbers: without their sign."""
    return number + 2**64 if type(number) is int and number < 0 else number


def _saved_attribute(name: str, node: OpNode):
    parameter = next((p for p in node.plan.op.params if p.name == name), None)
    whole = parameter is not None and parameter.kind == "scalar" and node.saved is not None
    found = node.plan.arguments(node.saved_items() if whole else node.unpack_all()).get(name)
    if whole and isinstance(found, SavedTensor):
        return found.unpack(node).item()
    if found is None and parameter is not None and parameter.kind in ("static", "scalar"):
        found = _static_argument(node.plan, parameter)
    if parameter is not None and parameter.kind == "static":
        return tuple(map(_unsigned, found)) if type(found) is tuple else _unsigned(found)
    if isinstance(found, SavedFloat | SavedInt | SavedComplex):
        number = found.conj()
        return node.number(number) if parameter is None or parameter.kind == "tensor" else number
    return found


def _strides_of(name: str, node: OpNode):
    return node.strides(node).get(name) if name in node.plan.layout else ()


def _raw_attribute(name: str, many: bool, node: OpNode):
    if node.saved is None:
        if many:
            raise RuntimeError(FREED)
        return _raw(None, node)
    items: Any = node.saved_items()
    for i, item in enumerate(items):
        if type(item) is Value:  # an index that the program gave as a list
            items[i] = SavedTensor(node.as_tensor(item))
    found = node.plan.arguments(items).get(name)
    return tuple(_raw(x, node) for x in found) if type(found) is tuple else _raw(found, node)


def _raw(found: Any, node: OpNode) -> SavedTensor:
    if type(found) in SAVED_NUMBERS:
        found = SavedTensor(node.number(found))
    found = SavedTensor.empty() if found is None else found
    if isinstance(found, SavedTensor):
        found.node = weakref.ref(node)  # tells that it was freed
    return found
