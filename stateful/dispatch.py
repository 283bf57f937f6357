"""One op call on Tensors: read the inputs, run, wrap the outputs, record."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import jax.numpy as jnp

from funcgrad import types
from funcgrad.op import Op
from funcgrad.ops import copying

from . import execute as seam
from . import modes
from .execute import Function, Kernel, Value, execute
from .graph import accumulator, gradient_edge, sequence_numbers
from .layout import lay
from .lazy import DATA, lazy, step
from .leaves import run_otherwise
from .modes import anomaly, forward, inference, state
from .nodes import (
    INPLACE_NAMES,
    OpNode,
    Plan,
    inplace_class,
    leaf_spans,
)
from .result_layouts import stride_of
from .return_types import return_type
from .rules import (
    all_inference,
    check_arguments,
    check_inplace,
    check_overlap,
    check_partial_overlap,
    check_result,
    count_write,
)
from .saved import SavedTensor, check_normal
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
    leaves, template = op.binder.bind(args, kwargs)
    found = step(op, template, leaves) if seam.policy is lazy else None
    kernel, results, requiring = found or run_otherwise(op, template, leaves)
    if kernel.strides:
        outs = laid_out(kernel, leaves, results)
    elif len(results) == 1:
        outs = [wrap(results[0])]
    else:
        outs = [wrap(value) for value in results]
    if requiring and state.grad_enabled:
        plan = kernel.memo.get(requiring)
        if plan is None or inference.used:
            plan = plan_of(kernel, requiring, leaves)
        if plan is not None:
            record(plan, leaves, outs)
    if forward.active:
        Face.push(op, template, leaves, outs)
    if op.outputs == "list":
        return tuple(outs)
    return outs[0] if len(outs) == 1 else return_type(op)(outs)


def call_inplace(op: Op, args: Sequence, kwargs: dict) -> Any:
    """Apply ``op`` and write the result to its first argument."""
    if forward.active:
        return Face.push_inplace(op, args, kwargs)
    leaves, template = op.binder.bind(args, kwargs)
    target = leaves[0]
    grad_enabled = state.grad_enabled
    if grad_enabled and any([getattr(leaf, "requires_grad", False) for leaf in leaves]):
        check_inplace(target, True)
    check_partial_overlap(target, leaves[1:], op.aten)
    found = step(op, template, leaves) if seam.policy is lazy else None
    kernel, (result,), requiring = found or run_otherwise(op, template, leaves)
    aval = target._aval
    if result.aval is not aval:
        check_result(kernel.outputs[0], aval)
        (result,) = execute(CAST, (result,), (aval.dtype,))
    plan = plan_of(kernel, requiring, leaves) if requiring and grad_enabled else None
    if plan is None:
        store(target, result, op.aten in UNIFORM)
        return target
    node = new_node(plan, leaves)
    before = _before(target, ("input", 0) in plan.fetch)
    if forward.level is not None:
        Face.keep_tangent(target, before)
    inputs, counter = [before, *leaves[1:]], target._counter
    lost = [i for i, x in enumerate(leaves) if i and type(x) not in DATA and x._counter is counter]
    for i in lost:  # arguments that the write changes, too
        inputs[i] = _before(leaves[i])
        inputs[i]._counter.version = counter.version
    early = state.saved_hooks and all(source == "input" for source, _ in plan.fetch)
    if early:  # a pack hook may end the run here, as that of a checkpoint does
        keep(node, inputs, [target])
    store(target, result, op.aten in UNIFORM)
    if not early:
        keep(node, inputs, [target])
    for i in lost:
        inputs[i]._counter.version += 1
    if op.grad_fn in INPLACE_NAMES:
        node.__class__ = inplace_class(type(node))  # type: ignore[assignment]
    rebase_history(target, node)
    return target


def _before(leaf: Any, cloned: bool = False) -> Any:
    """What ``leaf`` is before a write, for the node of the write to save.

    ``cloned``: as PyTorch saves what is overwritten; its history says so.
    """
    before = lay(wrap(leaf._read()), stride_of(leaf))
    if leaf._node is not None or leaf._requires_grad:
        node, nr = gradient_edge(leaf)
        if cloned and node is not None:
            node, nr = call(copying.clone, (leaf,), {})._node, 0
        before._set_history(node, nr)
    return before


UNIFORM = frozenset(
    "zero fill.Scalar masked_fill.Scalar masked_fill.Tensor index_fill.int_Scalar "
    "index_fill.int_Tensor index_put index_put.mask tril triu threshold".split()
)
"""Ops that in PyTorch do not mind that elements they write to share memory."""


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


_new = object.__new__
new_storage: type[Storage] = Storage
"""What new Tensors keep their value in; function transforms want to know when it was made."""


def plan_of(kernel: Kernel, requiring: int, leaves: Sequence) -> Plan | None:
    """How a call of ``kernel`` is recorded when these leaves (as bits) require a gradient.

    Raises if an inference tensor would be saved, before anything is written.
    """
    try:
        plan = kernel.memo[requiring]
    except KeyError:
        plan = kernel.memo[requiring] = _make_plan(kernel, requiring)
    if inference.used and plan is not None:
        if all_inference(kernel.fn, leaf_spans(kernel.fn, kernel.static), leaves):
            return None
        for source, index in plan.fetch:
            if source == "input":
                check_normal(leaves[index])
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


def record(plan: Plan, leaves: Sequence, outs: Sequence) -> OpNode:
    """Give the results of a call on ``leaves`` their history."""
    node = new_node(plan, leaves)
    if plan.fetch:
        keep(node, leaves, outs)
    for nr in plan.outputs:
        out = outs[nr]
        out._node, out._requires_grad = node, True
        if nr:
            out._output_nr = nr
    return node


def new_node(plan: Plan, leaves: Sequence) -> OpNode:
    """The node of a call on ``leaves``; nothing is saved yet."""
    targets: list = []
    numbers = plan.numbers
    for index in plan.sources:
        if index is None:
            targets.append(None)
            continue
        leaf = leaves[index]
        if leaf._base is None or leaf._grad_version == leaf._counter.version:
            target = leaf._node
        else:
            target = leaf._current_grad_fn()
        if target is None:
            if leaf._requires_grad:  # not only its base
                target = accumulator(leaf)
        elif leaf._output_nr:
            here = len(targets)
            numbers = (*numbers[:here], leaf._output_nr, *numbers[here + 1 :])
        targets.append(target)
    node: Any = _new(OpNode)
    node.plan, node.avals, node.saved = plan, plan.avals, ()
    node.targets, node.numbers = tuple(targets), numbers
    node.sequence_nr = next(sequence_numbers)
    node.watched = False
    node.pre_hooks = node.retained = node.node_pre_hooks = node.node_hooks = node._metadata = None
    node.__class__ = plan.node_class  # at last: attributes of one class are set sooner
    if anomaly.enabled:
        node.remember_origin()
    return node


def keep(node: OpNode, leaves: Sequence, outs: Sequence) -> None:
    """Save what the formulas of ``node`` name."""
    saved: list = []
    node.saved = saved
    for source, index in node.plan.fetch:
        if source == "output":
            out = outs[index]
            counter = out._counter
            if counter is out._storage and out._view is None:
                saved.append((counter, counter.version, index))
            else:
                saved.append(SavedTensor.of(out._alias(), counter.version, index))
        else:
            leaf = leaves[index]
            saved.append(leaf if type(leaf) in DATA else (leaf, leaf._counter.version, None))
    if state.saved_hooks:
        pack, unpack = state.saved_hooks[-1]
        items: Any = node.saved_items()
        for i, item in enumerate(items):
            if type(item) is Value:  # an index that the program gave as a list
                items[i] = SavedTensor(wrap(item))
            elif type(item) is SavedTensor:
                item.pack(pack, unpack, None if item.output_nr is None else node)


def wrap(value: Value) -> Any:
    """A new Tensor with storage of its own."""
    storage = _new(new_storage)
    storage.value, storage.version, storage.geometry = value, 0, None
    out = _new(Face.tensor)
    out._storage = out._counter = storage
    out._view = out._base = out._node = None  # as for the class, but found sooner
    out._output_nr, out._requires_grad = 0, False
    if inference.used and state.inference:
        out._inference = True
    return out


def laid_out(kernel: Kernel, leaves: Sequence, results: Sequence[Value]) -> list:
    """The results of a call as Tensors, where the kernel tells their strides."""
    strides = kernel.strides
    if kernel.fn.is_view:
        steps = kernel.memo.get("steps")
        if steps is None:
            numbers = range(len(results))
            steps = [Step(kernel.fn, kernel.static, number) for number in numbers]
            kernel.memo["steps"] = steps
        return list(map(new_view, repeat(leaves[0]), steps, results, strides))
    return [lay(wrap(value), stride) for value, stride in zip(results, strides, strict=True)]


def new_view(base: Any, step: Step, value: Value, stride: Any) -> Any:
    """A Tensor that shares the storage of ``base``."""
    out = wrap_view(base, step, value, stride)
    if base._inference:
        out._inference = True
        return out
    out._base = base if base._base is None else base._base
    out._grad_version = out._counter.version
    if state.inference:
        out._creation = "inference"
    elif not state.grad_enabled:
        out._creation = "no_grad"
    elif step.op.outputs == "list":
        out._creation = "multi_output"
    elif base._creation != "default":
        out._creation = base._creation
    return out


def wrap_view(base: Any, step: Step, value: Value, stride: Any) -> Any:
    """A Tensor that sees the storage of ``base`` through one more step; without history."""
    tensor = Face.tensor
    out = _new(tensor)
    out._storage, out._counter = base._storage, base._counter
    steps = (step,) if base._view is None else (*base._view.steps, step)
    out._view = View(steps, base._storage.value, value, stride)
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
