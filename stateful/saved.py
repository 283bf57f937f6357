"""What a node keeps for backward: tensors that must not change, and numbers."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from funcgrad import types

from . import modes
from .graph import NO_EDGE, AccumulateGrad, Edge, Node, gradient_edge, short_name
from .modes import anomaly, state


def check_normal(tensor: Any) -> None:
    """Raise if ``tensor``, which is to be saved for backward, was made in inference mode."""
    if getattr(tensor, "_inference", False):
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
            "instead of `torch.inference_mode()`."
        )


def check_hooks(pack: Any, unpack: Any) -> None:
    """Raise if a pair of hooks cannot be called."""
    for hook in (pack, unpack):
        if not callable(hook):
            raise TypeError(
                "incompatible function arguments: a pack hook and an unpack hook must be "
                f"callable, but one is of type {type(hook).__name__}"
            )


Kept = tuple[Any, int, int | None]
"""What becomes a `SavedTensor` when somebody asks for one; a pass as one kernel never does.

An input is kept as (tensor, version, None), an output as (storage, version, its number).
"""


class SavedTensor:
    """A tensor kept for backward, and the one place that checks that it has not changed since.

    An input is kept itself; an output is kept without its history, which would be a cycle. With
    hooks the tensor is not kept, only what the pack hook made of it and its place in the graph.
    """

    __slots__ = ("tensor", "version", "output_nr", "hooked", "node")
    tensor: Any
    hooked: _Hooked | None

    @classmethod
    def of(cls, tensor: Any, version: int, output_nr: int | None) -> SavedTensor:
        """A tensor at a version, without the hooks of the present."""
        saved = object.__new__(cls)
        saved.tensor, saved.version, saved.output_nr = tensor, version, output_nr
        saved.hooked = None
        return saved

    @classmethod
    def unfold(cls, kept: Kept) -> SavedTensor:
        """What was kept without ceremony, because nobody had hooks when it was saved."""
        holder, version, nr = kept
        return cls.of(holder if nr is None else cls.on_storage(holder), version, nr)

    on_storage: Any = None
    """A Tensor that is all of a storage; set where Tensor is defined."""

    def __init__(self, tensor: Any, output_nr: int | None = None, node: Node | None = None):
        self.tensor, self.version = tensor, tensor._counter.version
        self.output_nr, self.hooked = output_nr, None
        if state.saved_hooks:
            pack, unpack = state.saved_hooks[-1]
            self.pack(pack, unpack, node)

    @classmethod
    def empty(cls) -> SavedTensor:
        """Stands for None among saved tensors."""
        saved = object.__new__(cls)
        saved.tensor = saved.hooked = None
        return saved

    def register_hooks(self, pack_hook: Callable, unpack_hook: Callable) -> None:
        """Keep ``pack_hook(tensor)`` instead of the tensor; ``unpack_hook`` of it gives it back."""
        reference = getattr(self, "node", None)
        node = None if reference is None else reference()
        if node is not None and node.saved is None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor after it has been freed. Saved "
                "intermediate values of the graph are freed by .backward() or autograd.grad(): "
                "specify retain_graph=True to keep them."
            )
        if self.hooked is not None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        if self.tensor is None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor with value None is forbidden"
            )
        check_hooks(pack_hook, unpack_hook)
        self.pack(pack_hook, unpack_hook)

    def pack(self, pack: Callable, unpack: Callable, node: Node | None = None) -> None:
        """Keep ``pack(tensor)`` in place of the tensor. ``node``: whose output it is, if it is."""
        tensor = self.tensor
        recorded = node is not None and self._has_history(node)
        given = tensor._with_history(node, self.output_nr) if recorded else tensor
        with modes.no_grad():
            packed = pack(given)
        if tensor._counter.version != self.version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as "
                "input to pack hook cannot be modified by in-place operations as this can lead to "
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
        if self.output_nr is None or not self._has_history(node):
            return tensor
        if state.slices is not None and state.slices.node is node:
            return tensor._with_history(state.slices.seen_by(tensor), 0)
        return tensor._with_history(node, self.output_nr)

    def _has_history(self, node: Node) -> bool:
        """Whether the output that is kept has a gradient; the indices of a maximum have none."""
        nr: Any = self.output_nr
        if node.plan is not None:
            return nr in node.plan.outputs
        return types.is_differentiable(node.avals[nr].dtype)


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


def _changed(saved: SavedTensor, node: Node | None) -> str:
    tensor = saved.tensor
    source = node if saved.output_nr is not None else tensor._node
    number = saved.output_nr if saved.output_nr is not None else tensor._output_nr
    origin = f", which is output {number} of {short_name(source)}," if source is not None else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{tensor.type()} {list(tensor.shape)}]{origin} is at version "
        f"{tensor._counter.version}; expected version {saved.version} instead. Hint: "
        + (
            "the backtrace further above shows the operation that failed to compute its gradient. "
            "The variable in question was changed in there or anywhere later. Good luck!"
            if anomaly.enabled
            else "enable anomaly detection to find the operation that failed to compute its "
            "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )
    )


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
