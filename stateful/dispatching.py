"""Makes ops look for ``__torch_dispatch__``: those of functions, and those of gradients.

That happens when the first class that has one is defined, or the first mode entered: a program
without one does not pay for them. An op that somebody decides about is asked for with nothing
recorded, and what comes back gets the history that the op would have.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from funcgrad.op import REGISTRY, Op

from . import backward, dispatch, dtypes, engine, modes, overriding, schedule
from .dispatch import keep, new_node, plan_of, wrap
from .execute import Value, kernel_at
from .graph import gradient_edge
from .leaves import as_leaf
from .nodes import INPLACE_NAMES, OpNode, inplace_class
from .operators import FUNCTIONS, FunctionOverload, overload
from .ownership import is_free
from .rebinding import rebind
from .return_types import return_type
from .saved import SavedTensor
from .tensor import Tensor
from .torch_dispatch import asked, decided, disabled_torch_dispatch, dispatches, handle, state
from .torch_function import DisableTorchFunction, disabled_torch_function, torch_function
from .views import rebase_history
from .watching import Hooks, run_accumulated

plain = SimpleNamespace(
    call=dispatch.call, call_inplace=dispatch.call_inplace, run=OpNode.run, add=backward.add,
    fit_to=backward.fit_to, seed=backward._seed, run_backward=backward.run_backward,
    accumulate=Tensor._accumulate, has_nan=backward.has_nan, item=Tensor.item,
)  # fmt: skip
"""The functions that do not ask."""


# -- an op -----------------------------------------------------------------------------------------


def call(op: Op, args: Sequence, kwargs: dict) -> Any:
    """`dispatch.call`, after modes and the classes of the arguments were asked."""
    leaves, template = op.binder.bind(args, kwargs)
    if not decided(leaves):
        return plain.call(op, args, kwargs)
    leaves = [_leaf(op, leaf) for leaf in leaves]
    found = _ask(op, template, leaves)
    outs = list(found) if isinstance(found, tuple | list) else [found]
    if op.is_view:
        _as_views(op, leaves[0], outs)
    plan = _plan(op, template, leaves)
    if plan is not None:
        _record(new_node(plan, leaves), leaves, outs)
    return return_type(op)(outs) if len(outs) > 1 and op.outputs != "list" else found


def call_inplace(op: Op, args: Sequence, kwargs: dict) -> Any:
    """`dispatch.call_inplace`, after modes and the classes of the arguments were asked."""
    leaves, template = op.binder.bind(args, kwargs)
    if not decided(leaves):
        return plain.call_inplace(op, args, kwargs)
    leaves = [_leaf(op, leaf) for leaf in leaves]
    target, version = leaves[0], leaves[0]._counter.version
    plan = _plan(op, template, leaves)
    node, before = None, None
    if plan is not None:
        dispatch.check_inplace(target, True)
        node = new_node(plan, leaves)
        before = target._alias() if dispatches(type(target)) else wrap(target._read())
        if target._node is not None:
            before._set_history(*gradient_edge(target))
    _ask(op, template, leaves, mutates=True)
    target._counter.version = version + 1
    if node is not None:
        _record(node, [before, *leaves[1:]], [target], history=False)
        if op.grad_fn in INPLACE_NAMES:
            node.__class__ = inplace_class(type(node))  # type: ignore[assignment]
        rebase_history(target, node)
    return target


def _leaf(op: Op, leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf
    found = as_leaf(op, leaf)
    return wrap(found) if isinstance(found, Value) else found


def _plan(op: Op, template: tuple, leaves: Sequence) -> Any:
    """How the op is recorded; None if it is not."""
    needs = [isinstance(x, Tensor) and x.requires_grad for x in leaves]
    if not (any(needs) and modes.state.grad_enabled):
        return None
    kinds = [x._aval if isinstance(x, Tensor) else type(x) for x in leaves]
    requiring = sum(1 << i for i, need in enumerate(needs) if need)
    return plan_of(kernel_at((op, template, *kinds)), requiring, leaves)


def _ask(op: Op, template: tuple, leaves: Sequence, mutates: bool = False) -> Any:
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    values = op.unbind(template, leaves)
    args, kwargs = _of_aten(op, values)
    return handle(overload(op, mutates, values), asked(tensors), args, kwargs)


def _of_aten(op: Op, values: Sequence) -> tuple[list, dict]:
    """Arguments as ATen's ops are told of them: lists and dtypes, without what is by default."""
    given = [_shown(value) for value in values]
    usual = [_is_default(p.default, value) for p, value in zip(op.params, given, strict=True)]
    count = op.positional
    while count and usual[count - 1]:
        count -= 1
    named = zip(op.names, given, usual, strict=True)
    return given[:count], {n: x for n, x, same in [*named][op.positional :] if not same}


def _shown(value: Any) -> Any:
    if isinstance(value, np.dtype):
        return dtypes.from_numpy(value)
    return [*map(_shown, value)] if type(value) is tuple else value


def _is_default(default: Any, value: Any) -> bool:
    if isinstance(value, Tensor | list):
        return False
    return value is default or type(value) is type(default) and value == default


def _as_views(op: Op, base: Any, outs: Sequence) -> None:
    """Views of ``base`` that were made with nothing recorded, as if they had been made here."""
    for out in outs:
        if out._storage is base._storage and modes.state.grad_enabled:
            out._creation = "multi_output" if op.outputs == "list" else base._creation


def _record(node: OpNode, leaves: Sequence, outs: Sequence, history: bool = True) -> None:
    """Save what ``node`` needs and make it the history of ``outs``."""
    plan: Any = node.plan
    known = [outs[i]._aval for i in range(len(plan.avals))]
    if decided([*leaves, *outs]) or any(a is not b for a, b in zip(known, plan.avals, strict=True)):
        node.avals, node.watched = tuple(known), True  # so that it runs on its own, see `run`
    keep(node, leaves, outs)
    for nr in plan.outputs if history else ():
        out = outs[nr]
        out._node, out._requires_grad, out._output_nr = node, True, nr


