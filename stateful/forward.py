"""Forward mode: tangents that travel with tensors, one for each open level.

A formula is the adjoint of the derivative, so a tangent is pushed forward by the transposed
formula. If nothing is recorded that is one kernel. If something is, the formula runs on Tensors
with a stand-in for the gradient and is differentiated with respect to the stand-in (it is linear in
it): so the tangent has a history of its own, and reverse over forward works.

Levels nest. The tangent of a tensor is a tensor that may have tangents of the outer levels, and
what is computed for a level is pushed forward in the outer ones. So a level that was opened later
is differentiated by the one that was open before, and never the other way round.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from funcgrad import types
from funcgrad.derivative import push_forward
from funcgrad.mode import owned_by
from funcgrad.op import Op

from . import modes
from .backward import grad as autograd_grad
from .backward import zeros
from .dispatch import OWNER, Face, call, call_inplace, wrap
from .execute import Value, execute, kernel_of
from .forward_dtypes import are_mixed, in_one_dtype
from .frames import widen
from .graph import Node, gradient_edge
from .no_forward import check_forward
from .nodes import OpNode, leaf_spans
from .saved import SAVED_NUMBERS
from .views import mark_view, relative_steps


class Level:
    """An open level: which tensors have a tangent in it. ``outer``: where it is differentiated."""

    def __init__(self, nests: bool = False):
        if modes.forward.level is not None and not (nests and modes.forward.level.nests):
            raise RuntimeError(
                "Nested forward mode AD is not supported at the moment: a level is open already. "
                "Nest torch.func.jvp instead."
            )
        self.nests = nests
        self.before = modes.forward.level
        self.outer = self.before if modes.forward.active else None
        self.duals: list[weakref.ref] = []
        modes.forward.level = self

    def close(self) -> None:
        """Forget all tangents."""
        for reference in self.duals:
            tensor = reference()
            if tensor is not None and tensor._tangents is not None:
                tensor._tangents.pop(self, None)
        modes.forward.level = self.before


def levels() -> list[Level]:
    """The levels in which tangents are pushed, the outermost first."""
    found, level = [], modes.forward.level
    while level is not None:
        found.insert(0, level)
        level = level.outer
    return found


def tangent_of(tensor: Any, level: Level | None = None) -> Any:
    """The tangent of a tensor in a level (the innermost), or None.

    That of a view is a view of its base's.
    """
    level = modes.forward.level if level is None else level
    if level is None:
        return None
    own = getattr(tensor, "_tangents", None)
    if own is not None and level in own:
        return own[level]
    base = getattr(tensor, "_base", None)
    if base is None or base._tangents is None or base._tangents.get(level) is None:
        return None
    set_tangent(tensor, _seen(base._tangents[level], tensor, level), level)
    return tensor._tangents[level]


def _seen(tangent: Any, view: Any, level: Level) -> Any:
    """The tangent of a base through the steps to a view of it."""
    with outside(level):
        for step in relative_steps(view):
            tangent = tangent._apply_step(step)
    return tangent


def set_tangent(tensor: Any, tangent: Any, level: Level | None = None) -> None:
    """Give ``tensor`` a tangent in a level (the innermost)."""
    if tangent._aval.shape != tensor._aval.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the "
            f"given forward gradient is of size {list(tangent.shape)}."
        )
    level = modes.forward.level if level is None else level
    assert level is not None
    _note(tensor, level, tangent)
    level.duals.append(weakref.ref(tensor))


def _note(tensor: Any, level: Level, tangent: Any) -> None:
    if tensor._tangents is None:
        tensor._tangents = {}
    tensor._tangents[level] = tangent


class outside:  # noqa: N801 (used as a function)
    """Inside, tangents are pushed in the levels outside of ``level`` only."""

    def __init__(self, level: Level):
        self._outer = level.outer

    def __enter__(self):
        forward = modes.forward
        self._previous = forward.level, forward.active
        forward.level, forward.active = self._outer, self._outer is not None

    def __exit__(self, *exc):
        modes.forward.level, modes.forward.active = self._previous


class paused:  # noqa: N801 (used as a function)
    """Inside, no tangents are pushed forward."""

    def __init__(self, active: bool = False):
        self._active = active

    def __enter__(self):
        self._previous, modes.forward.active = modes.forward.active, self._active

    def __exit__(self, *exc):
        modes.forward.active = self._previous


def carried(tensor: Any) -> Any:
    """``tensor`` without its history, but with its tangent."""
    out = tensor.detach()
    for level in levels():
        tangent = tangent_of(tensor, level)
        if tangent is not None:
            set_tangent(out, tangent, level)
    return out


def bare(tensor: Any) -> Any:
    """``tensor`` without history, and so its tangents."""
    out = tensor.detach()
    for level in levels():
        tangent = tangent_of(tensor, level)
        if tangent is not None:
            set_tangent(out, bare(tangent), level)
    return out


# -- ops -------------------------------------------------------------------------------------------


def push(op: Op, template: tuple, leaves: Sequence, outs: Sequence) -> None:
    """Give the outputs of a call their tangents, in the outermost level first."""
    if modes.state.inference:
        return
    for level in levels():
        tangents = [tangent_of(leaf, level) for leaf in leaves]
        check_forward(op, tangents)
        if not op.vjp:
            continue
        if any(t is not None for t in tangents):
            with outside(level):
                given: tuple = (leaves, tangents, outs)
                if are_mixed(leaves, tangents) and not op.is_view:
                    given = in_one_dtype(op, template, *given)
                found = _pushed(op, template, *given)
            _give(outs, found, level)


def _pushed(
    op: Op, template: tuple, leaves: Sequence, tangents: Sequence, outs: Sequence
) -> Sequence:
    """The tangents of the outputs in one level."""
    if op.is_view:
        return _again(op, template, tangents[0])
    if modes.state.grad_enabled and _any_requires_grad(leaves, tangents):
        return _unshared(_recorded(op, template, leaves, tangents, outs), tangents)
    if _any_dual(leaves, tangents):
        found = _unshared(_recorded(op, template, leaves, tangents, outs), tangents)
        return [None if t is None else bare(t) for t in found]
    return _computed(op, template, leaves, tangents)


def _unshared(found: Sequence, tangents: Sequence) -> list:
    """New tangents: where a formula hands one on as it is, a copy, for it may be written to."""
    given = {id(t._storage) for t in tangents if t is not None}
    return [t.clone() if t is not None and id(t._storage) in given else t for t in found]


def _give(outs: Sequence, found: Sequence, level: Level) -> None:
    for out, tangent in zip(outs, found, strict=True):
        if tangent is not None and types.is_differentiable(out._aval.dtype):
            set_tangent(out, tangent, level)
            if out._node is not None:
                saved = out._node.saved_items() if isinstance(out._node, OpNode) else ()
                _tell_saved(out, saved, tangent, level)


def _tell_saved(out: Any, saved: Sequence | None, tangent: Any, level: Level) -> None:
    """A node that keeps its own output keeps the tangent too."""
    for item in saved or ():
        tensor = getattr(item, "tensor", None)
        if tensor is not None and tensor is not out and tensor._storage is out._storage:
            if getattr(item, "output_nr", None) == out._output_nr:
                set_tangent(tensor, tangent, level)


def push_view(source: Any, view: Any, step: Callable[[Any], Any]) -> None:
    """Give a view that no op made the tangents of its source, seen through ``step``."""
    for level in levels():
        tangent = tangent_of(source, level)
        if tangent is not None:
            with outside(level):
                set_tangent(view, step(tangent), level)


def _any_dual(leaves: Sequence, tangents: Sequence) -> bool:
    """Whether anything has a tangent in a level further out."""
    open_levels = levels()
    return any(
        tangent_of(x, level) is not None for x in (*leaves, *tangents) for level in open_levels
    )


def _any_requires_grad(leaves: Sequence, tangents: Sequence) -> bool:
    return any(getattr(x, "_requires_grad", False) for x in (*leaves, *tangents))


def _again(op: Op, template: tuple, tangent: Any) -> Sequence:
    """A view op on the tangent of its input."""
    args = op.unbind(template, [tangent])
    named = zip(op.names[op.positional :], args[op.positional :], strict=True)
    result = call(op, args[: op.positional], dict(named))
    return result if isinstance(result, tuple | list) else [result]


class PushForward:
    """An op's transposed formulas as one kernel; ``static``: template, which tangents exist."""

    def __init__(self, op: Op):
        self.op = op

    def run(self, static: tuple, arrays: Sequence):
        """The tangents of all outputs; ``arrays``: the leaves, then the tangents."""
        template, there = static
        return self._push(static, arrays, self.op.run(template, arrays[: len(there)]))

    def trace(self, static: tuple, arrays: Sequence):
        """As `run`, to be differentiated from outside."""
        template, there = static
        return self._push(static, arrays, self.op.trace(template, arrays[: len(there)]))

    def _push(self, static, arrays, out):
        template, there = static
        items = iter(arrays[len(there) :])
        tangents = [next(items) if has else None for has in there]
        found = push_forward(self.op, template, arrays[: len(there)], tangents, out)
        found = found if isinstance(found, tuple | list) else (found,)
        return tuple(t for t in found if t.dtype != jax.dtypes.float0)

    def __repr__(self):
        return f"push_{self.op.name}"


