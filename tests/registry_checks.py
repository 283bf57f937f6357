"""What holds for every op of the registry: each check takes an op or one call of it.

A check raises AssertionError with what was called. The cotangents and directions are drawn from a
fixed generator, so a failure repeats.
"""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import torch

from funcgrad.op import Op
from tests.registry_exceptions import FREEDOMS
from tests.registry_samples import INERT, Call, overload, to_numpy

TOLERANCE = {"float64": 1e-9, "complex128": 1e-9, "float32": 4e-6, "complex64": 8e-6}

# -- the declaration -------------------------------------------------------------------------------


def check_schema(op: Op) -> None:
    """Argument names, their order, which are keyword-only, and whether the op is a view."""
    schema = overload(op.aten)._schema
    wanted = [(a.name, a.kwarg_only) for a in schema.arguments if a.name not in INERT]
    ours = [(p.name, p.keyword_only) for p in op.params if p.name not in INERT]
    assert ours == wanted, f"{op.aten}: {ours}, but ATen has {wanted}"
    alias = schema.returns[0].alias_info if schema.returns else None
    assert op.is_view == (alias is not None and not alias.is_write), f"{op.aten}: is_view"


# -- calling both ----------------------------------------------------------------------------------


def run_torch(call: Call):
    """PyTorch's outputs."""
    return _flat(overload(call.aten)(**call.arguments))


def determined(op: Op, outs: list) -> list:
    """The outputs, or what they determine where PyTorch leaves a choice."""
    invariant = FREEDOMS.get(op.aten)
    return outs if invariant is None else list(invariant(*outs))


def split(op: Op, call: Call):
    """Our function of the floating tensors alone, and those tensors."""
    leaves = [t for t in call.tensors() if t.is_floating_point() or t.is_complex()]
    arrays = [jnp.asarray(to_numpy(t)) for t in leaves]

    def function(*values):
        items = iter(values)

        def fill(t):
            floating = t.is_floating_point() or t.is_complex()
            return next(items) if floating else jnp.asarray(to_numpy(t))

        arguments = call.map(fill).arguments
        outs = op(**{name: _static(value) for name, value in arguments.items()})
        return determined(op, _flat(outs))

    return function, leaves, arrays


def _static(value):
    return torch.empty(0, dtype=value).numpy().dtype if isinstance(value, torch.dtype) else value


def _flat(out) -> list:
    return list(out) if isinstance(out, list | tuple) else [out]


# -- values ----------------------------------------------------------------------------------------


def check_value(op: Op, call: Call) -> None:
    """Values, shapes and dtypes of all outputs."""
    function, _, arrays = split(op, call)
    wanted = determined(op, run_torch(call))
    found = _jitted(function)(*arrays)
    assert len(found) == len(wanted), call
    for name, ours, theirs in zip(_names(op, wanted), found, wanted, strict=True):
        if name == "indices" and "values" in op.outputs:
            assert_points_to(ours, found[0], theirs, call)
        else:
            assert_close(ours, theirs, f"value of {call}")


def _names(op: Op, outs) -> tuple[str, ...]:
    named = isinstance(op.outputs, tuple) and op.aten not in FREEDOMS
    return op.outputs if named else ("",) * len(outs)


def assert_points_to(indices, values, theirs, call: Call) -> None:
    """Indices that select the values: among equal elements PyTorch's choice is not specified."""
    assert indices.dtype == to_numpy(theirs).dtype and indices.shape == theirs.shape, call
    x, dim = to_numpy(call.arguments["self"]), call.arguments.get("dim", -1)
    if x.ndim:
        if indices.ndim < x.ndim:
            indices, values = np.expand_dims(indices, dim), np.expand_dims(values, dim)
        np.testing.assert_array_equal(np.take_along_axis(x, np.asarray(indices), dim), values)


def assert_close(ours, theirs, what: str, loosen: float = 1) -> None:
    """Equal dtype and shape, and values within the tolerance of the dtype, nan equal to nan."""
    ours, theirs = np.asarray(ours), to_numpy(theirs)
    assert ours.dtype == theirs.dtype, f"{what}: dtype {ours.dtype}, PyTorch has {theirs.dtype}"
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, PyTorch has {theirs.shape}"
    tolerance = TOLERANCE.get(str(theirs.dtype), 0) * loosen
    finite = np.abs(theirs[np.isfinite(theirs)]) if theirs.size else np.zeros(0)
    scale = np.clip(np.max(finite, initial=0.0), 1e-3, 1.0)
    np.testing.assert_allclose(
        ours, theirs, rtol=tolerance, atol=tolerance * scale, err_msg=what, equal_nan=True
    )


# -- gradients -------------------------------------------------------------------------------------


