"""One op call on Tensors: read the inputs, run, wrap the outputs, record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funcgrad import types
from funcgrad.op import Op

from . import execute as seam
from . import modes
from .execute import Function, Kernel, Value, execute
from .graph import NO_EDGE, Edge, accumulator, gradient_edge, sequence_numbers
from .modes import anomaly, forward, inference
from .nodes import (
    INPLACE_NAMES,
    OpNode,
    Plan,
    inplace_class,
    leaf_spans,
)
from .return_types import return_type
from .rules import (
    check_arguments,
    check_inplace,
    check_overlap,
    check_partial_overlap,
    check_result,
    count_write,
)
from .saved import Kept, SavedTensor, check_normal
from .scalar_nodes import plan_class
from .views import Step, Storage, View, rebase_history, write


class Face:
    """The Tensor class; ``tensor.py`` fills it in."""

    tensor: Any = None
    dtype: Any = None
    construct: Any = None
    push: Any = None
    push_inplace: Any = None
    keep_tangent: Any = None
    tangent_of: Any = None
    set_tangent: Any = None
    bare: Any = None
    check_out: Any = None
    check_write: Any = None


def call(op: Op, args: Sequence, kwargs: dict) -> Any:
    """Apply ``op`` to Tensors and numbers; the result is a Tensor, a tuple or a list of them."""
    leaves, template = op.bind(args, kwargs)
    values, requiring = read_leaves(op, leaves)
    kernel, results = seam.policy(op, template, values)
    if op.is_view:
        outs = [_wrap_view(leaves[0], op, template, nr, v) for nr, v in enumerate(results)]
    elif len(results) == 1:
        outs = [wrap(results[0])]
    else:
        outs = [wrap(value) for value in results]
    if requiring and modes.state.grad_enabled:
        plan = kernel.memo.get(requiring) or plan_of(kernel, requiring)
        if plan is not None and inference.used:
            plan = _beside_inference(plan, leaves)
        if plan is not None:
            node = new_node(plan, edges_of(plan, leaves), leaves, outs)
            for nr in plan.outputs:
                out = outs[nr]
                out._grad_fn, out._requires_grad = node, True
                if nr:
                    out._output_nr = nr
    if forward.active:
        Face.push(op, template, leaves, outs)
    if op.outputs == "list":
        return tuple(outs)
    return outs[0] if len(outs) == 1 else return_type(op)(outs)


def call_inplace(op: Op, args: Sequence, kwargs: dict) -> Any:
    """Apply ``op`` and write the result to its first argument."""
    if forward.active:
        return Face.push_inplace(op, args, kwargs)
    leaves, template = op.bind(args, kwargs)
    target = leaves[0]
    values, requiring = read_leaves(op, leaves)
    grad_enabled = modes.state.grad_enabled
    if requiring and grad_enabled:
        check_inplace(target, True)
    check_partial_overlap(target, leaves)
    kernel, (result,) = seam.policy(op, template, values)
    aval = target._aval
    if result.aval is not aval:
        check_result(kernel.outputs[0], aval)
        (result,) = execute(CAST, (result,), (aval.dtype,))
    plan = plan_of(kernel, requiring) if requiring and grad_enabled else None
    if plan is None:
        store(target, result, op.name in UNIFORM)
        return target
    edges = edges_of(plan, leaves)
    if inference.used:
        check_saved(plan, leaves)
    before = wrap(values[0])
    if forward.level is not None:
        Face.keep_tangent(target, before)
    if target._grad_fn is not None:
        before._set_history(*gradient_edge(target))
    store(target, result, op.name in UNIFORM)
    node = new_node(plan, edges, [before, *leaves[1:]], [target])
    if op.grad_fn in INPLACE_NAMES:
        node.__class__ = inplace_class(type(node))  # type: ignore[assignment]
    rebase_history(target, node)
    return target


def _beside_inference(plan: Plan, leaves: Sequence) -> Plan | None:
    """How a call is recorded if inference tensors may be among its arguments."""
    if all(getattr(leaf, "_inference", False) for leaf in leaves):
        return None
    check_saved(plan, leaves)
    return plan


def check_saved(plan: Plan, leaves: Sequence) -> None:
    """Raise if what is to be saved is an inference tensor, before anything is written."""
    for source, index in plan.fetch:
        if source == "input":
            check_normal(leaves[index])


UNIFORM = frozenset({"zero", "fill", "masked_fill", "index_fill", "index_put", "tril", "triu"})
"""Ops that write the same to every element they write to, which therefore may share memory."""


def store(target: Any, value: Value, uniform: bool = False) -> None:
    """Write ``value`` through a tensor and count the write. ``uniform``: of an op in `UNIFORM`."""
    if target._view is None and not (target._inference or modes.transforms.open):
        target._storage.value = value
        target._counter.version += 1
        return
    if not uniform:
        check_overlap(target)
    if modes.transforms.open:
        value = Face.check_write(target, value)
    write(target._storage, target._view, value)
    count_write(target)


def read_leaves(op: Op, leaves: list) -> tuple[list, int]:
    """Values and numbers for the seam, and a bit for each leaf that requires a gradient."""
    values: list = []
    requiring, bit = 0, 1
    for position, leaf in enumerate(leaves):
        if type(leaf) in _NUMBERS:
            values.append(leaf)
            bit <<= 1
            continue
        try:
            view = leaf._view
        except AttributeError:
            leaves[position] = as_leaf(op, leaf)
            values.append(leaves[position])
            bit <<= 1
            continue
        if view is None:
            value = leaf._storage.value
        elif view.source is leaf._storage.value:
            value = view.value
        else:
            value = leaf._read()
        values.append(value)
        if leaf._requires_grad:
            requiring |= bit
        elif view is not None and leaf.requires_grad:  # through its base, since it was made
            leaf._requires_grad = True
            requiring |= bit
        bit <<= 1
    return values, requiring


_new = object.__new__
new_storage: type[Storage] = Storage
"""What new Tensors keep their value in; function transforms want to know when it was made."""

_NUMBERS = {float, int, bool, complex}


def as_leaf(op: Op, leaf: Any) -> Any:
    """A leaf that is neither a Tensor nor a plain number: numpy scalars, arrays, nested tensors."""
    if isinstance(leaf, np.generic):
        return leaf.item()
    if isinstance(leaf, int | float | complex):
        return complex(leaf) if isinstance(leaf, complex) else leaf.real
    if isinstance(leaf, jax.Array | np.ndarray):
        return Value.of(jnp.asarray(leaf))
    raise TypeError(f"{op.name}(): every tensor argument must be Tensor, not {type(leaf).__name__}")


def plan_of(kernel: Kernel, requiring: int) -> Plan | None:
    """How a call of ``kernel`` is recorded when these leaves (as bits) require a gradient."""
    try:
        return kernel.memo[requiring]
    except KeyError:
        plan = kernel.memo[requiring] = _make_plan(kernel, requiring)
        return plan


def _make_plan(kernel: Kernel, requiring: int) -> Plan | None:
    if not any(types.is_differentiable(o.dtype) for o in kernel.outputs):
        return None
    spans = leaf_spans(kernel.fn, kernel.static)
    check_arguments(kernel.fn, spans, requiring)
    needs = tuple(
        i for i in kernel.fn.differentiable if any(requiring >> leaf & 1 for leaf in spans[i])
    )
    return plan_class(kernel)(kernel, needs, requiring) if needs else None


def edges_of(plan: Plan, leaves: Sequence) -> tuple[Edge, ...]:
    """Where the gradients of a call go."""
    edges = []
    for index in plan.sources:
        if index is None:
            edges.append(NO_EDGE)
            continue
        leaf = leaves[index]
        if leaf._base is not None:
            edges.append(gradient_edge(leaf))
        elif leaf._grad_fn is not None:
            edges.append(_tuple(Edge, (leaf._grad_fn, leaf._output_nr)))
        else:
            edges.append(_tuple(Edge, (accumulator(leaf), 0)))
    return tuple(edges)


_tuple: Any = tuple.__new__


def new_node(plan: Plan, edges: tuple[Edge, ...], leaves: Sequence, outs: Sequence) -> OpNode:
    """The node of a call with these inputs and outputs."""
    node = _new(plan.node_class)
    saved: list = []
    node.plan, node.avals, node.edges, node.saved = plan, plan.avals, edges, saved
    node.sequence_nr = next(sequence_numbers)
    if anomaly.enabled:
        node.remember_origin()
    for source, index in plan.fetch:
        if source == "output":
            out = outs[index]
            saved.append(_tuple(Kept, (out._alias(), out._counter.version, index)))
        else:
            leaf = leaves[index]
            if type(leaf) not in _NUMBERS and type(leaf) is not Value:
                leaf = _tuple(Kept, (leaf, leaf._counter.version, None))
            saved.append(leaf)
    if modes.state.saved_hooks:
        pack, unpack = modes.state.saved_hooks[-1]
        for item in node.saved_items():
            if type(item) is SavedTensor:
                item.pack(pack, unpack, None if item.output_nr is None else node)
    return node


def wrap(value: Value) -> Any:
    """A new Tensor with storage of its own."""
    storage = _new(new_storage)
    storage.value, storage.version, storage.geometry = value, 0, None
    out = _new(Face.tensor)
    out._storage = out._counter = storage
    if inference.used and modes.state.inference:
        out._inference = True
    return out


def _wrap_view(base: Any, op: Op, template: tuple, nr: int, value: Value) -> Any:
    """A Tensor that shares the storage of ``base``."""
    out = wrap_view(base, Step(op, template, nr), value)
    if base._inference:
        out._inference = True
        return out
    out._base = base if base._base is None else base._base
    out._grad_version = out._counter.version
    if modes.state.inference:
        out._creation = "inference"
    elif not modes.state.grad_enabled:
        out._creation = "no_grad"
    elif op.outputs == "list":
        out._creation = "multi_output"
    elif base._creation != "default":
        out._creation = base._creation
    return out


def wrap_view(base: Any, step: Step, value: Value) -> Any:
    """A Tensor that sees the storage of ``base`` through one more step; without history."""
    tensor = Face.tensor
    out = _new(tensor)
    out._storage, out._counter = base._storage, base._counter
    steps = (step,) if base._view is None else (*base._view.steps, step)
    out._view = View(steps, base._storage.value, value)
    return out


def _cast(array, dtype):
    if jnp.iscomplexobj(array) and not jnp.issubdtype(dtype, jnp.complexfloating):
        array = jnp.real(array)
    return array.astype(dtype)


CAST = Function(_cast)


class Owner:
    """Makes the results of ops without tensor arguments Tensors."""

    def __funcgrad_op__(self, op, args, kwargs):
        return call(op, args, kwargs)


OWNER, IN_FORMULA = Owner(), Owner()