_pusher = functools.cache(PushForward)


def _computed(op: Op, template: tuple, leaves: Sequence, tangents: Sequence) -> list:
    tangents = _complete(op, template, leaves, tangents)
    values = [x._read() if isinstance(x, Face.tensor) else x for x in leaves]
    dots = [t._read() for t in tangents if t is not None]
    there = tuple([t is not None for t in tangents])
    results = iter(execute(_pusher(op), [*values, *dots], (template, there)))
    flows = _flows(op, template, values)
    return [wrap(next(results)) if flow else None for flow in flows]


def _complete(op: Op, template: tuple, leaves: Sequence, tangents: Sequence) -> list:
    """Zeros for the missing tangents of a list of tensors that has some."""
    full = list(tangents)
    for entry, span in zip(template, leaf_spans(op, template), strict=True):
        if isinstance(entry, tuple) and any(full[i] is not None for i in span):
            for i in span:
                full[i] = zeros(leaves[i]._aval) if full[i] is None else full[i]
    return full


def _flows(op: Op, template: tuple, values: Sequence) -> list[bool]:
    """Which outputs can have a tangent."""
    return [types.is_differentiable(a.dtype) for a in kernel_of(op, values, template).outputs]


def _recorded(
    op: Op, template: tuple, leaves: Sequence, tangents: Sequence, outs: Sequence
) -> list:
    args = op.unbind(template, [_operand(x) for x in leaves])
    dots = op.unbind(template, tangents)
    totals: list = [None] * len(outs)
    for index in op.differentiable:
        given = dots[index] if isinstance(dots[index], tuple) else (dots[index],)
        if all(not isinstance(t, Face.tensor) for t in given):
            continue
        terms = _transposed(op, index, args, given, outs)
        totals = [
            a if b is None else b if a is None else a + b
            for a, b in zip(totals, terms, strict=True)
        ]
    totals = [
        zeros(o._aval) if t is None and types.is_differentiable(o._aval.dtype) else t
        for t, o in zip(totals, outs, strict=True)
    ]
    for index in op.differentiable:
        if all(t is None or t.requires_grad for t in totals):
            break
        if isinstance(dots[index], Face.tensor) or isinstance(args[index], tuple | None):
            continue
        totals = _with_history_of_zero(op, index, args, totals, outs)
    return totals


