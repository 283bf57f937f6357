"""Storage, views, in-place writes and what they do to history.

A `Storage` is the only mutable cell. A tensor is (storage, view, history); a `View` is a chain of
steps from the storage's value. Reading replays the chain, once per value of the storage; writing
goes back through it. The formula of a view op already says "put these elements back", so there is
no second declaration for writing.

Rules of autograd for in-place operations:
https://pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from funcgrad.op import Op
from funcgrad.ops.places import as_strided

from . import modes
from .execute import Value, execute
from .frames import widen
from .graph import Edge, Node, gradient_edge
from .renewal import AsStridedBackward0, renew, way
from .rules import check_base, check_creation
from .writing import SHARING, put, put_at_positions


class Counter:
    """Counts in-place writes. `Storage` is one; ``.data`` gets one of its own."""

    __slots__ = ("version",)

    def __init__(self, version: int = 0):
        self.version = version


class Storage(Counter):
    """The one mutable cell: a value shared by a tensor and its views."""

    __slots__ = ("value", "geometry", "__weakref__")

    def __init__(self, value: Value):
        self.value = value
        self.version = 0
        self.geometry = None


class Step(NamedTuple):
    """One view op with its static arguments, and which of its outputs is meant."""

    op: Op
    template: tuple
    output: int


class View:
    """A chain of steps, with the result for the value it was last applied to.

    ``stride``: None for that of rows one after another. A tensor that lies in memory in another
    order, and is no view, has a chain without steps.
    """

    __slots__ = ("steps", "source", "value", "geometry", "stride")

    def __init__(self, steps: tuple[Step, ...], source: Value, value: Value, stride: Any = None):
        self.steps = steps
        self.source = source
        self.value = value
        self.geometry: Any = None
        self.stride = stride


def read(storage: Storage, view: View | None) -> Value:
    """The current value seen through ``view``."""
    if view is None:
        return storage.value
    if view.source is not storage.value:
        view.value = apply_steps(view.steps, storage.value)
        view.source = storage.value
    return view.value


def write(storage: Storage, view: View | None, value: Value) -> None:
    """Make ``value`` what is seen through ``view``."""
    if view is None:
        storage.value = value
        return
    steps = view.steps
    storage.value = put_back(steps, storage.value, value) if steps else value
    if not any(step.op.name in SHARING for step in steps):
        view.source, view.value = storage.value, value


def apply_steps(steps: Sequence[Step], value: Value) -> Value:
    """The chain of view ops on a value."""
    for step in steps:
        value = execute(step.op, (value,), step.template)[step.output]
    return value


def put_back(steps: Sequence[Step], base: Value, value: Value) -> Value:
    """``base`` with the elements that the chain selects replaced by ``value``."""
    bases = [base]
    for step in steps[:-1]:
        bases.append(apply_steps((step,), bases[-1]))
    if any(step.op.name in SHARING for step in steps):
        kinds = [below.aval.dtype == value.aval.dtype for below in bases]
        first = len(kinds) - kinds[::-1].index(False) if False in kinds else 0
        if first < len(steps):  # the last of them that keep the dtype
            (value,) = execute(put_at_positions, (bases[first], value), tuple(steps[first:]))
            return put_back(steps[:first], base, value) if first else value
    for step, below in zip(reversed(steps), reversed(bases), strict=True):
        (value,) = execute(put(step.op, step.output), (below, value), step.template)
    return value


# -- in-place writes and history -------------------------------------------------------------------


def relative_steps(view: Any) -> tuple[Step, ...]:
    """The steps from a view's base, which may itself be seen through a view, to the view.

    If the ``.data`` of one of them was set: what the strides of the view show of the base.
    """
    if view._base._storage is not view._storage:
        place = (None, tuple(view.size()), view.stride(), view.storage_offset())
        return (Step(as_strided, as_strided.binder.bind(place, {})[1], 0),)
    if view._view is None:
        return ()
    base, steps = view._base, view._view.steps
    before = base._view.steps if base._view is not None else ()
    if steps[: len(before)] == before:
        return steps[len(before) :]
    return way(before, steps, base._storage.value.aval)  # the base had another shape


def is_elsewhere(view: Any) -> bool:
    """Whether the base has no elements in the places that a view with other ``.data`` shows."""
    base = view._base
    if base._storage is view._storage:
        return False
    last = sum((n - 1) * s for n, s in zip(view.size(), view.stride(), strict=True))
    fits = view.storage_offset() + last < base.numel() and base._aval.dtype == view._aval.dtype
    return not fits or base._view is not None or base._storage.geometry is not None


def rebase_history(tensor: Any, node: Node, output_nr: int = 0) -> None:
    """Make ``node`` the history of a tensor that was just written to, and of its base."""
    base = tensor._base
    if base is None or is_elsewhere(tensor):
        tensor._set_history(node, output_nr)
        return
    base_node = CopySlices(gradient_edge(base), relative_steps(tensor), base._aval, node)
    base._set_history(base_node, 0)
    tensor._requires_grad, tensor._grad_version = True, -1
    current_grad_fn(tensor)


def mark_view(tensor: Any, creation: str) -> Any:
    """Another tensor with the elements of ``tensor``, as a view of it; without history."""
    out = tensor._alias()
    out._base = tensor if tensor._base is None else tensor._base
    out._creation, out._grad_version = creation, out._counter.version
    return out


def rebase_function(tensor: Any, node: Node, output_nr: int, several: bool) -> None:
    """Make output ``output_nr`` of a custom function the history of a tensor that it overwrote."""
    if tensor.requires_grad and tensor._node is None:
        raise RuntimeError(
            "a leaf Variable that requires grad has been used in an in-place operation."
        )
    if tensor._base is not None and several:
        raise RuntimeError(
            "If your Function modifies inplace an input that is a view of another Tensor, your "
            "Function cannot return more than one Tensor. This is not supported by the current "
            "autograd engine. Either clone() the input first, or split the Function in two: one "
            "that overwrites and returns one Tensor, and one that does the rest."
        )
    if tensor._base is not None:
        check_base(tensor)
    tensor._grad = None  # as in PyTorch: it was that of what the tensor was before
    rebase_history(tensor, node, output_nr)


def current_grad_fn(tensor: Any) -> Node | None:
    """The history of a tensor; that of a view is renewed if its base was written to since."""
    base = tensor._base
    if base is None or tensor._grad_version == tensor._counter.version:
        return tensor._node
    if not (base._requires_grad or tensor._node):
        return None
    check_creation(tensor, "its base or another view of its base has been")
    if is_elsewhere(tensor):
        return tensor._node
    renew(tensor, relative_steps(tensor))
    tensor._grad_version = tensor._counter.version
    return tensor._node


class CopySlices(Node):
    """The history of a base after ``node`` wrote to a view of it.

    The gradient of what was written goes through ``node``; that of the rest passes by.
    """

    def __init__(self, base_edge: Edge, steps: tuple[Step, ...], aval: Any, node: Node):
        super().__init__()
        self.steps, self.node, self.avals = steps, node, (aval,)
        self.edges = (base_edge, *node.edges[1:])

    def release(self):
        if self.node is not None:
            self.node.release()

    def run(self, grads, needed):
        if grads[0] is None:
            return [None] * len(self.edges)
        grad = self._tensor(grads[0])
        recorded = modes.state.grad_enabled and grad.requires_grad
        with modes.set_grad_enabled(modes.state.grad_enabled):
            part = result = grad.detach().clone().copy_(grad) if recorded else grad.clone()
            for step in self.steps:
                part = part._apply_step(step)
            if recorded and part is not result:
                renew(part, self.steps)
            outside, modes.state.slices = modes.state.slices, self
            try:
                inner = list(self.node.run([part.clone()], [True, *needed[1:]]))
            finally:
                modes.state.slices = outside
            with_self = inner[0] if inner else None
            if with_self is None:
                part.zero_()
            else:
                with_self = self._tensor(with_self)
                if modes.vmap.frames:
                    widen(part, with_self)
                part.copy_(with_self)
        return [result if needed[0] else None, *inner[1:]]

    def seen_by(self, view: Any) -> Node:
        """The history of the view that ``node`` wrote to, as it was after that."""
        return AsStridedBackward0(Edge(self, 0), self.steps, self.avals[0], view)

    _tensor: Any = None
    """Wraps a Value as a Tensor; set where Tensor is defined."""
