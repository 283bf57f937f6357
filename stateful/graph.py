"""Graph nodes: what a recorded op keeps, and how it turns output gradients into input gradients.

An op's node is made from its declaration: the parameter names of its formulas are what it saves.
All formulas of a node run as one kernel; under ``create_graph`` they run as recorded ops instead.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import threading
import traceback
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from funcgrad import types
from funcgrad.derivative import fit
from funcgrad.op import Op, owned_by
from funcgrad.signature import NUMBERS
from funcgrad.template import HOLE

from . import modes
from .execute import Aval, Kernel, Value, kernel_of, run_kernel
from .hooks import RemovableHandle, attach
from .modes import anomaly

sequence_numbers = itertools.count()
LEAF_SEQUENCE = float("inf")
"""Accumulation into leaves runs as soon as it is ready."""

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


class Edge(NamedTuple):
    """Output ``nr`` of the function of ``node``: where a gradient goes."""

    node: Any
    nr: int


NO_EDGE = Edge(None, 0)
NATIVE = {"AccumulateGrad", "CopyBackwards", "CopySlices", "Error", "NotImplemented"}
"""Nodes whose names PyTorch qualifies, because it does not generate them."""


class InputMetadata:
    """What a node knows of the gradient of one of its outputs."""

    dtype_of: Any = None
    size_of: Any = None

    def __init__(self, aval: Aval | None):
        self._aval = aval

    @property
    def shape(self) -> Any:
        """The size of the gradient."""
        return () if self._aval is None else self.size_of(self._aval.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the gradient."""
        return None if self._aval is None else self.dtype_of(self._aval)

    is_nested_tensor = False
    is_cpp_nested_tensor = False


