"""How the gradients that a node computes lie in memory: as its formulas on Tensors make them.

The gradient of a sum is one element that is shown everywhere, that of `t` is the transposed
gradient, and an addition hands on the very tensor that it got. The formulas say so themselves, as
they are written in our ops. To run a node as one kernel is faster and gives the same numbers, so
the formulas are run once on tensors without elements, and it is remembered what became of them:
where all results are new rows of memory the kernel serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import modes
from .conjugates import flipped, pending
from .dispatch import wrap
from .engine import Task, reaching, running
from .execute import Aval, Value, kernel_of
from .geometry import is_contiguous
from .graph import AccumulateGrad, Node
from .layout import is_default, lay, place, steps_of
from .layout import of as geometry_of
from .nodes import OpNode, Plan
from .result_layouts import of_saved, stride_of
from .saved import SAVED_NUMBERS
from .thread_policy import run_by
from .watching import Hooks

Places = list[tuple[int, Any]]
"""(result, gradient): which results are gradients that came in. (result, strides): which lie in
memory in another way than row by row. The others are new rows of memory."""


class Unread(Exception):
    """Raised where a formula asks for the elements of a tensor that has none."""


class _Nothing:
    """Will never compute a value."""

    @staticmethod
    def flush() -> None:
        """Raise `Unread`."""
        raise Unread


NOTHING = _Nothing()


def sign(grad: Any) -> Any:
    """What is particular about how a gradient lies in memory; None for one row, False for none."""
    if type(grad) is Value:
        return None
    if grad is None:
        return False
    if is_default(grad):
        return None
    geometry, bits = geometry_of(grad), pending(grad)
    if is_contiguous(geometry) and not any(bits):
        return None
    return geometry._replace(offset=0), bits


def of_results(node: OpNode, wanted: tuple[int, ...], grads: Sequence[Any]) -> Places | None:
    """How the results of the formulas of the inputs ``wanted`` lie in memory.

    None if some are views, whose memory only the formulas on Tensors can tell. What nobody will see
    does not count.
    """
    plan = node.plan
    shown = _shown(node, wanted)
    if not shown:
        return []
    signs = tuple([None if type(g) is Value else sign(g) for g in grads])
    strides = node.strides(node) if plan.strided else None
    key = wanted, shown, signs, strides and tuple(strides.values())
    try:
        return plan.layouts[key]
    except KeyError:
        found = plan.layouts[key] = _found(plan, wanted, shown, signs, strides)
        return found


def _shown(node: OpNode, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The inputs among ``wanted`` whose gradients somebody may see."""
    if not running.tasks:
        return wanted
    seen = _seen(running.tasks[-1])
    pairs = zip(node.targets, node.plan.owners, strict=True)
    return tuple([owner for following, owner in pairs if following in seen and owner in wanted])


def _seen(task: Task) -> set[Node]:
    """The nodes of a pass whose gradients somebody sees, or which lead to such nodes."""
    if task.seen is None:
        kinds = OpNode if task.lends else OpNode | AccumulateGrad
        watched = {
            node for node in task.dependencies
            if node in task.captures or node.watched or not isinstance(node, kinds)
        }  # fmt: skip
        task.seen = reaching(task.dependencies, watched)
    return task.seen


NEW = frozenset({"NativeGroupNormBackward0"})
"""Nodes whose results are new memory in PyTorch, where our formulas end in a view."""


def _found(
    plan: Plan, wanted: tuple[int, ...], shown: tuple[int, ...], signs: tuple, strides: Any
) -> Places | None:
    if plan.op.grad_fn in NEW:
        return []
    with run_by(_nothing), modes.no_grad():
        given = [
            None if sign is False else stand_in(Value(aval, None, NOTHING), sign)
            for aval, sign in zip(plan.avals, signs, strict=True)
        ] + plan.missing
        saved = [
            lay(wrap(Value(kind, None, NOTHING)), stride)
            if isinstance(kind, Aval)
            else SAVED_NUMBERS[kind](3)
            for kind, stride in zip(plan.saved_kinds, of_saved(plan), strict=True)
        ]
        try:
            results = plan.on_tensors(wanted, given, saved, strides)
            kinds = plan.results(wanted)
            results = [fitted(r, aval) for r, (_, aval) in zip(results, kinds, strict=True)]
        except Exception:  # a formula that wants arrays, or elements: its kernel will do
            return []
    numbers = {id(g): i for i, g in enumerate(given) if g is not None}
    places = [(i, numbers[id(r)]) for i, r in enumerate(results) if id(r) in numbers]
    made = [
        result for result, (owner, _) in zip(results, kinds, strict=True)
        if owner in shown and result is not None and id(result) not in numbers
    ]  # fmt: skip
    if any(steps_of(result) for result in made):
        return None
    lie = {id(result): stride_of(result) for result in made}
    return places + [(i, lie[id(r)]) for i, r in enumerate(results) if lie.get(id(r))]


def placed(result: Any, place: Any, grads: Sequence[Any]) -> Any:
    """A result of a formula as `Places` say: with these strides, or a gradient that came in."""
    return lay(Hooks.as_tensor(result), place) if type(place) is tuple else grads[place]


def fitted(result: Any, aval: Aval) -> Any:
    """What a formula gave, as a Tensor in the shape and dtype of where it goes."""
    return result if result is None or result._aval is aval else result._fit(aval)


def stand_in(value: Value, sign: Any) -> Any:
    """A tensor without elements that lies in memory as ``sign`` says."""
    out = wrap(value)
    if sign is None:
        return out
    geometry, bits = sign
    place(out, geometry)
    return flipped(out, bits)


def _nothing(fn: Any, static: tuple, leaves: Sequence) -> tuple[Any, list[Value]]:
    """The policy that computes nothing."""
    kernel = kernel_of(fn, leaves, static)
    return kernel, [Value(aval, None, NOTHING) for aval in kernel.outputs]


OpNode.placed = staticmethod(placed)
OpNode.lying, Hooks.sign = staticmethod(of_results), staticmethod(sign)