def _with_history_of_zero(op: Op, index: int, args: list, totals: list, outs: Sequence) -> list:
    """Tangents that depend on nothing, with the history of what an input without tangent adds.

    That is zero, but in PyTorch it is computed from the other inputs, numbers included, so that the
    tangent requires a gradient if they do.
    """
    if not isinstance(args[index], Face.tensor):
        number = np.asarray(args[index].conj(), outs[0]._aval.dtype)
        args = [*args[:index], OpNode.number(number), *args[index + 1 :]]
    if not types.is_differentiable(args[index]._aval.dtype):
        return totals
    terms = _transposed(op, index, args, [zeros(args[index]._aval)], outs)
    found = []
    for total, term in zip(totals, terms, strict=True):
        if term is not None and term.requires_grad and not total.requires_grad:
            zero = zeros(total._aval)
            zero._set_history(*gradient_edge(term))
            summed, total = total + zero, wrap(total._read())
            total._set_history(*gradient_edge(summed))
        found.append(total)
    return found


def _operand(leaf: Any) -> Any:
    """A leaf as a formula expects it."""
    if isinstance(leaf, Value):
        return wrap(leaf)
    return leaf if isinstance(leaf, Face.tensor) else SAVED_NUMBERS[type(leaf)](leaf)


class Over:
    """A transform that is over: what stands in for a gradient belongs to no open one."""

    open = False