class Node:
    """A step of the backward graph: takes the gradients of its outputs, gives those of its inputs.

    ``edges``: where each input gradient goes. ``avals``: shape and dtype of each output.
    """

    edges: tuple[Edge, ...] = ()
    avals: tuple[Aval, ...] = ()
    sequence_nr: float = 0
    pre_hooks: dict | None = None
    """Hooks of tensors by output number: run on one gradient, before the node."""
    retained: dict | None = None
    """Tensors that keep their gradient, by output number."""
    node_pre_hooks: dict | None = None
    node_hooks: dict | None = None
    _metadata: dict | None = None

    def __init__(self):
        self.sequence_nr = next(sequence_numbers)
        if anomaly.enabled:
            self.remember_origin()

    def remember_origin(self) -> None:
        """Note where in the user's program this node is made, and during which node's backward."""
        self.metadata["traceback_"] = traceback.format_stack()[:-2]
        if self.running is not None and self.running() is not None:
            self.metadata["parent_"] = self.running()

    running: Any = None
    """Tells the node that the engine is in; set by the engine."""

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that receive this node's results, each with the output number it stands for."""
        return tuple((edge.node, edge.nr) for edge in self.edges)

    @property
    def metadata(self) -> dict:
        """A dictionary for the user's own notes."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    def name(self) -> str:
        """The name of this node, as PyTorch gives it."""
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in NATIVE else name

    def _sequence_nr(self) -> int:
        return int(self.sequence_nr) if self.sequence_nr != LEAF_SEQUENCE else 2**64 - 1

    @property
    def _input_metadata(self) -> list[InputMetadata]:
        return [InputMetadata(aval) for aval in self.avals]

    def register_hook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` after this node; it may return others."""
        if self.node_hooks is None:
            self.node_hooks = OrderedDict()
        return attach(self.node_hooks, fn)

    def register_prehook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before this node; it may return other grad_outputs."""
        if self.node_pre_hooks is None:
            self.node_pre_hooks = OrderedDict()
        return attach(self.node_pre_hooks, fn)

    def _register_hook_dict(self, tensor: Any) -> None:
        self.tensor_hooks(tensor._output_nr)

    def tensor_hooks(self, nr: int) -> OrderedDict:
        """The hooks on the gradient of output ``nr``."""
        if self.pre_hooks is None:
            self.pre_hooks = {}
        return self.pre_hooks.setdefault(nr, OrderedDict())

    def __call__(self, *grads: Any) -> Any:
        """The input gradients for these output gradients; hooks are not run."""
        given = [None if g is None else g for g in grads]
        results = tuple(
            None if r is None else self.as_tensor(r)
            for r in self.run(given, [edge.node is not None for edge in self.edges])
        )
        return results[0] if len(results) == 1 else results

    def run(self, grads: Sequence[Any], needed: Sequence[bool]) -> Sequence[Any]:
        """Input gradients from output gradients. Items are None, `Value`, or Tensor.

        ``needed`` says for which edges a gradient is wanted.
        """
        raise NotImplementedError

    as_tensor: Any = None
    """Make a Tensor of a Value; set where Tensor is defined."""

    def release(self) -> None:
        """Forget what was saved."""

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle '{type(self).__name__}' object")

    def __repr__(self):
        return f"<{type(self).__name__} object at {hex(id(self))}>"


def check_normal(tensor: Any) -> None:
    """Raise if ``tensor``, which is to be saved for backward, was made in inference mode."""
    if getattr(tensor, "_inference", False):
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
            "instead of `torch.inference_mode()`."
        )


class SavedTensor:
    """A tensor kept for backward, and the one place that checks that it has not changed since.

    An input is kept itself; an output is kept without its history, which would be a cycle. With
    hooks the tensor is not kept, only what the pack hook made of it and its place in the graph.
    """

    __slots__ = ("tensor", "version", "output_nr", "hooked")

    def __init__(self, tensor: Any, output_nr: int | None = None, node: Node | None = None):
        self.tensor = tensor
        self.version = tensor._counter.version
        self.output_nr = output_nr
        self.hooked = None
        if modes.state.saved_hooks:
            self._pack(*modes.state.saved_hooks[-1], node)

    @classmethod
    def empty(cls) -> SavedTensor:
        """Stands for None among saved tensors."""
        saved = object.__new__(cls)
        saved.tensor = saved.hooked = None
        return saved

    def register_hooks(self, pack_hook: Callable, unpack_hook: Callable) -> None:
        """Keep ``pack_hook(tensor)`` instead of the tensor; ``unpack_hook`` of it gives it back."""
        if self.hooked is not None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        if self.tensor is None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor with value None is forbidden"
            )
        self._pack(pack_hook, unpack_hook)

    def _pack(self, pack: Callable, unpack: Callable, node: Node | None = None) -> None:
        tensor = self.tensor
        given = tensor if node is None else tensor._with_history(node, self.output_nr)
        with modes.no_grad():
            packed = pack(given)
        if tensor._counter.version != self.version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as "
                "input to pack hook can not be modified by in-place operations as this can lead to "
                "unexpected side-effects. Make a copy in the hook."
            )
        edge = gradient_edge(tensor) if self.output_nr is None else NO_EDGE
        self.hooked = _Hooked(packed, unpack, edge, tensor._requires_grad)
        self.tensor = None

    def current(self, node: Node | None = None) -> Any:
        """The tensor as it was saved, without its history if it is an output."""
        if self.hooked is not None:
            return self.hooked.tensor()
        if self.tensor._counter.version != self.version:
            raise RuntimeError(_changed(self, node))
        return self.tensor

    def unpack(self, node: Node) -> Any:
        """The tensor with its history."""
        if self.tensor is None and self.hooked is None:
            return None
        tensor = self.current(node)
        if self.output_nr is None or not types.is_differentiable(tensor._aval.dtype):
            return tensor
        return tensor._with_history(node, self.output_nr)


class _Hooked(NamedTuple):
    """What is kept of a saved tensor with hooks."""

    packed: Any
    unpack: Callable
    edge: Edge
    requires_grad: bool

    def tensor(self) -> Any:
        """What the unpack hook gives, in the place of the graph where the saved tensor was."""
        result = self.unpack(self.packed)
        if not hasattr(result, "_with_history"):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(result).__name__}"
            )
        if self.edge.node is None:
            return result
        if isinstance(self.edge.node, AccumulateGrad):
            variable = self.edge.node.variable
            if result is variable:
                return variable
            leaf = result._alias()
            leaf._requires_grad, leaf._accumulator = True, weakref.ref(self.edge.node)
            return leaf
        return result._with_history(*self.edge)


def short_name(node: Node) -> str:
    """The name of a node in error messages: what was differentiated."""
    return re.sub(r"Backward\d*$", "", node.name())


def _changed(saved: SavedTensor, node: Node | None) -> str:
    tensor = saved.tensor
    source = node if saved.output_nr is not None else tensor._grad_fn
    number = saved.output_nr if saved.output_nr is not None else tensor._output_nr
    origin = f", which is output {number} of {short_name(source)}," if source is not None else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{tensor.type()} {list(tensor.shape)}]{origin} is at version "
        f"{tensor._counter.version}; expected version {saved.version} instead. Hint: "
        + (
            "the backtrace further above shows the operation that failed to compute its gradient. "
            "The variable in question was changed in there or anywhere later."
            if anomaly.enabled
            else "enable anomaly detection to find the operation that failed to compute its "
            "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )
    )


class Plan:
    """How one kernel is recorded when certain leaves need a gradient; shared by its nodes.

    ``leaves``: the leaf of each edge. ``needs``: the inputs (by position) whose formulas are
    consulted. ``fetch``: what is saved, as ("input", leaf) or ("output", number), in order.
    """

    def __init__(self, kernel: Kernel, needs: tuple[int, ...]):
        op: Op = kernel.fn
        self.kernel, self.op, self.needs = kernel, op, needs
        spans = leaf_spans(op, kernel.static)
        self.leaves = [leaf for i in op.differentiable for leaf in spans[i]]
        self.owners = [i for i in op.differentiable for _ in spans[i]]
        args = op.unbind(kernel.static, [_Leaf(i) for i in range(len(kernel.inputs))])
        self.layout: dict[str, Any] = {}
        self.fetch: list[tuple[str, int]] = []
        for index in needs:
            for item in op.saves[op.names[index]]:
                if item.name not in self.layout:
                    self.layout[item.name] = self._place(item, args)
        self.backwards: dict[tuple, Kernel] = {}
        last = max(i for i, o in enumerate(kernel.outputs) if types.is_differentiable(o.dtype))
        self.avals = kernel.outputs[: last + 1]
        self.missing = [None] * (len(kernel.outputs) - last - 1)
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
        return {
            name: items[place.index] if isinstance(place, _Slot)
            else tuple(items[p.index] if isinstance(p, _Slot) else p for p in place)
            if isinstance(place, tuple) and any(isinstance(p, _Slot) for p in place)
            else place
            for name, place in self.layout.items()
        }  # fmt: skip

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """All wanted formulas on arrays. ``static``: wanted inputs, and which gradients exist."""
        wanted, defined = static
        items = iter(arrays)
        grads = [
            next(items) if there else jnp.zeros(aval.shape, aval.dtype)
            for aval, there in zip(self.kernel.outputs, defined, strict=True)
        ]
        saved = self.arguments(list(items))
        results = []
        for index in wanted:
            result = self.op.apply_formula(self.op.names[index], grads, saved)
            leaves = [leaf for leaf, i in zip(self.leaves, self.owners, strict=True) if i == index]
            many = result if isinstance(result, tuple | list) else [result]
            for grad, leaf in zip(many, leaves, strict=True):
                aval = self.kernel.inputs[leaf]
                if isinstance(aval, Aval):
                    results.append(fit(grad, aval.shape, aval.dtype))
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


class SavedFloat(float):
    """A number where a formula expects a tensor: it has a conjugate."""

    def conj(self):
        """The number itself."""
        return float(self)


class SavedInt(int):
    """As `SavedFloat`."""

    def conj(self):
        """The number itself."""
        return int(self)


class SavedComplex(complex):
    """As `SavedFloat`."""

    def conj(self):
        """The complex conjugate."""
        return complex(self).conjugate()


SAVED_NUMBERS = {float: SavedFloat, int: SavedInt, bool: SavedInt, complex: SavedComplex}


class OpNode(Node):
    """The node of a declared op. ``saved`` is None once the node was released."""

    plan: Plan
    saved: list | None

    def __init__(self, plan: Plan, edges: tuple[Edge, ...], saved: list):
        self.sequence_nr = next(sequence_numbers)
        if anomaly.enabled:
            self.remember_origin()
        self.plan = plan
        self.edges = edges
        self.saved = saved
        self.avals = plan.avals

    def release(self):
        if self.plan.fetch:
            self.saved = None

    def run(self, grads, needed):
        if self.saved is None:
            raise RuntimeError(FREED)
        if not any(g is not None for g in grads):
            return [None] * len(self.edges)
        if modes.state.grad_enabled:
            return self._apply_recorded(grads, needed)
        plan = self.plan
        wanted = self._wanted(needed)
        if plan.missing:
            grads = [*grads, *plan.missing]
        leaves = [g if type(g) is Value else g._read() for g in grads if g is not None]
        key = (wanted, tuple([g is not None for g in grads]))
        leaves += [
            item.current(self)._read() if type(item) is SavedTensor else item
            for item in self.saved
        ]
        kernel = plan.backwards.get(key)
        if kernel is None or kernel.inputs[0] is not leaves[0].aval:
            kernel = plan.backwards[key] = kernel_of(plan, leaves, key)
        return self._scatter(wanted, run_kernel(kernel, leaves))

    def _wanted(self, needed: Sequence[bool]) -> tuple[int, ...]:
        plan = self.plan
        if all(needed) or len(plan.needs) == 1:
            return plan.needs
        asked = {owner for owner, need in zip(plan.owners, needed, strict=True) if need}
        return tuple(i for i in plan.needs if i in asked)

    def _scatter(self, wanted, results) -> list:
        """Results in the order of the edges."""
        items = iter(results)
        plan = self.plan
        if len(wanted) == len(results) == len(plan.leaves):
            return list(results)
        return [
            next(items) if owner in wanted and isinstance(plan.kernel.inputs[leaf], Aval) else None
            for owner, leaf in zip(plan.owners, plan.leaves, strict=True)
        ]

    def _apply_recorded(self, grads, needed):
        """The formulas op by op on Tensors, so that the result can be differentiated."""
        plan = self.plan
        saved = plan.arguments(self.unpack_all())
        full = [
            self.as_tensor(g) if g is not None else self.zeros(aval)
            for g, aval in zip([*grads, *plan.missing], plan.kernel.outputs, strict=True)
        ]
        wanted = self._wanted(needed)
        results = []
        for index in wanted:
            with owned_by(self.owner):
                result = plan.op.apply_formula(plan.op.names[index], full, saved)
            results.extend(result if isinstance(result, tuple | list) else [result])
        return self._scatter(wanted, results)

    def unpack_all(self) -> list:
        """What was saved, tensors with their history."""
        if self.saved is None:
            raise RuntimeError(FREED)
        return [
            x.unpack(self) if type(x) is SavedTensor
            else self.as_tensor(x) if type(x) is Value
            else SAVED_NUMBERS[type(x)](x)
            for x in self.saved
        ]  # fmt: skip

    owner: Any = None
    zeros: Any = None
    number: Any = None
    """Make a Tensor of zeros, and one of a number; set where Tensor is defined."""


@functools.cache
def node_class(op: Op) -> type[OpNode]:
    """The class of the nodes of ``op``, with PyTorch's name and ``_saved_*`` attributes."""
    names = dict.fromkeys(item.name for items in op.saves.values() for item in items)
    fields: dict[str, Any] = {}
    for name in names:
        fields[f"_saved_{name}"] = property(functools.partial(_saved_attribute, name))
        fields[f"_raw_saved_{name}"] = property(functools.partial(_raw_attribute, name))
    return type(op.grad_fn or op.name, (OpNode,), fields)


