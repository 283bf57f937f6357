"""`vjp`, `jvp`, `linearize` and the products with second derivatives built from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from .leaves import (
    as_differentiable,
    check_same_tree,
    conjugate,
    describe,
    is_array,
    is_complex,
    is_inexact,
    named_leaves,
)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Pullback:
    """What `vjp` returns beside the output: a function from cotangents to gradients.

    Call it as often as you like; it is also a pytree, so a jitted function may return it.
    """

    transpose: Any
    outputs: tuple[jax.ShapeDtypeStruct, ...] = dataclasses.field(metadata={"static": True})
    structure: Any = dataclasses.field(metadata={"static": True})

    def __call__(self, cotangents: Any) -> tuple:
        """The gradients, one for each primal, for `cotangents` shaped like the output."""
        like = jax.tree.unflatten(self.structure, self.outputs)
        check_same_tree(
            cotangents,
            like,
            "Expected pytree structure of cotangents to be the same as pytree structure of "
            "outputs to the function",
        )
        checked = [
            _as_cotangent(name, leaf, output)
            for (name, leaf), output in zip(
                named_leaves(cotangents, "cotangents"), self.outputs, strict=True
            )
        ]
        gradients = self.transpose(jax.tree.unflatten(self.structure, checked))
        return conjugate(gradients)

    def __repr__(self) -> str:
        outputs = ", ".join(f"{output.dtype}{list(output.shape)}" for output in self.outputs)
        return f"Pullback(of {outputs})"


def _as_cotangent(name: str, leaf: Any, output: jax.ShapeDtypeStruct) -> Any:
    """The cotangent as JAX wants it: conjugated, in the output's dtype, float0 for integers."""
    leaf = leaf if is_array(leaf) else jnp.asarray(leaf)
    if leaf.shape != output.shape:
        raise RuntimeError(
            f"Mismatch in shape: {name} has a shape of {tuple(leaf.shape)} and its output has a "
            f"shape of {tuple(output.shape)}. A cotangent has the shape of its output"
        )
    if not jnp.issubdtype(output.dtype, jnp.inexact):
        return np.zeros(output.shape, jax.dtypes.float0)
    if is_complex(leaf) != jnp.issubdtype(output.dtype, jnp.complexfloating):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same "
            f"dtype. Mismatch in dtype: {name} has a dtype of {leaf.dtype} and its output has a "
            f"dtype of {output.dtype}"
        )
    return conjugate(leaf if leaf.dtype == output.dtype else jnp.asarray(leaf, output.dtype))


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """The output of `func(*primals)` and its pullback, which turns cotangents into gradients.

    The pullback takes one pytree shaped like the output and returns a tuple with one gradient per
    primal. It may be called many times: the functional form of `retain_graph=True`. Complex
    gradients are PyTorch's: for `y = f(z)` and cotangent `v`, the conjugate transpose of the
    Jacobian times `v`. A cotangent of another real dtype is converted, as PyTorch does.

    Returns:
        `(output, pullback)`, or `(output, pullback, aux)` with `has_aux`.

    Raises:
        RuntimeError: an integer primal; a cotangent whose tree, shape or realness does not fit.

    >>> output, pullback = vjp(lambda x, y: x * y, jnp.array(2.0), jnp.array(5.0))
    >>> [float(gradient) for gradient in pullback(1.0)]
    [5.0, 2.0]
    >>> [float(gradient) for gradient in pullback(10.0)]
    [50.0, 20.0]
    """
    primals = tuple(as_differentiable(primal, f"primals[{i}]") for i, primal in enumerate(primals))

    def checked(*values: Any) -> Any:
        output = func(*values)
        if not has_aux:
            return _only_arrays("vjp(f, *primals)", output)
        if not isinstance(output, tuple) or len(output) != 2:
            raise RuntimeError(
                "vjp(f, *primals): output of function f should be a tuple: (output, aux) if "
                f"has_aux is True, got {describe(output)}"
            )
        return _only_arrays("vjp(f, *primals)", output[0]), output[1]

    if has_aux:
        output, transpose, aux = _vjp_with_aux(checked, primals)
    else:
        output, transpose = jax.vjp(checked, *primals)
    leaves, structure = jax.tree.flatten(output)
    outputs = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
    pullback = Pullback(transpose, outputs, structure)
    return (output, pullback, aux) if has_aux else (output, pullback)


def _vjp_with_aux(func: Callable, primals: tuple) -> tuple:
    """`jax.vjp(..., has_aux=True)` that lets the aux hold things that are not arrays."""
    rest: list = []

    def arrays_only(*values: Any) -> tuple:
        output, aux = func(*values)
        leaves, structure = jax.tree.flatten(aux)
        arrays = [leaf for leaf in leaves if is_array(leaf)]
        rest[:] = [structure, [None if is_array(leaf) else (leaf,) for leaf in leaves]]
        return output, arrays

    output, transpose, arrays = jax.vjp(arrays_only, *primals, has_aux=True)
    structure, others = rest
    remaining = iter(arrays)
    leaves = [next(remaining) if other is None else other[0] for other in others]
    return output, transpose, jax.tree.unflatten(structure, leaves)


def _only_arrays(name: str, output: Any) -> Any:
    for path, leaf in named_leaves(output, "output"):
        if not is_array(leaf):
            raise RuntimeError(
                f"{name}: Expected f to return only tensors, got unsupported type {type(leaf)} at "
                f"{path}. Return it beside the output with has_aux=True"
            )
    return output


