"""One op, declared once.

A declaration is a pure function on `jax.Array` with ATen's signature, and one gradient formula per
differentiable input. *The parameter names of a formula are what a graph node saves*:

    grad, grads, grad_<output>   the gradient of the only output, of all outputs, of a named output
    <input>                      an input of the op
    <output>                     an output of the op (``result`` where the op names none)
    <input>_sym_sizes            the shape of a tensor input
    <input>_sym_strides          its strides, None where nobody knows them

Everything else is derived: the function with PyTorch's gradient in reverse and forward mode (this
file), the Tensor method, its in-place form and its graph node (``stateful``), the tests.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from . import types, unsupported
from .binding import Binder, parameters
from .broadcast import broadcast_shape
from .derivative import Derived, as_operand, derive, push_forward
from .errors import DeclarationError
from .mode import mode
from .template import fill

REGISTRY: dict[str, Op] = {}
"""Every op by its ATen name, ``"mul.Tensor"`` or ``"exp"``."""


class Saved(NamedTuple):
    """One thing that a formula names; ``source`` is input, output, sizes or strides."""

    name: str
    source: str
    index: int


class Op:
    """A declared op; callable on arrays, and on anything that has ``__funcgrad_op__``."""

    def __init__(self, fn, aten, grad_fn, vjp, flags):
        self.fn = fn
        self.aten = aten
        self.name = aten.partition(".")[0]
        self.__name__ = self.name
        self.__module__ = fn.__module__
        self.__doc__ = fn.__doc__
        self.__wrapped__ = fn
        self.grad_fn = grad_fn
        self.is_view: bool = flags.pop("is_view", False)
        self.inplace: Any = flags.pop("inplace", False)
        self.outputs: tuple[str, ...] | str = flags.pop("outputs", ("result",))
        self.dunder: str | None = flags.pop("dunder", None)
        self.promotes: Any = flags.pop("promotes", False)
        self.face: str = flags.pop("face", "tensor")
        self.geometry = flags.pop("geometry", None)
        if flags:
            raise DeclarationError(f"{aten}: unknown flags {sorted(flags)}")
        self.params = parameters(fn)
        self.names = [p.name for p in self.params]
        self.binder = Binder(self.name, self.params)
        self.bind, self.complete = self.binder.bind, self.binder.complete
        self.positional = self.binder.positional
        self.vjp: dict[str, Callable] = derive(self, vjp) if isinstance(vjp, Derived) else vjp
        self.saves = {name: self._saves(name) for name in self.vjp}
        self.differentiable = [i for i, p in enumerate(self.params) if p.name in self.vjp]
        self.limited: bool = unsupported.is_limited(aten)
        self._pure = functools.cache(self._make_pure)

    def __repr__(self):
        return f"<op {self.aten}>"

    # -- calling ---------------------------------------------------------------------------------

    def __call__(self, /, *args, **kwargs):
        if not mode.plain:
            if args and hasattr(type(args[0]), "__funcgrad_op__"):
                return args[0].__funcgrad_op__(self, args, kwargs)
            owner = find_owner(args, kwargs)
            owner = mode.owner if owner is None else owner
            if owner is not None:
                return owner.__funcgrad_op__(self, args, kwargs)
        leaves, template = self.bind(args, kwargs)
        if mode.plain:
            return self.run(template, leaves)
        return self.trace(template, leaves)

    def trace(self, template: tuple, leaves: Sequence):
        """The computation on arrays or tracers, with PyTorch's derivative attached."""
        return self._pure(template)(*map(as_operand, leaves))

    def unbind(self, template: tuple, leaves: Sequence) -> list:
        """The arguments in the order of the signature: the inverse of `bind`."""
        items = iter(leaves)
        return [fill(entry, items) for entry in template]

    def run(self, template: tuple, leaves: Sequence):
        """The plain computation on arrays, without PyTorch's gradient attached."""
        args = self.unbind(template, leaves)
        if self.promotes:
            args = self._promoted(args)
        if self.limited:
            unsupported.check(self.aten, jnp.result_type(args[0]))
        named = zip(self.names[self.positional :], args[self.positional :], strict=True)
        try:
            return self.fn(*args[: self.positional], **dict(named))
        except (TypeError, ValueError) as error:
            if "ncompatible shapes for broadcasting" in str(error):
                broadcast_shape(*(np.shape(leaf) for leaf in leaves))
            raise

    def _promoted(self, args: list) -> list:
        where = [
            i for i, p in enumerate(self.params)
            if p.kind in ("tensor", "tensors") and args[i] is not None
            and (self.promotes in (True, "float") or p.name in self.promotes)
        ]  # fmt: skip
        flat = [x for i in where for x in (args[i] if isinstance(args[i], tuple) else (args[i],))]
        if self.name in unsupported.NO_BOOL:
            unsupported.check_no_bool(flat)
        promote = types.promote_float if self.promotes == "float" else types.promote
        items = iter(promote(*flat))
        args = list(args)
        for i in where:
            many = isinstance(args[i], tuple)
            args[i] = tuple(next(items) for _ in args[i]) if many else next(items)
        return args

    # -- gradients -------------------------------------------------------------------------------

    def _saves(self, name: str) -> tuple[Saved, ...]:
        """What the formula of input ``name`` saves, read off its parameter names."""
        outputs = self.outputs if isinstance(self.outputs, tuple) else ()
        found = []
        for wanted in inspect.signature(self.vjp[name]).parameters:
            if wanted in ("grad", "grads"):
                continue
            if wanted.startswith("grad_") and wanted[5:] in outputs:
                continue
            source, _, kind = wanted.partition("_sym_")
            if wanted in self.binder.positions:
                found.append(Saved(wanted, "input", self.binder.positions[wanted]))
            elif wanted in outputs:
                found.append(Saved(wanted, "output", outputs.index(wanted)))
            elif kind in ("sizes", "strides") and source in self.binder.positions:
                found.append(Saved(wanted, kind, self.binder.positions[source]))
            else:
                raise DeclarationError(
                    f"{self.aten}: the formula of '{name}' names '{wanted}', which is neither an "
                    f"input ({', '.join(self.names)}), an output ({', '.join(outputs)}) nor a size"
                )
        return tuple(found)

    def has_history(self, number: int) -> bool:
        """Whether a formula asks for the gradient of this output; PyTorch records no other."""
        asked = {wanted for formula in self.vjp.values() for wanted in _formula_parameters(formula)}
        if "grads" in asked or isinstance(self.outputs, str):
            return True
        return f"grad_{self.outputs[number]}" in asked or number == 0 and "grad" in asked

    def apply_formula(self, name: str, grads: Sequence, saved: dict[str, Any]):
        """The formula of input ``name`` on the gradients of all outputs and what it saved."""
        formula = self.vjp[name]
        return formula(*self.formula_arguments(name, grads, saved))

    def formula_arguments(self, name: str, grads: Sequence, saved: dict[str, Any]) -> list:
        arguments = []
        for wanted in _formula_parameters(self.vjp[name]):
            if wanted == "grad":
                arguments.append(grads[0])
            elif wanted == "grads":
                arguments.append(list(grads))
            elif wanted.startswith("grad_") and wanted not in saved:
                arguments.append(grads[self.outputs.index(wanted[5:])])
            else:
                arguments.append(saved[wanted])
        return arguments

    def saved_values(self, names: Sequence[str], args: Sequence, results: Sequence) -> dict:
        """What the formulas of ``names`` save, from arguments and outputs that are at hand."""
        values = {}
        for name in names:
            for item in self.saves[name]:
                if item.source == "output":
                    values[item.name] = results[item.index]
                elif item.source == "input":
                    values[item.name] = args[item.index]
                else:  # arrays have no strides
                    sizes = item.source == "sizes"
                    values[item.name] = _shapes(args[item.index]) if sizes else None
        return values

    def _make_pure(self, template: tuple):
        """The function of the leaves alone, with PyTorch's derivative in both modes.

        A formula is the adjoint of the derivative, so its transpose is the derivative: conjugated
        before and after, because JAX transposes without conjugating.
        """

        def run(*leaves):
            return self.run(template, leaves)

        if not self.vjp:
            return run
        pure = jax.custom_jvp(run)

        @functools.partial(pure.defjvp, symbolic_zeros=True)
        def _jvp(leaves, tangents):
            out = pure(*leaves)
            return out, push_forward(self, template, leaves, tangents, out)

        return pure


