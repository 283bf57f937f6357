"""`rule`: a function and its derivative in one declaration, in the style of the op table.

The parameter names of a formula are what is kept for it. A VJP formula may name

    grad, grads, grad_<output>   the gradient of the only output, of all of them, of a named one
    <input>                      an argument of the function
    <output>                     "result", or one of `outputs`
    <input>_sym_sizes            the shape of an argument, without keeping the argument

and only the formulas of inputs that need a gradient are consulted. Gradients are PyTorch's: of a
complex input, the conjugate of what a JAX rule would say. What a broadcast repeated is summed, and
the result gets the input's dtype, behind the formula's back.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import DeclarationError
from ..transforms.leaves import conjugate, describe, is_inexact

_STATIC = (bool, int, str, tuple)


def rule(
    *,
    vjp: Mapping[str, Callable] | None = None,
    jvp: Mapping[str, Callable] | None = None,
    outputs: tuple[str, ...] = ("result",),
    static: tuple[str, ...] = (),
    forward_mode: bool = False,
) -> Callable[[Callable], Rule]:
    """Declare the derivative of a function of arrays. Exactly one of `vjp` and `jvp` is given.

    Args:
        vjp: one formula per differentiable input; becomes a `jax.custom_vjp`. An input without a
            formula has gradient zero.
        jvp: one formula per differentiable input, whose first parameter is `tangent`; their sum is
            the output's tangent. Becomes a `jax.custom_jvp`: forward and reverse mode.
        outputs: names for the entries of the tuple that the function returns.
        static: parameters that are part of the program, not data, beside those annotated `bool`,
            `int`, `str` or `tuple`. They must be hashable.
        forward_mode: also derive forward mode from `vjp`, by transposing the formulas. They must be
            linear in the gradient.

    Raises:
        DeclarationError: a formula for or with a name that does not exist.

    >>> @rule(vjp=dict(input=lambda grad, result: grad * result))
    ... def exponential(input):
    ...     return jnp.exp(input)
    >>> jax.grad(exponential)(0.0)
    Array(1., dtype=float32, weak_type=True)
    """

    def declare(function: Callable) -> Rule:
        return Rule(function, vjp, jvp, outputs, static, forward_mode)

    return declare


class Rule:
    """A function with a derivative of its own. Made by `rule`.

    >>> @rule(jvp=dict(input=lambda tangent, input: 2 * input * tangent))
    ... def square(input):
    ...     return input * input
    >>> square
    <rule square(input): jvp of input>
    """

    def __init__(
        self,
        function: Callable,
        vjp: Mapping[str, Callable] | None,
        jvp: Mapping[str, Callable] | None,
        outputs: tuple[str, ...],
        static: tuple[str, ...],
        forward_mode: bool,
    ) -> None:
        functools.update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.signature = inspect.signature(function, eval_str=True)
        self.outputs = outputs
        if (vjp is None) == (jvp is None):
            raise DeclarationError(f"{self.__name__}: give vjp or jvp, and not both")
        self.kind = "jvp" if vjp is None else "vjp"
        self.formulas: dict[str, Callable] = {**(vjp or {}), **(jvp or {})}
        self.forward_mode = self.kind == "jvp" or forward_mode
        self.static = tuple(
            name
            for name, parameter in self.signature.parameters.items()
            if name in static or parameter.annotation in _STATIC
        )
        self.inputs = [name for name in self.signature.parameters if name not in self.static]
        self._wanted = {name: self._check(name, f) for name, f in self.formulas.items()}
        self._core = functools.lru_cache(maxsize=64)(self._build)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's value; differentiating it goes by the rule."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        fixed = tuple((name, bound.arguments[name]) for name in self.static)
        values = (jax.tree.map(_as_array, bound.arguments[name]) for name in self.inputs)
        return self._core(fixed)(*values)

    def __repr__(self) -> str:
        names = ", ".join(self.formulas)
        parameters = ", ".join(self.signature.parameters)
        return f"<rule {self.__name__}({parameters}): {self.kind} of {names}>"

    def _check(self, name: str, formula: Callable) -> list[str]:
        """The names a formula asks for, once all of them are known to exist."""
        where = f"{self.__name__}: the {self.kind} formula of {name!r}"
        for parameter in self.signature.parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise DeclarationError(f"{where}: a rule's function has no *args or **kwargs")
        if name not in self.inputs:
            raise DeclarationError(f"{where}: there is no such array input, only {self.inputs}")
        gradients = ["tangent"]
        if self.kind == "vjp":
            gradients = ["grad", "grads", *(f"grad_{output}" for output in self.outputs)]
        sizes = [f"{known}_sym_sizes" for known in self.inputs]
        allowed = [*gradients, *self.signature.parameters, *self.outputs, *sizes]
        wanted = list(inspect.signature(formula).parameters)
        unknown = [word for word in wanted if word not in allowed]
        if unknown:
            raise DeclarationError(f"{where} names {unknown}; it may name {allowed}")
        return wanted

    def _build(self, fixed: tuple) -> Callable:
        """The `jax.custom_vjp` or `jax.custom_jvp` for one choice of the static arguments."""

        def function(*values: Any) -> Any:
            return self.function(**dict(zip(self.inputs, values, strict=True)), **dict(fixed))

        if not self.forward_mode:
            core = jax.custom_vjp(function)
            core.defvjp(
                functools.partial(self._forward, function),
                functools.partial(self._backward, dict(fixed)),
                symbolic_zeros=True,
            )
            return core
        push = self._push if self.kind == "jvp" else self._push_transposed
        core = jax.custom_jvp(function)
        core.defjvp(functools.partial(push, function, dict(fixed)), symbolic_zeros=True)
        return core

    def _known(self, values: tuple, output: Any, fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Everything a formula may name, except gradients."""
        results = output if len(self.outputs) > 1 else (output,)
        known = dict(zip(self.inputs, values, strict=True)) | dict(fixed)
        known |= {f"{name}_sym_sizes": _shape(known[name]) for name in self.inputs}
        return known | dict(zip(self.outputs, results, strict=True))

    def _forward(self, function: Callable, *primals: Any) -> tuple:
        values = jax.tree.map(lambda box: _as_array(box.value), primals, is_leaf=_is_box)
        needing = tuple(
            name
            for name, primal in zip(self.inputs, primals, strict=True)
            if name in self.formulas and _is_perturbed(primal)
        )
        output = function(*values)
        known = self._known(values, output, {})
        wanted = {word for name in needing for word in self._wanted[name] if word in known}
        arrays = {word: known[word] for word in wanted if not word.endswith("_sym_sizes")}
        sizes = tuple((word, known[word]) for word in sorted(wanted) if word.endswith("_sym_sizes"))
        likes = tuple(_spec(known[name]) for name in needing)
        return output, _Saved(arrays, needing, sizes, likes)

    def _backward(self, fixed: Mapping[str, Any], saved: _Saved, cotangents: Any) -> tuple:
        gradients = conjugate(jax.tree.map(_materialize, cotangents, is_leaf=_is_symbolic_zero))
        known = saved.arrays | dict(saved.sizes) | dict(fixed)
        likes = dict(zip(saved.needing, saved.likes, strict=True))
        return tuple(
            self._gradient(name, gradients, known, likes[name]) if name in likes else None
            for name in self.inputs
        )

    def _gradient(self, name: str, gradients: Any, known: Mapping[str, Any], like: _Spec) -> Any:
        """One formula evaluated and fitted to its input, in JAX's convention."""
        parts = gradients if len(self.outputs) > 1 else (gradients,)
        known = {**known, "grad": parts[0], "grads": list(parts)} | {
            f"grad_{output}": part for output, part in zip(self.outputs, parts, strict=True)
        }
        result = self.formulas[name](*(known[word] for word in self._wanted[name]))
        leaves, structure = jax.tree.flatten(result)
        if structure != like.structure:
            raise TypeError(
                f"{self.__name__}: the vjp formula of {name!r} returned {structure}, the input is "
                f"{like.structure}"
            )
        fitted = [
            self._fit(name, leaf, *shape) for leaf, shape in zip(leaves, like.leaves, strict=True)
        ]
        return conjugate(jax.tree.unflatten(structure, fitted))

    def _fit(self, name: str, gradient: Any, shape: tuple, dtype: Any) -> Any:
        gradient = jnp.asarray(gradient)
        try:
            repeated = jnp.broadcast_shapes(gradient.shape, shape) == gradient.shape
        except ValueError:
            repeated = False
        if not repeated and gradient.size != 1:
            raise ValueError(
                f"{self.__name__}: the vjp formula of {name!r} returned {describe(gradient)}, "
                f"which does not fit the input's shape {shape}"
            )
        if not repeated:
            gradient = jnp.broadcast_to(gradient.reshape(()), shape)
        lead = gradient.ndim - len(shape)
        ones = tuple(i + lead for i, n in enumerate(shape) if n == 1 != gradient.shape[i + lead])
        if lead or ones:
            gradient = gradient.sum((*range(lead), *ones), keepdims=True).reshape(shape)
        if not jnp.issubdtype(dtype, jnp.complexfloating):
            gradient = gradient.real
        return gradient if gradient.dtype == dtype else gradient.astype(dtype)

    def _push(self, function: Callable, fixed: dict, primals: tuple, tangents: tuple) -> tuple:
        """Forward mode by the jvp formulas: the tangents that the inputs cause, added up."""
        primals = jax.tree.map(_as_array, primals)
        output = function(*primals)
        known = self._known(primals, output, fixed)
        total = None
        for name, tangent in zip(self.inputs, tangents, strict=True):
            if name not in self.formulas or _all_zero(tangent):
                continue
            known["tangent"] = jax.tree.map(_materialize, tangent, is_leaf=_is_symbolic_zero)
            part = self.formulas[name](*(known[word] for word in self._wanted[name]))
            total = part if total is None else jax.tree.map(jnp.add, total, part)
        return output, _tangent_like(output, total)

    def _push_transposed(
        self, function: Callable, fixed: dict, primals: tuple, tangents: tuple
    ) -> tuple:
        """Forward mode by the vjp formulas: each is the adjoint of the derivative."""
        primals = jax.tree.map(_as_array, primals)
        output = function(*primals)
        known = self._known(primals, output, fixed)
        inexact = [is_inexact(leaf) for leaf in jax.tree.leaves(output)]
        total = None
        for name, primal, tangent in zip(self.inputs, primals, tangents, strict=True):
            if name not in self.formulas or _all_zero(tangent):
                continue

            def pull(*cotangents: Any, name: str = name, primal: Any = primal) -> Any:
                full = _interleave(cotangents, inexact, output)
                return self._gradient(name, conjugate(full), known, _spec(primal))

            targets = [leaf for leaf in jax.tree.leaves(output) if is_inexact(leaf)]
            dense = jax.tree.map(_materialize, tangent, is_leaf=_is_symbolic_zero)
            part = jax.linear_transpose(pull, *targets)(dense)
            total = part if total is None else jax.tree.map(jnp.add, total, part)
        if total is not None:
            total = _interleave(total, inexact, output)
        return output, _tangent_like(output, total)