def check_gradient(op: Op, call: Call, order: int = 1) -> None:
    """The node's name and what it saves, gradients of order 1 (and 2), and forward mode."""
    function, leaves, arrays = split(op, call)
    inputs, outs = _run_with_gradient(call, leaves)
    outs, nodes = determined(op, outs), [getattr(o, "grad_fn", None) for o in outs]
    kept = [i for i, o in enumerate(outs) if isinstance(o, torch.Tensor) and o.requires_grad]
    node = next((node for node in nodes if node is not None), None)
    if not kept or "NotImplemented" in node.name():
        return
    outs = [outs[i] for i in kept]
    cotangents = [_random(o) for o in outs]
    try:
        wanted = _torch_gradient(outs, inputs, cotangents, create_graph=order > 1)
    except (RuntimeError, NotImplementedError):
        return  # PyTorch has no derivative here
    check_node(op, node, call)

    def pulled(arrays, cotangents):
        flat, pull = jax.vjp(lambda *a: [function(*a)[i] for i in kept], *arrays)
        bars = [jnp.conj(c).astype(o.dtype) for c, o in zip(cotangents, flat, strict=True)]
        return [jnp.conj(g) for g in pull(bars)]

    bars = [jnp.asarray(to_numpy(c)) for c in cotangents]
    directions = [jnp.asarray(to_numpy(_random(t))) for t in inputs]

    def everything(arrays, bars, directions):
        found = pulled(arrays, bars)
        _, dots = jax.jvp(
            lambda *a: [function(*a)[i] for i in kept], tuple(arrays), tuple(directions)
        )
        second = None
        if order > 1:
            _, pull = jax.vjp(pulled, arrays, bars)
            second = [jnp.conj(g) for g in sum(pull([jnp.conj(d) for d in directions]), [])]
        return found, dots, second

    found, dots, second = _jitted(everything)(arrays, bars, directions)
    for ours, theirs, x in zip(found, wanted, inputs, strict=True):
        if x.requires_grad:
            assert_close(ours, theirs, f"gradient of {call}", 4)
    _check_transposed(found, dots, bars, directions, call)
    if order > 1:
        weights = [torch.from_numpy(np.array(d)) for d in directions]
        _check_second(second, wanted, [*inputs, *cotangents], weights, call)


def _run_with_gradient(call: Call, leaves):
    """PyTorch's outputs when every input that it lets require a gradient does; and the inputs."""
    inputs = [t.clone().requires_grad_() for t in leaves]
    items = iter(inputs)
    marked = call.map(lambda t: next(items) if t.is_floating_point() or t.is_complex() else t)
    for argument in overload(call.aten)._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            _unmark(marked.arguments.get(argument.name))
    while True:
        try:
            return inputs, run_torch(marked)
        except RuntimeError as error:
            refused = re.search("not differentiable with respect to argument '(\\w+)'", str(error))
            if "does not support automatic differentiation" in str(error):
                return inputs, []
            if refused is None:
                raise
            _unmark(marked.arguments[refused[1]])


def _unmark(value) -> None:
    if isinstance(value, torch.Tensor):
        value.requires_grad_(False)


def _torch_gradient(outs, inputs, cotangents, create_graph):
    for c in cotangents:
        c.requires_grad_(create_graph)
    marked = [x for x in inputs if x.requires_grad]
    grads = iter(
        torch.autograd.grad(outs, marked, cotangents, create_graph=create_graph, allow_unused=True)
    )
    found = [next(grads) if x.requires_grad else None for x in inputs]
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _check_transposed(found, dots, bars, directions, call) -> None:
    """Forward mode is the adjoint of reverse mode: ``<bar, J dot> == <J* bar, dot>``."""
    forward = sum(np.vdot(b, d).real for b, d in zip(bars, dots, strict=True))
    reverse = sum(np.vdot(g, d).real for g, d in zip(found, directions, strict=True))
    size = 1 + sum(np.abs(np.vdot(g, d)) for g, d in zip(found, directions, strict=True))
    tolerance = 100 * TOLERANCE[str(np.asarray(found[0]).dtype)] * size
    if np.isfinite(reverse):
        assert abs(forward - reverse) <= tolerance, f"forward mode of {call}"


def _check_second(found, first, inputs, weights, call) -> None:
    live = [(g, w) for g, w in zip(first, weights, strict=True) if g.requires_grad]
    if not live:
        assert all(not np.any(np.asarray(g)) for g in found), f"second order of {call}"
        return
    try:
        marked = [x for x in inputs if x.requires_grad]
        grads = iter(
            torch.autograd.grad(
                [g for g, _ in live], marked, [w.to(g.dtype) for g, w in live], allow_unused=True
            )
        )
        wanted = [next(grads) if x.requires_grad else None for x in inputs]
    except (RuntimeError, NotImplementedError):
        return  # PyTorch has no second derivative here
    for ours, theirs, x in zip(found, wanted, inputs, strict=True):
        if not x.requires_grad:
            continue
        theirs = torch.zeros_like(x) if theirs is None else theirs
        assert_close(ours, theirs, f"second order of {call}", 20)


def check_node(op: Op, node, call) -> None:
    """The name of the graph node, and that every saved name is one of PyTorch's.

    Shapes and dtypes are not looked at: they keep no memory alive.
    """
    assert op.grad_fn == node.name(), f"{call}: grad_fn {op.grad_fn}, PyTorch has {node.name()}"
    wanted = {name.removeprefix("_saved_") for name in dir(node) if name.startswith("_saved_")}
    ours = {
        saved.name for entries in op.saves.values() for saved in entries
        if saved.source != "sizes" and "dtype" not in saved.name
    }  # fmt: skip
    assert ours <= wanted, f"{call}: saves {sorted(ours)}, PyTorch {sorted(wanted)}"


def _random(like: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(like.numel() + 1)
    return torch.randn(like.shape, dtype=like.dtype, generator=generator)


def _jitted(function):
    """Compiled if possible; ops whose shapes depend on values run as they are."""

    def run(*arrays):
        try:
            return jax.jit(function)(*arrays)
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            return function(*arrays)

    return run