# -- declaring -------------------------------------------------------------------------------------


def op(aten: str, *, grad_fn: str | None = None, vjp: Any = None, **flags) -> Callable[..., Op]:
    """Declare an op. See the module's docstring; flags are

    ``is_view``: the output shares memory with ``self``. ``inplace``: there is a ``name_``; an
    op in place of True is what that is recorded as, where PyTorch saves the result.
    ``outputs``: the names of the outputs, or the string ``"list"`` for a list of unknown length.
    ``dunder``: the operator's name, ``"mul"`` for ``*``. ``promotes``: tensor arguments are brought
    to PyTorch's common dtype first (``"float"``: integers to the default dtype too; a tuple: only
    these arguments). ``face``: where users find it, ``"tensor"`` (function and method), ``"torch"``
    (function only), ``"method"``, ``"nn"``, ``"linalg"``, ``"special"``, ``"fft"`` or
    ``"private"``. ``geometry``: the rule for the strides of a view.
    """

    def declare(fn: Callable) -> Op:
        declared = Op(fn, aten, grad_fn, vjp or {}, flags)
        if aten in REGISTRY:
            raise DeclarationError(f"{aten} is declared twice")
        REGISTRY[aten] = declared
        return declared

    return declare


# -- helpers ---------------------------------------------------------------------------------------


def find_owner(args, kwargs=None):
    """The first argument (or list item) that handles ops itself, or None."""
    for arg in args:
        if hasattr(type(arg), "__funcgrad_op__"):
            return arg
        if isinstance(arg, list | tuple):
            for item in arg:
                if hasattr(type(item), "__funcgrad_op__"):
                    return item
    return find_owner(kwargs.values()) if kwargs else None


def is_tensor(x) -> bool:
    """Whether ``x`` counts as a tensor argument: an array, or an owner like a stateful Tensor."""
    return isinstance(x, jax.Array | np.ndarray | np.generic) or hasattr(type(x), "__funcgrad_op__")


@functools.cache
def _formula_parameters(formula) -> tuple[str, ...]:
    return tuple(inspect.signature(formula).parameters)


def _shapes(arg):
    return tuple(map(jnp.shape, arg)) if isinstance(arg, tuple | list) else jnp.shape(arg)