@dataclasses.dataclass(frozen=True)
class _Spec:
    """Structure, shapes and dtypes of an input."""

    structure: Any
    leaves: tuple[tuple[tuple[int, ...], Any], ...]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Saved:
    """What the forward pass keeps for the formulas of the inputs that need a gradient."""

    arrays: dict[str, Any]
    needing: tuple[str, ...] = dataclasses.field(metadata={"static": True})
    sizes: tuple = dataclasses.field(metadata={"static": True})
    likes: tuple[_Spec, ...] = dataclasses.field(metadata={"static": True})


def _as_array(leaf: Any) -> Any:
    """JAX hands constants to a rule as typed Python numbers: formulas shall see arrays only."""
    return jnp.asarray(leaf) if isinstance(leaf, int | float | complex) else leaf


def _spec(tree: Any) -> _Spec:
    leaves, structure = jax.tree.flatten(tree)
    return _Spec(structure, tuple((jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves))


def _shape(value: Any) -> Any:
    leaves = jax.tree.leaves(value)
    return jnp.shape(leaves[0]) if len(leaves) == 1 else tuple(map(jnp.shape, leaves))


def _is_box(leaf: Any) -> bool:
    return hasattr(leaf, "perturbed")


def _is_perturbed(primal: Any) -> bool:
    return any(box.perturbed for box in jax.tree.leaves(primal, is_leaf=_is_box))


def _is_symbolic_zero(leaf: Any) -> bool:
    return isinstance(leaf, jax.custom_derivatives.SymbolicZero)


def _materialize(leaf: Any) -> Any:
    return jnp.zeros(leaf.shape, leaf.dtype) if _is_symbolic_zero(leaf) else leaf


def _all_zero(tangent: Any) -> bool:
    return all(map(_is_symbolic_zero, jax.tree.leaves(tangent, is_leaf=_is_symbolic_zero)))


def _interleave(values: tuple, inexact: list[bool], output: Any) -> Any:
    """`values` at the inexact places of `output`, zeros at the others."""
    leaves, structure = jax.tree.flatten(output)
    remaining = iter(values)
    filled = [
        next(remaining) if own else jnp.zeros_like(leaf)
        for leaf, own in zip(leaves, inexact, strict=True)
    ]
    return jax.tree.unflatten(structure, filled)


def _tangent_like(output: Any, tangent: Any) -> Any:
    """`tangent` (None for zero) in the shapes and tangent dtypes of `output`."""

    def fit(leaf: Any, part: Any) -> Any:
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.inexact):
            return np.zeros(jnp.shape(leaf), jax.dtypes.float0)
        return jnp.broadcast_to(part, jnp.shape(leaf)).astype(dtype)

    if tangent is None:
        tangent = jax.tree.map(jnp.zeros_like, output)
    return jax.tree.map(fit, output, tangent)