def stand_in(tensor: Any) -> Any:
    """Zeros for the gradient of ``tensor``: only what is linear in them matters."""
    made = zeros(tensor._aval)
    made._requires_grad = types.is_differentiable(tensor._aval.dtype)
    made._transform = Over
    return made


def _transposed(op: Op, index: int, args: list, given: Sequence, outs: Sequence) -> Sequence:
    """What the tangent of one input adds to the tangent of each output."""
    name = op.names[index]
    with modes.enable_grad(), owned_by(OWNER):
        stand_ins = [stand_in(o) for o in outs]
        wanted = [s for s in stand_ins if s._requires_grad]
        saved = op.saved_values([name], args, outs)
        pulled = op.apply_formula(name, stand_ins, saved)
        pulled = pulled if isinstance(pulled, tuple | list) else [pulled]
        inputs = args[index] if isinstance(args[index], tuple) else (args[index],)
        pairs = [
            (p._fit(x._aval), t)
            for p, x, t in zip(pulled, inputs, given, strict=True)
            if p is not None and t is not None and p.requires_grad
        ]
        if not pairs:
            return [None] * len(outs)
        roots, seeds = zip(*pairs, strict=True)
        found = iter(autograd_grad(roots, wanted, seeds, create_graph=True, allow_unused=True))
        return [next(found) if s._requires_grad else None for s in stand_ins]


def inplace(op: Op, args: Sequence, kwargs: dict) -> Any:
    """An in-place op: the tangent of the target is overwritten too, through views."""
    target = args[0]
    leaves, _ = op.bind(args, kwargs)
    result = call(op, _kept(args), kwargs) if _any_dual(leaves, ()) else None
    recorded = target._node
    with paused():
        call_inplace(op, args, kwargs)
    for level in levels():
        _overwrite_tangent(target, None if result is None else tangent_of(result, level), level)
    if result is not None and target._base is None and target._node is not recorded:
        _complete_saved(target._node, result)
    return target


def _kept(args: Sequence) -> Sequence:
    """The arguments of an in-place op for the same op out of place, whose history must outlive the
    write: a copy of the target, if there is a history."""
    if modes.state.grad_enabled and any(getattr(x, "requires_grad", False) for x in args):
        return (args[0].clone(), *args[1:])
    return args


def _complete_saved(node: Any, result: Any) -> None:
    """Give outputs, saved before they had tangents, those of ``result``."""
    for item in node.saved_items():
        if getattr(item, "output_nr", None) is not None and item.tensor is not None:
            for level in levels():
                set_tangent(item.tensor, tangent_of(result, level), level)


def keep_tangent(target: Any, before: Any) -> None:
    """Give what stands for the elements of ``target`` before a write the tangent of that time."""
    for level in levels():
        tangent = tangent_of(target, level)
        if tangent is not None:
            with outside(level):
                set_tangent(before, tangent.clone(), level)


def stand_still(target: Any) -> None:
    """Overwrite the tangents of ``target`` with zeros: it was overwritten with constants."""
    for level in levels():
        if tangent_of(target, level) is not None:
            _overwrite_tangent(target, None, level)


def push_zeros(given: Sequence, result: Any) -> None:
    """Give ``result``, which does not depend on the values of ``given``, tangents of zero."""
    for level in levels():
        if any(isinstance(x, Face.tensor) and tangent_of(x, level) is not None for x in given):
            set_tangent(result, zeros(result._aval), level)


def _overwrite_tangent(target: Any, tangent: Any, level: Level) -> None:
    present, base = tangent_of(target, level), target._base
    with outside(level):
        if present is not None:
            present.zero_() if tangent is None else _write(present, tangent)
        elif tangent is not None and base is None:
            set_tangent(target, tangent, level)
        elif tangent is not None:
            if tangent_of(base, level) is None:
                set_tangent(base, zeros(base._aval), level)
            _write(tangent_of(target, level), tangent)


def _write(present: Any, tangent: Any) -> None:
    if modes.vmap.frames:
        widen(present, tangent)
    present.copy_(tangent)


