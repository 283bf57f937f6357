"""The history that a view gets when its base was written to.

PyTorch sees the base as it is now through the strides of the view. Where strides alone cannot tell
how a view sees its base, as with another dtype or conjugates, the ops that say so are called again,
and each view that was taken since then goes by strides of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from funcgrad.derivative import fit
from funcgrad.ops.view import t, transpose, view_size

from . import modes
from .execute import Value, execute, kernel_of
from .graph import Edge, Node, gradient_edge
from .writing import pull_back

BY_CALLS = frozenset("_conj _neg_view view_as_complex view_as_real".split())
"""View ops of which strides alone do not tell what they show."""


def renew(view: Any, steps: Sequence) -> None:
    """Give a view, ``steps`` from its base, the history that follows from the base as it is."""
    seen, parts = view._base, _parts(steps)
    for number, part in enumerate(parts):
        if part and part[0].op.name in BY_CALLS:
            with modes.enable_grad():
                seen = seen._apply_step(part[0])
            continue
        edge, aval = gradient_edge(seen), seen._aval
        if number == len(parts) - 1:
            seen = view
        else:
            with modes.no_grad():
                for step in part:
                    seen = seen._apply_step(step)
        seen._set_history(AsStridedBackward0(edge, part, aval, seen), 0)
    if seen is not view:
        view._set_history(seen._node, seen._output_nr)


def _parts(steps: Sequence) -> list[Sequence]:
    """The steps that one node stands for each: the first that go by strides are one."""
    first = next((i for i, step in enumerate(steps) if step.op.name in BY_CALLS), len(steps))
    lead = [steps[:first]] if first or not steps else []
    return lead + [(step,) for step in steps[first:]]


class AsStridedBackward0(Node):
    """The renewed history of a view, ``steps`` from what has ``aval``."""

    def __init__(self, edge: Edge, steps: Sequence, aval: Any, view: Any):
        super().__init__()
        self.edges, self.avals = (edge,), (view._aval,)
        self.steps, self.base_aval = steps, aval
        self._saved_size, self._saved_stride = tuple(view.size()), tuple(view.stride())
        self._saved_storage_offset = view.storage_offset()

    def run(self, grads, needed):
        if grads[0] is None:
            return [None]
        if modes.state.grad_enabled:
            return [grads[0]._pull_back(self.steps, self.base_aval)]
        grad = grads[0] if type(grads[0]) is Value else grads[0]._read()
        return [pull_back_steps(self.steps, self.base_aval, grad)]


def pull_back_steps(steps: Sequence, base_aval: Any, grad: Value) -> Value:
    """The gradient of a base from that of a view of it."""
    for step, aval in zip(reversed(steps), reversed(step_avals(steps, base_aval)), strict=True):
        (grad,) = execute(_pull_like(step, aval), (grad,), step.template)
    return grad


def step_avals(steps: Sequence, aval: Any) -> list:
    """The aval that each step is applied to."""
    found = [aval]
    for step in steps[:-1]:
        outputs = kernel_of(step.op, (Value(found[-1]),), step.template).outputs
        found.append(outputs[step.output])
    return found[: len(steps)]


def way(there: Sequence, here: Sequence, aval: Any) -> tuple:
    """The steps that lead from what is seen by the steps ``there`` to what is seen by ``here``.

    Those that come only in ``there`` are of changes of shape in place, which are taken back.
    """
    pairs = zip(there, here, strict=False)
    shared = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(there), len(here)))
    avals = step_avals(there, aval)
    back = [_undone(there[i], avals[i]) for i in reversed(range(shared, len(there)))]
    return (*back, *here[shared:])


def _undone(step: Any, before: Any) -> Any:
    """The step back to what had this aval: a swap once more, or the shape of then."""
    if step.op in (t, transpose):
        return step
    return type(step)(view_size, view_size.binder.bind((None, before.shape), {})[1], 0)


@functools.cache
def _pull_like(step: Any, aval: Any) -> _PullLike:
    return _PullLike(step, aval)


class _PullLike:
    """The gradient of a view op for an input of known aval."""

    def __init__(self, step: Any, aval: Any):
        self.step, self.aval = step, aval

    def run(self, static: tuple, arrays: Sequence):
        below = jnp.zeros(self.aval.shape, arrays[0].dtype)
        grad = pull_back(self.step.op, static, self.step.output, below, arrays[0])
        return fit(grad, below.shape, grad.dtype)

    trace = run