def _check_primals(name: str, primals: Any) -> tuple:
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals), "
            f"got {describe(primals)}"
        )
    for path, leaf in named_leaves(primals, "primals"):
        if is_array(leaf) and not is_inexact(leaf) or isinstance(leaf, int):
            raise ValueError(
                f"Expected primal to be floating point or complex, but got: {describe(leaf)} at "
                f"{path}. Close over it instead"
            )
    primals = as_differentiable(primals, "primals")
    if not jax.tree.leaves(primals):
        raise RuntimeError(f"{name}: Expected primals to contain at least one Tensor.")
    return primals


def check_tangents(name: str, primals: tuple, tangents: Any) -> tuple:
    """`tangents` in the dtypes of `primals`; an error where tree or shape differ.

    >>> check_tangents("jvp", (jnp.ones(2),), (np.zeros(2),))
    (Array([0., 0.], dtype=float32),)
    """
    check_same_tree(
        tangents,
        primals,
        f"{name}: Expected primals and tangents to have the same python structure",
    )
    checked = []
    for (path, tangent), primal in zip(
        named_leaves(tangents, "tangents"), jax.tree.leaves(primals), strict=True
    ):
        tangent = tangent if is_array(tangent) else jnp.asarray(tangent)
        if tangent.shape != primal.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the "
                f"original Tensor, this is not supported: {path} is {describe(tangent)} and its "
                f"primal is {describe(primal)}"
            )
        if is_complex(tangent) and not is_complex(primal):
            raise RuntimeError(
                f"{name}: {path} is {describe(tangent)} but its primal is real, "
                f"{describe(primal)}: a real variable has a real tangent"
            )
        checked.append(jnp.asarray(tangent, primal.dtype))
    return jax.tree.unflatten(jax.tree.structure(primals), checked)


def jvp(
    func: Callable, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False
) -> tuple:
    """The output of `func(*primals)` and its derivative in the direction of `tangents`.

    Args:
        primals: a tuple of arguments, pytrees of floating or complex arrays.
        tangents: the same tree and shapes; converted to the primals' dtypes.
        strict: refuse an output that does not depend on the primals (instead of tangent zero).
        has_aux: `func` returns `(output, aux)`; the result is `(output, tangent, aux)`.

    An output of integer dtype has an all-zero tangent in the default float dtype.

    Raises:
        RuntimeError: primals that are no tuple; tangents whose tree or shape does not fit.
        ValueError: a primal of integer dtype.

    >>> jvp(lambda x: x**2, (jnp.array(3.0),), (jnp.array(1.0),))
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    name = "jvp(f, primals, tangents)"
    primals = _check_primals(name, primals)
    tangents = check_tangents(name, primals, tangents)

    def output_and_aux(*values: Any) -> tuple:
        output = func(*values)
        if not has_aux:
            return _only_arrays(name, output), None
        if not isinstance(output, tuple) or len(output) != 2:
            raise RuntimeError(
                f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
            )
        return _only_arrays(name, output[0]), output[1]

    if strict:
        _check_dependence(output_and_aux, primals, tangents)
    output, tangent, aux = jax.jvp(output_and_aux, primals, tangents, has_aux=True)
    tangent = jax.tree.map(_without_float0, tangent)
    return (output, tangent, aux) if has_aux else (output, tangent)


def _without_float0(tangent: Any) -> Any:
    return jnp.zeros(tangent.shape) if tangent.dtype == jax.dtypes.float0 else tangent


def _check_dependence(func: Callable, primals: tuple, tangents: tuple) -> None:
    """An error for an output whose tangent is made without looking at the input tangents."""

    def tangent_of(values: tuple) -> Any:
        return jax.tree.map(_without_float0, jax.jvp(func, primals, values, has_aux=True)[1])

    closed, shapes = jax.make_jaxpr(tangent_of, return_shape=True)(tangents)
    reached = set(closed.jaxpr.invars)
    for equation in closed.jaxpr.eqns:
        if any(not isinstance(v, Literal) and v in reached for v in equation.invars):
            reached.update(equation.outvars)
    for (path, _), variable in zip(
        named_leaves(shapes, "output"), closed.jaxpr.outvars, strict=True
    ):
        if isinstance(variable, Literal) or variable not in reached:
            raise RuntimeError(
                f"jvp(f, primals, tangents, strict=True): The output of f is independent of the "
                f"inputs at {path}. This is not allowed with strict=True."
            )


def linearize(func: Callable, *primals: Any) -> tuple:
    """The output of `func(*primals)` and its derivative there as a linear function of tangents.

    Cheaper than `jvp` when the derivative is wanted in many directions at one point, because
    `func` runs once. The linear function takes one tangent per primal, with exactly the tree,
    shapes and dtypes of the primals.

    Raises:
        RuntimeError: tangents that do not fit.

    >>> output, tangent = linearize(lambda x: x**3, jnp.array(2.0))
    >>> float(output), float(tangent(jnp.array(1.0))), float(tangent(jnp.array(2.0)))
    (8.0, 12.0, 24.0)
    """
    name = "linearize(f, *primals)"
    primals = _check_primals(name, primals)
    output, linear = jax.linearize(lambda *values: _only_arrays(name, func(*values)), *primals)

    def tangent_of(*tangents: Any) -> Any:
        check_same_tree(
            tangents, primals, "Expected the tangents to have the same argspec as the primals"
        )
        for (path, tangent), primal in zip(
            named_leaves(tangents, "tangents"), jax.tree.leaves(primals), strict=True
        ):
            tangent = jnp.asarray(tangent)
            for what in ("shape", "dtype"):
                if getattr(tangent, what) != getattr(primal, what):
                    raise RuntimeError(
                        f"{path} with {what} {getattr(tangent, what)} in flattened pytree doesn't "
                        f"match the {what} {getattr(primal, what)} of the corresponding primal."
                    )
        return jax.tree.map(_without_float0, linear(*tangents))

    return output, tangent_of
