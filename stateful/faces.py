"""The public functions and methods of a declaration: ``add``, ``x.add_``, ``add(..., out=y)``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from funcgrad.composite import Composite, Overloads
from funcgrad.mode import mode, owned_by
from funcgrad.op import Op

from . import modes
from .dispatch import OWNER, Face, call, call_inplace, store, wrap
from .foreign import foreign
from .frames import is_batched
from .graph import gradient_edge
from .modes import forward
from .nodes import inplace_class
from .return_types import written
from .rules import check_inplace, check_out, check_partial_overlap, check_result
from .views import rebase_history


def resolve(declared: Op | Overloads, args: Sequence, kwargs: dict) -> Op:
    """The op that a public name means for these arguments."""
    return declared.choose(args, kwargs) if isinstance(declared, Overloads) else declared


def public(declared: Op | Composite) -> Any:
    """The function of a declaration on Tensors; takes ``out=``."""
    if isinstance(declared, Op):

        def function(*args, out=None, **kwargs) -> Any:
            if out is not None:
                return call_out(declared, args, kwargs, out)
            try:
                return call(declared, args, kwargs)
            except (AttributeError, TypeError):
                return foreign(function, args, kwargs)

    elif isinstance(declared, Overloads):

        def function(*args, out=None, **kwargs) -> Any:
            if out is not None:
                return call_out(declared, args, kwargs, out)
            try:
                return call(declared.choose(args, kwargs), args, kwargs)
            except (AttributeError, TypeError):
                return foreign(function, args, kwargs)

    else:

        def function(*args, out=None, **kwargs) -> Any:
            if out is not None:
                return call_out(function, args, kwargs, out)
            if mode.owner is not None:
                return declared.fn(*args, **kwargs)
            previous, mode.owner = mode.owner, OWNER
            try:
                return declared.fn(*args, **kwargs)
            except (AttributeError, TypeError):
                return foreign(function, args, kwargs)
            finally:
                mode.owner = previous

    return _named(function, declared, declared.name)


def public_inplace(declared: Op | Composite) -> Any:
    """The method ``name_`` of a declaration."""
    if isinstance(declared.inplace, tuple):
        return _named(_applied(*declared.inplace), declared, f"{declared.name}_")
    if isinstance(declared, Op | Overloads):
        recorded: Any = declared if declared.inplace is True else declared.inplace

        def method(self, *args, **kwargs) -> Any:
            try:
                op = resolve(recorded, (self, *args), kwargs)
                return call_inplace(op, (self, *args), kwargs)
            except (AttributeError, TypeError):
                return foreign(method, (self, *args), kwargs)

    else:

        def method(self, *args, **kwargs) -> Any:
            with owned_by(OWNER):
                if self._base is None and self._requires_grad and modes.state.grad_enabled:
                    return _overwrite(self, declared.fn, args, kwargs)
                before = self.clone() if self._base is not None else self
                return self.copy_(declared.fn(before, *args, **kwargs))

    return _named(method, declared, f"{declared.name}_")


def _applied(op: Op, *own: Any) -> Any:
    """The method that is ``op`` in place, with these arguments."""

    def method(self) -> Any:
        return call_inplace(op, (self, *own), {})

    return method


def _overwrite(target: Any, function: Any, args: tuple, kwargs: dict) -> Any:
    """``function`` of a tensor as it was, written to it, with the history of the result."""
    check_inplace(target, True)
    before = wrap(target._read())
    before._set_history(*gradient_edge(target))
    result = function(before, *args, **kwargs)
    check_result(result._aval, target._aval)
    result = result.to(target.dtype)
    store(target, result._read())
    result.grad_fn.__class__ = inplace_class(type(result.grad_fn))
    rebase_history(target, result.grad_fn, result._output_nr)
    return target


def _named(function, declared, name):
    functools.update_wrapper(function, declared, ("__doc__",), ())
    function.__name__ = function.__qualname__ = name
    return function


def _flattened(args: Sequence) -> list:
    """The arguments, and those in lists."""
    return [x for a in args for x in (a if isinstance(a, tuple | list) else (a,))]


_MOVING = {"cat", "gather", "hstack", "index_select", "stack", "take", "vstack"}
"""Ops that read other elements than those in the place that they write."""


def _check_same_memory(target: Any, given: Sequence) -> None:
    """Raise if ``target`` is among the arguments of an op that moves elements."""
    storage, view = target._storage, target._view
    if any(getattr(x, "_storage", None) is storage and x._view is view for x in given):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor "
            "refer to a single memory location. Please clone() the tensor before performing the "
            "operation."
        )


def call_out(op: Any, args: Sequence, kwargs: dict, out: Any) -> Any:
    """``out=``: compute, then overwrite ``out``, which is resized to fit."""
    outs = tuple(out) if isinstance(out, tuple | list) else (out,)
    for target in outs:
        if not isinstance(target, Face.tensor):
            raise TypeError(
                f"{op.__name__}(): argument 'out' must be Tensor, not {type(target).__name__}"
            )
    if modes.state.grad_enabled and getattr(op, "differentiable", True):
        given = _flattened((*args, *kwargs.values()))
        tensors = [a for a in given if isinstance(a, Face.tensor)]
        if any(t._requires_grad for t in (*tensors, *outs)):
            raise RuntimeError(
                f"{op.__name__}(): functions with out=... arguments don't support automatic "
                "differentiation, but one of the arguments requires grad."
            )
    if modes.vmap.frames and any(map(is_batched, (*args, *kwargs.values(), *outs))):
        raise RuntimeError(
            f"Batching rule not implemented for aten::{op.__name__}.out; the fallback path doesn't "
            "work on out= or view ops: a result that differs from slice to slice needs a tensor of "
            "its own."
        )
    if forward.active:
        Face.check_out(op.__name__, (*args, *kwargs.values(), *outs))
    with modes.no_grad():
        results = op(*args, **kwargs)
        named = results
        many = isinstance(results, tuple | list)
        if many is not isinstance(out, tuple | list):
            wanted = f"a tuple of {len(results)} Tensors" if many else "Tensor"
            raise TypeError(
                f"{op.__name__}() received an invalid combination of arguments: argument 'out' "
                f"must be {wanted}, not {type(out).__name__}"
            )
        results = results if many else (results,)
        for target, result in zip(outs, results, strict=True):
            check_out(target._aval, result._aval)
            check_partial_overlap(target, _flattened(args))
            if op.__name__ in _MOVING:
                _check_same_memory(target, _flattened(args))
            target._assign(result)
    return written(tuple(outs), named) if isinstance(out, tuple | list) else out