INPLACE_NAMES = {
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
    return cls if name is None else type(name, (cls,), {})


def _saved_attribute(name: str, node: OpNode):
    found = node.plan.arguments(node.unpack_all()).get(name)
    if isinstance(found, SavedFloat | SavedInt | SavedComplex):
        parameter = next((p for p in node.plan.op.params if p.name == name), None)
        number = found.conj()
        return node.number(number) if parameter is None or parameter.kind == "tensor" else number
    return found


def _raw_attribute(name: str, node: OpNode):
    if node.saved is None:
        return SavedTensor.empty()
    found = node.plan.arguments(node.saved).get(name)
    return SavedTensor.empty() if found is None else found


_accumulating = threading.RLock()
"""Held while a gradient is added, because several threads may share a leaf."""


class AccumulateGrad(Node):
    """The end of the graph: adds what arrives into the ``.grad`` of a leaf."""

    def __init__(self, variable: Any):
        self.sequence_nr = LEAF_SEQUENCE
        self.variable = variable
        self.avals = (variable._aval,)

    def run(self, grads, needed):
        if grads[0] is not None and self.variable.requires_grad:
            with _accumulating:
                self.variable._accumulate(grads[0])
        return ()


def gradient_edge(tensor: Any) -> Edge:
    """Where the gradient of ``tensor`` goes; `NO_EDGE` if it needs none."""
    node = tensor._current_grad_fn()
    if node is not None:
        return Edge(node, tensor._output_nr)
    if not tensor.requires_grad:
        return NO_EDGE
    return Edge(accumulator(tensor), 0)


def accumulator(tensor: Any) -> AccumulateGrad:
    """The one live `AccumulateGrad` of a leaf; the leaf holds it weakly."""
    node = tensor._accumulator() if tensor._accumulator is not None else None
    if node is None:
        node = AccumulateGrad(tensor)
        tensor._accumulator = weakref.ref(node)
    return node


def is_number(x: Any) -> bool:
    """Whether ``x`` is a number that may stand for a tensor."""
    return isinstance(x, NUMBERS)


def aval_of(x: Any) -> Aval:
    """Shape and dtype of a Value or of a host array."""
    return x.aval if type(x) is Value else Aval.of(np.shape(x), np.dtype(x.dtype))
