"""From formulas to derivatives: forward mode by transposition, and formulas that JAX writes.

A formula is the adjoint of the derivative, so its transpose is the derivative; conjugated before
and after, because JAX transposes without conjugating.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from . import signature as signatures
from .linear import linear
from .template import HOLE
from .together import asked, optional, together
from .underivable import NODE, underivable

Op = Any
"""`op.Op`, which is built on this file."""


class Derived(tuple):
    """The inputs whose formula `jax.vjp` writes. See `derived`."""

    asks: dict[str, tuple[int, ...]] = {}
    once: str | None = None


def derived(*names: str, once: str | None = None, **asks: tuple[int, ...]) -> Derived:
    """Say that JAX's own derivative with respect to ``names`` already is PyTorch's.

    ``once``: what PyTorch calls the gradient, where it cannot be differentiated again. ``asks``:
    for inputs on which only some of several outputs depend, the numbers of these.
    """
    found = Derived(names)
    found.asks, found.once = asks, once
    return found


def push_forward(op: Op, template: tuple, leaves, tangents, out):
    """The tangent of ``out``: the sum over inputs of the transposed formula on their tangents."""
    args = op.unbind(template, [as_operand(leaf) for leaf in leaves])
    dots = op.unbind(template, tangents)
    flat_out = list(out) if isinstance(out, tuple | list) else [out]
    total = None
    for index in op.differentiable:
        if not _has_tangent(dots[index]):
            continue
        name = op.names[index]
        saved = op.saved_values([name], args, flat_out)
        flows = [jnp.issubdtype(x.dtype, jnp.inexact) for x in flat_out]
        avals = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in flat_out]
        diff_avals = [a for a, flow in zip(avals, flows, strict=True) if flow]
        asks = (asked(op) or {}).get(index, range(len(avals)))
        if not diff_avals or all(i in _left_out(op, avals) for i in asks):
            continue
        arrays, rebuild = _arrays_of(saved)
        pulled = _pull_back(op, name, rebuild, len(arrays), args[index], avals)
        transposed = linear(pulled, arrays, diff_avals, _avals_of(args[index]))
        dot = _conjugate(jax.tree.leaves(_materialize(dots[index])))
        term = _conjugate(transposed(*dot))
        total = term if total is None else [a + b for a, b in zip(total, term, strict=True)]
    tangent = _with_float0(flat_out, total)
    return tangent[0] if not isinstance(out, tuple | list) else type(out)(tangent)


def _left_out(op: Op, avals: list) -> list[int]:
    """The outputs that are empty because nobody needed them, and which formulas can miss."""
    return [i for i in optional(op) if 0 in avals[i].shape]


def _avals_of(primal) -> list:
    """Shapes and dtypes of the gradients of an input."""
    parts = primal if isinstance(primal, tuple) else (primal,)
    return [jax.ShapeDtypeStruct(jnp.shape(p), jnp.result_type(p)) for p in parts if p is not None]


def _arrays_of(saved: dict) -> tuple[list, Callable]:
    """The arrays among saved values, and a function from such arrays to saved values.

    Integers that are known stay as they are: what a mask selects has a shape only if it is known.
    """
    leaves, tree = jax.tree.flatten(saved)
    where = [
        i for i, leaf in enumerate(leaves)
        if isinstance(leaf, Tracer)
        or isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]  # fmt: skip

    def rebuild(arrays):
        full = list(leaves)
        for place, array in zip(where, arrays, strict=True):
            full[place] = array
        return jax.tree.unflatten(tree, full)

    return [leaves[i] for i in where], rebuild


def _pull_back(op: Op, name: str, rebuild: Callable, count: int, primal, avals: list):
    """The formula of one input as a function of ``count`` saved arrays and the gradients of the
    inexact outputs, which returns a list."""

    def pulled(*arrays):
        items = iter(arrays[count:])
        grads = [
            next(items) if jnp.issubdtype(a.dtype, jnp.inexact) else jnp.zeros(a.shape, a.dtype)
            for a in avals
        ]
        for number in _left_out(op, avals):
            grads[number] = None
        result = op.apply_formula(name, grads, rebuild(arrays[:count]))
        if result is None:  # every output that it asks for is empty
            result = jnp.zeros(jnp.shape(primal), jnp.result_type(primal))
        if op.name.startswith("scatter") and not isinstance(primal, tuple):
            result = _grown(result, jnp.shape(primal))
        if isinstance(primal, tuple):
            return [
                fit(g, jnp.shape(p), p.dtype)
                for g, p in zip(result, primal, strict=True)
                if p is not None
            ]
        return [fit(result, jnp.shape(primal), jnp.result_type(primal))]

    return pulled


def _grown(grad, shape: tuple[int, ...]):
    """``grad`` with zeros for what a source has beyond the index, which `scatter` does not read."""
    if grad.ndim != len(shape):
        return grad
    beyond = [(0, max(n - m, 0)) for n, m in zip(shape, grad.shape, strict=True)]
    return jnp.pad(grad, beyond) if any(end for _, end in beyond) else grad


def fit(grad, shape: tuple[int, ...], dtype, wrong: str = "The gradient does not fit"):
    """``grad`` as a gradient of an input: summed over what was broadcast, in the input's dtype.

    A real input of a complex function takes the real part (PyTorch's ``handle_r_to_c``).
    ``wrong``: what is said in a RuntimeError if it has another shape.
    """
    grad = jnp.asarray(grad)
    if grad.shape != shape:
        lead = grad.ndim - len(shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(shape, grad.shape[lead:], strict=True)):
            raise RuntimeError(
                f"{wrong} - got {list(grad.shape)} but expected shape compatible with {list(shape)}"
            )
        ones = tuple(i + lead for i, n in enumerate(shape) if n == 1 and grad.shape[i + lead] != 1)
        grad = jnp.sum(grad, axis=(*range(lead), *ones), keepdims=True)
        grad = jax.lax.reshape(grad, shape)
    if jnp.iscomplexobj(grad) and not jnp.issubdtype(dtype, jnp.complexfloating):
        grad = jnp.real(grad)
    return grad if grad.dtype == dtype else grad.astype(dtype)


def as_operand(leaf):
    """Python numbers stay weakly typed; numpy arrays become arrays."""
    if isinstance(leaf, jax.Array) and not isinstance(leaf, np.ndarray):
        return leaf
    return jnp.asarray(np.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf)


def _has_tangent(dot) -> bool:
    if isinstance(dot, tuple):
        return any(_has_tangent(d) for d in dot)
    if dot is None or isinstance(dot, jax.custom_derivatives.SymbolicZero):
        return False
    return getattr(dot, "dtype", None) != jax.dtypes.float0


def _materialize(dot):
    if isinstance(dot, tuple):
        return tuple(_materialize(d) for d in dot if d is not None)
    if isinstance(dot, jax.custom_derivatives.SymbolicZero):
        return jnp.zeros(dot.shape, dot.dtype)  # type: ignore[arg-type]
    return as_operand(dot)


def _conjugate(tree):
    return jax.tree.map(lambda x: jnp.conj(x) if jnp.iscomplexobj(x) else x, tree)


def _with_float0(outs, tangents):
    items = iter(tangents or ())
    full = []
    for out in outs:
        if not jnp.issubdtype(out.dtype, jnp.inexact):
            full.append(np.zeros(out.shape, jax.dtypes.float0))
        else:
            full.append(next(items) if tangents is not None else jnp.zeros(out.shape, out.dtype))
    return full


def derive(op: Op, names: Derived) -> dict[str, Callable]:
    """Formulas that are ops themselves, so that they can be differentiated again.

    Those of several inputs are one op, as they are in PyTorch where it has a kernel for them.
    """
    formulas: dict[str, Callable] = _derived_formulas(op, names)
    for name, outputs in names.asks.items():
        formulas[name].asks = outputs  # type: ignore[attr-defined]
    return formulas


def _derived_formulas(op: Op, names: Derived) -> dict[str, Any]:
    signature = inspect.signature(op.fn, eval_str=True)
    wanted = ["grads" if isinstance(op.outputs, str) or len(op.outputs) > 1 else "grad", *op.names]

    @functools.cache
    def backward_op() -> Op:
        return _backward_op(op, names, signature)

    def joint(mask, *arguments):
        grads, *rest = arguments
        if isinstance(op.outputs, str) or not isinstance(grads, list):
            grads = [grads]
        return backward_op()(*grads, *rest, mask)

    def single(*arguments):
        return joint((1,), *arguments)

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, keyword) for name in ("mask", *wanted)]
    joint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    single.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]
    return {names[0]: single} if len(names) == 1 else dict(together(joint, *names))


def _backward_op(op: Op, names: Derived, signature: inspect.Signature) -> Op:
    """The op ``(grad..., *inputs, mask) -> gradients of the inputs of these names``.

    The mask says with a 1 which are needed; the others come out empty.
    """
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if isinstance(op.outputs, str):
        heads = [inspect.Parameter("cotangents", keyword, annotation=signatures.Tensors)]
    elif len(op.outputs) == 1:
        heads = [inspect.Parameter(_unused("cotangent", op), keyword)]
    else:
        heads = [inspect.Parameter(_unused(f"cotangent_{o}", op), keyword) for o in op.outputs]
    tails = [p.replace(kind=keyword, default=p.empty) for p in signature.parameters.values()]
    last = inspect.Parameter(_unused("needed", op), keyword, annotation=signatures.Size)
    places = [op.names.index(name) for name in names]

    def backward(*arguments):
        grads, args, mask = arguments[: len(heads)], list(arguments[len(heads) : -1]), arguments[-1]
        moving = [place for place, needed in zip(places, mask, strict=True) if needed]

        def of_some(*inputs):
            for place, x in zip(moving, inputs, strict=True):
                args[place] = x
            holes = [HOLE] * len(args)
            return op.run(tuple(holes), args)

        out, pull = jax.vjp(of_some, *(args[place] for place in moving))
        grads = grads[0] if isinstance(op.outputs, str) else grads
        flat, tree = jax.tree.flatten(out)
        cotangents = [_cotangent(g, o) for g, o in zip(grads, flat, strict=True)]
        found = iter(_conjugate(pull(jax.tree.unflatten(tree, cotangents))))
        results = [next(found) if needed else jnp.zeros(0, flat[0].dtype) for needed in mask]
        return results[0] if len(names) == 1 else tuple(results)

    backward.__signature__ = inspect.Signature([*heads, *tails, last])  # type: ignore[attr-defined]
    text = ", ".join(names)
    backward.__doc__ = f"The gradients of `{op.name}` with respect to {text}, as JAX derives them."
    again: Any = Derived([*(h.name for h in heads), *op.vjp])
    node = f"{(op.grad_fn or op.name).rstrip('0123456789')}Backward0"
    if names.once is not None:
        again, node = underivable(names.once, again), NODE
    flags: dict[str, Any] = {"face": "private"}
    if len(names) > 1:
        flags["outputs"] = tuple(f"grad_of_{name}" for name in names)
    aten = f"{op.aten}_backward_{'_'.join(names)}"
    return type(op)(backward, aten, node, again, flags)


def _unused(name: str, op: Op) -> str:
    """``name``, or what is made of it for a backward of a backward."""
    while name in op.names:
        name = f"{name}_again"
    return name


def _cotangent(grad, out):
    if not jnp.issubdtype(out.dtype, jnp.inexact):
        return np.zeros(out.shape, jax.dtypes.float0)
    return _conjugate(jnp.broadcast_to(grad, out.shape).astype(out.dtype))
