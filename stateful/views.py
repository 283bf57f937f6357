"""Storage, views, in-place writes and what they do to history.

A `Storage` is the only mutable cell. A tensor is (storage, view, history); a `View` is a chain of
steps from the storage's value. Reading replays the chain, once per value of the storage; writing
goes back through it. The formula of a view op already says "put these elements back", so there is
no second declaration for writing.

Rules of autograd for in-place operations:
https://pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from funcgrad.derivative import fit
from funcgrad.op import Op

from . import modes
from .execute import Value, execute, kernel_of
from .frames import widen
from .graph import Edge, Node, gradient_edge
from .rules import check_base, check_creation
from .writing import SHARING, pull_back, put, put_at_positions


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
    """A chain of steps, with the result for the value it was last applied to."""

    __slots__ = ("steps", "source", "value", "geometry")

    def __init__(self, steps: tuple[Step, ...], source: Value, value: Value):
        self.steps = steps
        self.source = source
        self.value = value
        self.geometry: Any = None


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
    base, steps = storage.value, view.steps
    if base.aval.dtype == value.aval.dtype and any(step.op.name in SHARING for step in steps):
        (storage.value,) = execute(put_at_positions, (base, value), steps)
    else:
        storage.value = put_back(steps, base, value)
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
    for step, below in zip(reversed(steps), reversed(bases), strict=True):
        (value,) = execute(put(step.op, step.output), (below, value), step.template)
    return value


# -- in-place writes and history -------------------------------------------------------------------


def relative_steps(view: Any) -> tuple[Step, ...]:
    """The steps from a view's base, which may itself be seen through a view, to the view."""
    base = view._base
    skip = len(base._view.steps) if base._view is not None else 0
    return view._view.steps[skip:]


def rebase_history(tensor: Any, node: Node, output_nr: int = 0) -> None:
    """Make ``node`` the history of a tensor that was just written to, and of its base."""
    if tensor._base is None:
        tensor._set_history(node, output_nr)
        return
    base = tensor._base
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
    if tensor.requires_grad and tensor._grad_fn is None:
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
    rebase_history(tensor, node, output_nr)


def current_grad_fn(tensor: Any) -> Node | None:
    """The history of a tensor; that of a view is renewed if its base was written to since."""
    base = tensor._base
    if base is None or tensor._grad_version == tensor._counter.version:
        return tensor._grad_fn
    if not base._requires_grad:
        return tensor._grad_fn
    check_creation(tensor, "its base or another view of its base has been")
    edge = gradient_edge(base)
    if _goes_by_steps(tensor):
        _replay(tensor)
    elif edge.node is not None:
        tensor._set_history(AsStridedBackward0(edge, tensor), 0)
    tensor._grad_version = tensor._counter.version
    return tensor._grad_fn


def _goes_by_steps(view: Any) -> bool:
    """Whether strides alone cannot tell how a view sees its base: another dtype, conjugates."""
    return view._base._aval.dtype != view._aval.dtype or any(
        step.op.name in ("_conj", "_neg_view") for step in relative_steps(view)
    )


def _replay(tensor: Any) -> None:
    """Renew the history of such a view: by the view ops, once more."""
    seen = tensor._base
    with modes.enable_grad():
        for step in relative_steps(tensor):
            seen = seen._apply_step(step)
    tensor._set_history(seen._grad_fn, seen._output_nr)


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
        with modes.set_grad_enabled(modes.state.grad_enabled):
            result = grad.clone()
            part = result
            for step in self.steps:
                part = part._apply_step(step)
            inner = list(self.node.run([part.clone()], [True, *needed[1:]]))
            with_self = inner[0] if inner else None
            if with_self is None:
                part.zero_()
            else:
                with_self = self._tensor(with_self)
                if modes.vmap.frames:
                    widen(part, with_self)
                part.copy_(with_self)
        return [result if needed[0] else None, *inner[1:]]

    _tensor: Any = None
    """Wraps a Value as a Tensor; set where Tensor is defined."""


class AsStridedBackward0(Node):
    """The renewed history of a view whose base was written to."""

    def __init__(self, edge: Edge, view: Any):
        super().__init__()
        self.edges, self.avals = (edge,), (view._aval,)
        self.steps, self.base_aval = relative_steps(view), view._base._aval
        self._saved_size, self._saved_stride = tuple(view.size()), tuple(view.stride())
        self._saved_storage_offset = view.storage_offset()

    def run(self, grads, needed):
        if grads[0] is None:
            return [None]
        if modes.state.grad_enabled:
            return [grads[0]._pull_back(self.steps, self.base_aval)]
        grad = grads[0] if type(grads[0]) is Value else grads[0]._read()
        return [pull_back_steps(self.steps, self.base_aval, grad)]


def pull_back_steps(steps: Sequence[Step], base_aval: Any, grad: Value) -> Value:
    """The gradient of a base from that of a view of it."""
    for step, aval in zip(reversed(steps), reversed(step_avals(steps, base_aval)), strict=True):
        (grad,) = execute(_pull_like(step, aval), (grad,), step.template)
    return grad


def step_avals(steps: Sequence[Step], aval: Any) -> list:
    """The aval that each step is applied to."""
    found = [aval]
    for step in steps[:-1]:
        outputs = kernel_of(step.op, (Value(found[-1]),), step.template).outputs
        found.append(outputs[step.output])
    return found


@functools.cache
def _pull_like(step: Step, aval: Any) -> _PullLike:
    return _PullLike(step, aval)


class _PullLike:
    """The gradient of a view op for an input of known aval."""

    def __init__(self, step: Step, aval: Any):
        self.step, self.aval = step, aval

    def run(self, static: tuple, arrays: Sequence):
        below = jnp.zeros(self.aval.shape, arrays[0].dtype)
        grad = pull_back(self.step.op, static, self.step.output, below, arrays[0])
        return fit(grad, below.shape, grad.dtype)

    trace = run
