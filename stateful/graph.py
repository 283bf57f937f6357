"""The backward graph: nodes, the edges between them, and its ends at the leaves.

What a node of an op saves is in ``saved.py``, how it computes in ``nodes.py``.
"""

from __future__ import annotations

import itertools
import operator
import re
import threading
import traceback
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .execute import Aval
from .hooks import RemovableHandle, attach
from .input_metadata import InputMetadata
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


REFERENCED = ("__weakref__",)
"""What every node has: weak references to it."""


class Node:
    """A step of the backward graph: takes the gradients of its outputs, gives those of its inputs.

    ``targets``: the node that each input gradient goes to, None where nobody wants it; ``numbers``:
    which of that node's outputs it belongs to. ``avals``: shape and dtype of each output.

    Nodes of ops and of leaves, which in PyTorch are no Python objects, have no place for a user's
    own attributes.
    """

    __slots__ = REFERENCED  # the other names are the subclasses' business

    targets: tuple[Node | None, ...] = ()
    numbers: tuple[int, ...] = ()
    avals: tuple[Aval, ...] = ()
    sequence_nr: float = 0
    plan: Any = None
    """How the gradients of an op are computed; None for nodes of another kind."""
    watched: bool = False
    """Whether there is, or was, a hook of any kind, or a tensor that keeps its gradient."""
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
    def edges(self) -> tuple[Edge, ...]:
        """Where each input gradient goes."""
        return tuple(map(Edge, self.targets, self.numbers))

    @edges.setter
    def edges(self, edges: Sequence[Edge]) -> None:
        self.targets = tuple([node for node, _ in edges])
        self.numbers = tuple([nr for _, nr in edges])

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that receive this node's results, each with the output number it stands for."""
        return tuple(zip(self.targets, self.numbers, strict=True))

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

    def _set_sequence_nr(self, number: int) -> None:
        if operator.index(number) < 0:
            raise OverflowError(f"can't convert negative int to unsigned, but got {number}")
        self.sequence_nr = number

    requires_grad = True

    @property
    def _input_metadata(self) -> tuple[InputMetadata, ...]:
        return tuple(InputMetadata(aval) for aval in self.avals)

    def register_hook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` after this node; it may return others."""
        self.watched = True
        if self.node_hooks is None:
            self.node_hooks = OrderedDict()
        return attach(self.node_hooks, fn)

    def register_prehook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before this node; it may return other grad_outputs."""
        self.watched = True
        if self.node_pre_hooks is None:
            self.node_pre_hooks = OrderedDict()
        return attach(self.node_pre_hooks, fn)

    def _register_hook_dict(self, tensor: Any) -> None:
        self.tensor_hooks(tensor._output_nr)

    def tensor_hooks(self, nr: int) -> OrderedDict:
        """The hooks on the gradient of output ``nr``."""
        self.watched = True
        if self.pre_hooks is None:
            self.pre_hooks = {}
        return self.pre_hooks.setdefault(nr, OrderedDict())

    def __call__(self, *grads: Any) -> Any:
        """The input gradients for these output gradients; hooks are not run."""
        if len(grads) != len(self.avals):
            raise TypeError(f"expected {len(self.avals)} arguments, got {len(grads)} instead")
        for i, grad in enumerate(grads):
            if grad is not None and not hasattr(grad, "_aval"):
                raise TypeError(f"argument {i} is not a Variable, but {type(grad).__name__}")
        results = tuple(
            None if r is None else self.as_tensor(r)
            for r in self.run(list(grads), [node is not None for node in self.targets])
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


def short_name(node: Node) -> str:
    """The name of a node in error messages: what was differentiated."""
    return re.sub(r"Backward\d*$", "", node.name())


accumulating = threading.RLock()
"""Held while a gradient is added, because several threads may share a leaf."""


class AccumulateGrad(Node):
    """The end of the graph: adds what arrives into the ``.grad`` of a leaf."""

    __slots__ = (
        "variable", "avals", "sequence_nr", "_watched", "retained", "node_pre_hooks", "node_hooks",
        "_metadata",
    )  # fmt: skip

    @property
    def watched(self) -> bool:
        """As for other nodes; here the hooks of the leaf count too."""
        leaf = self.variable
        return self._watched or bool(leaf._hooks or leaf._post_accumulate_hooks or leaf._grad_aval)

    @watched.setter
    def watched(self, value: bool) -> None:
        self._watched = value

    def __init__(self, variable: Any):
        self.sequence_nr, self._watched = LEAF_SEQUENCE, False
        self.retained = self.node_pre_hooks = self.node_hooks = self._metadata = None
        if anomaly.enabled:
            self.remember_origin()
        self.variable = variable
        plain = variable._view is None and variable._grad_aval is None
        aval = variable._storage.value.aval if plain else variable._grad_aval or variable._aval
        self.avals = (aval,)

    def run(self, grads, needed):
        with accumulating:
            self.add(grads[0])
        return ()

    def add(self, grad: Any) -> None:
        """Add a gradient, while `accumulating` is held."""
        leaf = self.variable
        if leaf._requires_grad or leaf.requires_grad:
            leaf._accumulate(grad)


def gradient_edge(tensor: Any) -> Edge:
    """Where the gradient of ``tensor`` goes; `NO_EDGE` if it needs none."""
    node = tensor._node if tensor._base is None else tensor._current_grad_fn()
    if node is not None:
        return Edge(node, tensor._output_nr)
    if not tensor._requires_grad:  # also a view made under `no_grad` of what requires grad
        return NO_EDGE
    return Edge(accumulator(tensor), 0)


def accumulator(tensor: Any) -> AccumulateGrad:
    """The one live `AccumulateGrad` of a leaf; the leaf holds it weakly."""
    node = tensor._accumulator() if tensor._accumulator is not None else None
    if node is None:
        node = AccumulateGrad(tensor)
        tensor._accumulator = weakref.ref(node)
    return node