def check_out(name: str, tensors: Sequence) -> None:
    """Raise for ``out=`` with tangents."""
    parts = [x for t in tensors for x in (t if isinstance(t, tuple | list) else (t,))]
    if any(tangent_of(t) is not None for t in parts if isinstance(t, Face.tensor)):
        raise NotImplementedError(
            f"Trying to use forward AD with {name}_out that does not support it because it is an "
            "out= function"
        )


# -- custom functions ------------------------------------------------------------------------------


def push_function(ctx: Any, args: Sequence, outputs: Any, dirty: set[int]) -> None:
    """The tangents of the outputs of a custom function, from its ``jvp``.

    ``dirty``: the ids of the inputs that were overwritten.
    """
    for level in levels():
        _push_function(ctx, args, outputs, dirty, level)


def _push_function(ctx: Any, args: Sequence, outputs: Any, dirty: set[int], level: Level) -> None:
    tensors = [a if isinstance(a, Face.tensor) else None for a in args]
    tangents = [None if t is None else tangent_of(t, level) for t in tensors]
    if all(t is None for t in tangents):
        return
    given = [
        zeros(x._aval) if t is None and x is not None and ctx.materialize_grads
        and types.is_differentiable(x._aval.dtype) else t
        for x, t in zip(tensors, tangents, strict=True)
    ]  # fmt: skip
    with outside(level):
        seen = [None if t is None else t.view_as(t) for t in given]
        results = ctx.apply_jvp(*seen)
    outs = outputs if isinstance(outputs, tuple) else (outputs,)
    results = results if isinstance(results, tuple) else (results,)
    if len(results) != len(outs):
        raise RuntimeError(
            "Function's jvp returned an invalid number of forward gradients (expected "
            f"{len(outs)} but got {len(results)})"
        )
    for nr, (out, tangent) in enumerate(zip(outs, results, strict=True)):
        if tangent is not None and not isinstance(tangent, Face.tensor):
            raise RuntimeError(
                f"expected Variable or None (got {type(tangent).__name__}) for grad output {nr}."
            )
        if tangent is None or not isinstance(out, Face.tensor):
            continue
        is_dirty = id(out) in dirty
        is_view = any(t is not None and t._storage is out._storage for t in tensors)
        _check_function_tangent(tangent, is_view, is_dirty, seen)
        if not is_dirty:
            set_tangent(out, tangent, level)
            _tell_saved(out, getattr(ctx, "_saved", None), tangent, level)
        elif tangent_of(out, level) is None:
            _overwrite_tangent(out, tangent, level)


def _check_function_tangent(tangent: Any, is_view: bool, is_dirty: bool, given: Sequence) -> None:
    storages = [t._storage for t in given if t is not None]
    if is_dirty and all(tangent._storage is not s for s in storages):
        raise RuntimeError(
            "An inplace custom Function is not modifying the forward mode gradients inplace. If "
            "the forward is modifying an input inplace, then the jvp function must modify the "
            "corresponding gradient inplace."
        )
    is_new = all(tangent._storage is not s for s in storages)
    if is_view and not is_dirty and (is_new or any(tangent is t for t in given)):
        raise RuntimeError(
            "A custom Function's forward is returning a view (or an input as-is) but the jvp is "
            "not returning a view."
        )


# -- without tangents ------------------------------------------------------------------------------


class Identity(Node):
    """The history of a primal: its gradient is that of the dual tensor."""

    def __init__(self, tensor: Any):
        super().__init__()
        self.edges, self.avals = (gradient_edge(tensor),), (tensor._aval,)

    def name(self) -> str:
        return "torch::autograd::Identity"

    def run(self, grads, needed):
        return [grads[0]]


def primal(tensor: Any) -> Any:
    """A view of ``tensor`` without its tangent in the innermost level."""
    out = mark_view(tensor, "default")
    for level in levels()[:-1]:
        tangent = tangent_of(tensor, level)
        if tangent is not None:
            set_tangent(out, tangent, level)
    if modes.forward.level is not None:
        _note(out, modes.forward.level, None)
    if tensor.requires_grad:
        out._set_history(Identity(tensor), 0)
    return out


Face.push, Face.push_inplace, Face.keep_tangent, Face.check_out = (
    push, inplace, keep_tangent, check_out
)  # fmt: skip
Face.tangent_of, Face.set_tangent, Face.bare = tangent_of, set_tangent, bare