# -- a backward pass -------------------------------------------------------------------------------


def _run(node: OpNode, grads: list, needed: Sequence[bool]) -> Any:
    """`OpNode.run`: op by op, if somebody decides what these are."""
    held = [] if node.saved is None else [*map(_tensor_of, node.saved)]
    if node.saved is None or modes.state.grad_enabled or not decided([*grads, *held]):
        return plain.run(node, grads, needed)
    if all(grad is None for grad in grads):
        return [None] * len(node.targets)
    with DisableTorchFunction():
        return node._apply_recorded(grads, needed)


def _tensor_of(item: Any) -> Any:
    """The tensor in what a node saved."""
    if isinstance(item, SavedTensor):
        return item.tensor if item.hooked is None else item.hooked.packed
    return item[0] if type(item) is tuple else item


def _add(first: Any, second: Any) -> Any:
    """The sum of two gradients."""
    if not decided((first, second)):
        return plain.add(first, second)
    with DisableTorchFunction():
        return Hooks.as_tensor(first) + Hooks.as_tensor(second)


def _fit_to(grad: Any, aval: Any) -> Any:
    """A gradient in the shape and dtype of what it belongs to."""
    if not decided((grad,)):
        return plain.fit_to(grad, aval)
    with DisableTorchFunction():
        return Hooks.as_tensor(grad)._fit(aval)


def _seed(i: int, root: Any, given: Any) -> Any:
    """The gradient that a pass begins with: of such a root a tensor like it."""
    found = plain.seed(i, root, given)
    if found is not schedule.IMPLICIT or not (isinstance(root, Tensor) and decided((root,))):
        return found
    with modes.no_grad(), DisableTorchFunction():
        return call(REGISTRY["ones_like"], (root,), {})


def _run_backward(roots: Sequence, grads: Sequence, **options: Any) -> list:
    """A pass, node by node where a mode is to see it."""
    if not state.modes:
        return plain.run_backward(roots, grads, **options)
    return engine.run_backward(roots, schedule.explicit(roots, grads), **options)


def _accumulate(leaf: Any, grad: Any) -> None:
    """Add an arriving gradient to ``.grad``, by ops that can be asked about."""
    held = [grad]  # by nobody else, so that `is_free` can tell
    del grad
    if held[0] is None or modes.state.grad_enabled or not decided((leaf, held[0], leaf._grad)):
        return plain.accumulate(leaf, held.pop())
    grad = held.pop()
    with DisableTorchFunction():
        if leaf._grad is None:
            leaf._grad = _first(leaf, grad)
        else:
            leaf._grad.add_(Hooks.as_tensor(grad))
    if leaf._post_accumulate_hooks:
        run_accumulated(leaf, leaf._post_accumulate_hooks)
    return None


def _first(leaf: Any, grad: Any) -> Any:
    """A tensor of its own with the elements of the first gradient that arrives."""
    if isinstance(grad, Value):
        return wrap(grad).detach()
    return grad.detach() if is_free(grad, leaf) else grad.clone()


def _has_nan(grad: Any) -> bool:
    """Whether there is a NaN in a gradient."""
    return plain.has_nan(grad) if not decided((grad,)) else bool(grad.isnan().any().item())


def _item(self: Any) -> Any:
    """The only element as a Python number."""
    if not decided((self,)):
        return plain.item(self)
    return handle(FUNCTIONS["_local_scalar_dense"], asked((self,)), (self,), {})


FUNCTIONS["_local_scalar_dense"] = FunctionOverload("_local_scalar_dense", _item)


def _alias(self: Any) -> Any:
    """The same tensor without history, of the same class and with its attributes."""
    out = object.__new__(type(self))
    out.__dict__.update(self.__dict__)
    out._node = out._base = out._grad = out._accumulator = None
    out._requires_grad, out._output_nr = False, 0
    return out


# -- when ------------------------------------------------------------------------------------------


@functools.cache
def install() -> None:
    """Let every op look for ``__torch_dispatch__`` from now on."""
    plain.call, plain.call_inplace = dispatch.call, dispatch.call_inplace
    rebind(dispatch.call, lambda _: call)
    rebind(dispatch.call_inplace, lambda _: call_inplace)
    OpNode.run, Tensor._accumulate = _run, _accumulate  # type: ignore[method-assign]
    Tensor.item = functools.update_wrapper(_item, plain.item)  # type: ignore[method-assign]
    Hooks.add, Hooks.has_nan = staticmethod(_add), staticmethod(_has_nan)
    rebind(backward.fit_to, lambda _: _fit_to)
    rebind(backward._seed, lambda _: _seed)
    rebind(backward.run_backward, lambda _: _run_backward)


def _defined(cls: type, **kwargs: Any) -> None:
    """A subclass of `Tensor` was defined."""
    if dispatches(cls):
        handler: Any = cls.__torch_function__  # type: ignore[attr-defined]
        if getattr(handler, "__func__", None) is torch_function:
            cls.__torch_function__ = disabled_torch_function  # type: ignore[attr-defined]
        cls._alias = _alias  # type: ignore[method-assign]
        cls._shown_as = cls.__name__
        install()
    _defined_before(cls, **kwargs)


_defined_before: Callable = overriding._defined
Tensor.__torch_dispatch__ = staticmethod(disabled_torch_dispatch)  # type: ignore[attr-defined]
Tensor.__init_subclass__ = classmethod(_defined)  # type: ignore[assignment]
