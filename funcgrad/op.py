"""One op, declared once.

A declaration is a pure function on `jax.Array` with ATen's signature, and one gradient formula per
differentiable input. *The parameter names of a formula are what a graph node saves*:

    grad, grads, grad_<output>   the gradient of the only output, of all outputs, of a named output
    <input>                      an input of the op
    <output>                     an output of the op (``result`` where the op names none)
    <input>_sym_sizes            the shape of a tensor input

Everything else is derived: the function with PyTorch's gradient in reverse and forward mode (this
file), the Tensor method, its in-place form and its graph node (``stateful``), the tests.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from . import signature as signatures
from . import types
from .errors import DeclarationError

REGISTRY: dict[str, Op] = {}
"""Every op by its ATen name, ``"mul.Tensor"`` or ``"exp"``."""

COMPOSITES: dict[str, Composite] = {}
"""Every function that is made of ops, and every overload set, by its public name."""


ALIASES = {"input": "self", "axis": "dim", "keepdims": "keepdim"}
"""Argument names that PyTorch's Python functions take beside ATen's."""


class _Mode(threading.local):
    plain = False
    owner: Any = None


_mode = _Mode()


class owned_by:  # noqa: N801 (used as a function)
    """Inside, ops without a tensor argument belong to ``owner`` too: it has ``__funcgrad_op__``."""

    __slots__ = ("_owner", "_previous")

    def __init__(self, owner: Any):
        self._owner = owner

    def __enter__(self):
        self._previous, _mode.owner = _mode.owner, self._owner

    def __exit__(self, *exc):
        _mode.owner = self._previous


@contextlib.contextmanager
def plain():
    """Inside, ops are plain computations: whoever traces does not want to differentiate them."""
    previous, _mode.plain = _mode.plain, True
    try:
        yield
    finally:
        _mode.plain = previous


class _Hole:
    """The mark in a template where an array goes."""

    def __repr__(self):
        return "_"


HOLE = _Hole()


class Parameter(NamedTuple):
    """One parameter of an op. ``kind`` is ``"tensor"``, ``"tensors"``, ``"scalar"`` or ``"static"``."""

    name: str
    kind: str
    default: Any
    keyword_only: bool
    convert: Callable[[Any], Any] | None


class Saved(NamedTuple):
    """One thing that a formula names. ``source`` is ``"input"``, ``"output"`` or ``"sizes"``."""

    name: str
    source: str
    index: int


class Derived(tuple):
    """The inputs whose formula `jax.vjp` writes. See `derived`."""


def derived(*names: str) -> Derived:
    """Say that JAX's own derivative with respect to ``names`` already is PyTorch's."""
    return Derived(names)


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
        self.inplace: bool = flags.pop("inplace", False)
        self.outputs: tuple[str, ...] | str = flags.pop("outputs", ("result",))
        self.dunder: str | None = flags.pop("dunder", None)
        self.promotes: bool | str = flags.pop("promotes", False)
        self.face: str = flags.pop("face", "tensor")
        self.geometry = flags.pop("geometry", None)
        if flags:
            raise DeclarationError(f"{aten}: unknown flags {sorted(flags)}")
        self.params = _parameters(fn)
        self.names = [p.name for p in self.params]
        self._positions = {name: i for i, name in enumerate(self.names)}
        self._positional = sum(not p.keyword_only for p in self.params)
        self.vjp: dict[str, Callable] = _derive(self, vjp) if isinstance(vjp, Derived) else vjp
        self.saves = {name: self._saves(name) for name in self.vjp}
        self.differentiable = [i for i, p in enumerate(self.params) if p.name in self.vjp]
        self._binders = [(p.kind, p.convert, p.default) for p in self.params]
        self._tails = self._make_tails()
        self.simple = self._make_simple()
        self._pure = functools.cache(self._make_pure)

    def __repr__(self):
        return f"<op {self.aten}>"

    # -- calling ---------------------------------------------------------------------------------

    def __call__(self, /, *args, **kwargs):
        if not _mode.plain:
            owner = find_owner(args, kwargs)
            owner = _mode.owner if owner is None else owner
            if owner is not None:
                return owner.__funcgrad_op__(self, args, kwargs)
        leaves, template = self.bind(args, kwargs)
        if _mode.plain:
            return self.run(template, leaves)
        return self.trace(template, leaves)

    def trace(self, template: tuple, leaves: Sequence):
        """The computation on arrays or tracers, with PyTorch's derivative attached."""
        return self._pure(template)(*map(_as_operand, leaves))

    def bind(self, args: Sequence, kwargs: dict) -> tuple[list, tuple]:
        """Split a call into its data (``leaves``) and a hashable ``template`` of everything else.

        A scalar that was left out or that is a small integer is not worth being data.
        """
        tail = self._tails.get(len(args)) if not kwargs else None
        if tail is None:
            args, tail = self._complete(args, kwargs), ()
        leaves: list = []
        template: list = []
        for (kind, convert, default), arg in zip(self._binders, args, strict=False):
            if kind == "static":
                template.append(arg if convert is None else convert(arg))
            elif arg is None:
                template.append(None)
            elif kind == "tensor":
                leaves.append(arg)
                template.append(HOLE)
            elif kind == "tensors":
                template.append(tuple([None if item is None else HOLE for item in arg]))
                leaves.extend([item for item in arg if item is not None])
            elif arg is default or _is_small(arg, default):
                template.append(arg)
            else:
                leaves.append(arg)
                template.append(HOLE)
        template.extend(tail)
        return leaves, tuple(template)

    def _make_tails(self) -> dict[int, tuple]:
        """What a call with only so many positional arguments adds to the template."""
        tails: dict[int, tuple] = {len(self.params): ()}
        tail: tuple = ()
        for count in range(len(self.params) - 1, -1, -1):
            param = self.params[count]
            if param.default is inspect.Parameter.empty:
                break
            convert = param.convert or (lambda x: x)
            tail = (convert(param.default), *tail)
            tails[count] = tail
        return {n: t for n, t in tails.items() if n <= self._positional}

    def _make_simple(self) -> dict[int, tuple]:
        """The templates of calls whose arguments are all tensors, by their number."""
        found = {}
        for count, tail in self._tails.items():
            if all(p.kind == "tensor" for p in self.params[:count]):
                found[count] = (HOLE,) * count + tail
        return found

    def _complete(self, args, kwargs) -> list:
        """Positional and keyword arguments and defaults, in the order of the signature."""
        params = self.params
        if len(args) > self._positional:
            if len(args) > self._positional and self._positional and _takes_varargs(self):
                args = (*args[: self._positional - 1], args[self._positional - 1 :])
            else:
                raise TypeError(
                    f"{self.name}() takes {self._positional} positional arguments but "
                    f"{len(args)} were given"
                )
        full = [*args, *(p.default for p in params[len(args) :])]
        for name, arg in kwargs.items():
            index = self._positions.get(name, self._positions.get(ALIASES.get(name, "")))
            if index is None:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")
            if index < len(args):
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
            full[index] = arg
        for param, arg in zip(params, full, strict=True):
            if arg is inspect.Parameter.empty:
                raise TypeError(
                    f'{self.name}() missing 1 required positional arguments: "{param.name}"'
                )
        return full

    def unbind(self, template: tuple, leaves: Sequence) -> list:
        """The arguments in the order of the signature: the inverse of `bind`."""
        items = iter(leaves)
        return [_fill(entry, items) for entry in template]

    def run(self, template: tuple, leaves: Sequence):
        """The plain computation on arrays, without PyTorch's gradient attached."""
        args = self.unbind(template, leaves)
        if self.promotes:
            args = self._promoted(args)
        named = zip(self.names[self._positional :], args[self._positional :], strict=True)
        return self.fn(*args[: self._positional], **dict(named))

    def _promoted(self, args: list) -> list:
        where = [
            i for i, p in enumerate(self.params)
            if p.kind in ("tensor", "tensors") and args[i] is not None
            and (self.promotes in (True, "float") or p.name in self.promotes)
        ]  # fmt: skip
        flat = [
            x for i in where for x in (args[i] if isinstance(args[i], tuple) else (args[i],))
        ]
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
            source = wanted.removesuffix("_sym_sizes")
            if wanted in self._positions:
                found.append(Saved(wanted, "input", self._positions[wanted]))
            elif wanted in outputs:
                found.append(Saved(wanted, "output", outputs.index(wanted)))
            elif source != wanted and source in self._positions:
                found.append(Saved(wanted, "sizes", self._positions[source]))
            else:
                raise DeclarationError(
                    f"{self.aten}: the formula of '{name}' names '{wanted}', which is neither an "
                    f"input ({', '.join(self.names)}), an output ({', '.join(outputs)}) nor a size"
                )
        return tuple(found)

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
                else:
                    values[item.name] = _shapes(args[item.index])
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


def push_forward(op: Op, template: tuple, leaves, tangents, out):
    """The tangent of ``out``: the sum over inputs of the transposed formula on their tangents."""
    args = op.unbind(template, [_as_operand(leaf) for leaf in leaves])
    dots = op.unbind(template, tangents)
    flat_out = list(out) if isinstance(out, tuple | list) else [out]
    total = None
    for index in op.differentiable:
        if not _has_tangent(dots[index]):
            continue
        name = op.names[index]
        saved = op.saved_values([name], args, flat_out)
        pulled = _pull_back(op, name, saved, args[index])
        flows = [jnp.issubdtype(x.dtype, jnp.inexact) for x in flat_out]
        avals = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in flat_out]
        diff_avals = [a for a, flow in zip(avals, flows, strict=True) if flow]
        if not diff_avals:
            continue
        transposed = jax.linear_transpose(functools.partial(pulled, avals), *diff_avals)
        dot = _conjugate(_materialize(dots[index]))
        term = _conjugate(transposed(dot))
        total = term if total is None else [a + b for a, b in zip(total, term, strict=True)]
    tangent = _with_float0(flat_out, total)
    return tangent[0] if not isinstance(out, tuple | list) else type(out)(tangent)


def _pull_back(op: Op, name: str, saved: dict, primal):
    """The formula of one input as a function of the gradients of the inexact outputs."""

    def pulled(avals, *diff_grads):
        items = iter(diff_grads)
        grads = [
            next(items) if jnp.issubdtype(a.dtype, jnp.inexact) else jnp.zeros(a.shape, a.dtype)
            for a in avals
        ]
        result = op.apply_formula(name, grads, saved)
        if isinstance(primal, tuple):
            return tuple(
                fit(g, jnp.shape(p), p.dtype)
                for g, p in zip(result, primal, strict=True)
                if p is not None
            )
        return fit(result, jnp.shape(primal), jnp.result_type(primal))

    return pulled


def fit(grad, shape: tuple[int, ...], dtype):
    """``grad`` as a gradient of an input: summed over what was broadcast, in the input's dtype.

    A real input of a complex function takes the real part (PyTorch's ``handle_r_to_c``).
    """
    grad = jnp.asarray(grad)
    if grad.shape != shape:
        lead = grad.ndim - len(shape)
        ones = tuple(
            i + lead for i, n in enumerate(shape) if n == 1 and grad.shape[i + lead] != 1
        )
        grad = jnp.sum(grad, axis=(*range(lead), *ones), keepdims=True)
        grad = jax.lax.reshape(grad, shape)
    if jnp.iscomplexobj(grad) and not jnp.issubdtype(dtype, jnp.complexfloating):
        grad = jnp.real(grad)
    return grad if grad.dtype == dtype else grad.astype(dtype)


# -- declaring -------------------------------------------------------------------------------------


def op(aten: str, *, grad_fn: str | None = None, vjp: Any = None, **flags) -> Callable[..., Op]:
    """Declare an op. See the module's docstring; flags are

    ``is_view``: the output shares memory with ``self``. ``inplace``: there is a ``name_``.
    ``outputs``: the names of the outputs, or the string ``"list"`` for a list of unknown length.
    ``dunder``: the operator's name, ``"mul"`` for ``*``. ``promotes``: tensor arguments are brought
    to PyTorch's common dtype first (``"float"``: integers to the default dtype too; a tuple: only
    these arguments). ``face``: where users find it, ``"tensor"`` (function and method), ``"torch"``
    (function only), ``"method"``, ``"nn"``, ``"linalg"``, ``"special"``, ``"fft"`` or ``"private"``.
    ``geometry``: the rule for the strides of a view.
    """

    def declare(fn: Callable) -> Op:
        declared = Op(fn, aten, grad_fn, vjp or {}, flags)
        if aten in REGISTRY:
            raise DeclarationError(f"{aten} is declared twice")
        REGISTRY[aten] = declared
        return declared

    return declare


class Composite:
    """A public function made of ops; ``face`` and ``inplace`` as in `op`."""

    def __init__(self, fn, name, face, inplace=False, dunder=None):
        functools.update_wrapper(self, fn)
        self.fn, self.name, self.face, self.inplace, self.dunder = fn, name, face, inplace, dunder
        COMPOSITES[name if face in ("tensor", "torch", "method") else f"{face}.{name}"] = self

    def __call__(self, /, *args, **kwargs):
        return self.fn(*args, **kwargs)

    def __repr__(self):
        return f"<function {self.name}>"


def composite(name: str | None = None, *, face: str = "tensor", inplace: bool = False):
    """Declare a function that is written in other ops and so needs no formula of its own."""

    def declare(fn: Callable) -> Composite:
        return Composite(fn, name or fn.__name__, face, inplace)

    return declare


class Overloads(Composite):
    """One public name for several ops, chosen by the kinds of the arguments, first match first.

    A number counts as a tensor only if no overload takes it as a number.
    """

    def __init__(self, name: str, *ops: Op, doc: str | None = None):
        self.ops = ops
        self._chosen: dict = {}
        first = ops[0]
        super().__init__(
            first.fn, name, first.face, any(o.inplace for o in ops), next((o.dunder for o in ops), None)
        )
        self.__name__ = name
        self.__doc__ = doc or "\n\n".join(o.__doc__ or "" for o in ops)

    def __call__(self, /, *args, **kwargs):
        return self.choose(args, kwargs)(*args, **kwargs)

    def choose(self, args: Sequence, kwargs: dict) -> Op:
        """The op that takes these arguments; the choice depends on their types alone."""
        key = (*map(type, args), *kwargs, *map(type, kwargs.values()))
        found = self._chosen.get(key)
        if found is None:
            found = self._chosen[key] = self._search(args, kwargs)
        return found

    def _search(self, args, kwargs) -> Op:
        for numbers_too in (False, True):
            for candidate in self.ops:
                if _accepts(candidate, args, kwargs, numbers_too):
                    return candidate
        given = ", ".join([type(a).__name__ for a in args] + [f"{k}=..." for k in kwargs])
        options = "\n".join(f"  * ({', '.join(map(str, o.names))})" for o in self.ops)
        raise TypeError(
            f"{self.name}() received an invalid combination of arguments - got ({given}), but "
            f"expected one of:\n{options}"
        )


def overloads(name: str, *ops: Op) -> Overloads:
    """Publish ``ops`` under one name."""
    return Overloads(name, *ops)


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
    """Whether ``x`` counts as a tensor argument: an array, or an owner such as a stateful Tensor."""
    return isinstance(x, jax.Array | np.ndarray | np.generic) or hasattr(type(x), "__funcgrad_op__")


def _parameters(fn) -> list[Parameter]:
    found = []
    for p in inspect.signature(fn, eval_str=True).parameters.values():
        kind, convert = signatures.classify(p.annotation)
        found.append(Parameter(p.name, kind, p.default, p.kind is p.KEYWORD_ONLY, convert))
    return found


def _takes_varargs(op: Op) -> bool:
    """``x.view(2, 3)``: a trailing `Size` also takes its integers one by one."""
    last = op.params[op._positional - 1]
    return last.kind == "static" and last.convert is signatures.size


def _accepts(op: Op, args, kwargs, numbers_too: bool) -> bool:
    try:
        full = op._complete(args, kwargs)
    except TypeError:
        return False
    return all(_fits(p, arg, numbers_too) for p, arg in zip(op.params, full, strict=True))


def _fits(param: Parameter, arg, numbers_too: bool) -> bool:
    if arg is None:
        return param.default is None
    if param.kind == "tensor":
        return is_tensor(arg) or (numbers_too and isinstance(arg, signatures.NUMBERS))
    if param.kind == "tensors":
        return isinstance(arg, list | tuple) and all(x is None or is_tensor(x) for x in arg)
    if param.kind == "scalar":
        return isinstance(arg, signatures.NUMBERS)
    if isinstance(arg, list | tuple) or is_tensor(arg):
        return param.convert is signatures.size and not is_tensor(arg)
    if param.convert is None:
        return True
    try:
        param.convert(arg)
    except TypeError:
        return False
    return True


def _is_small(number, default) -> bool:
    """Small integers are few, and worth knowing to the compiler: ``pow(x, 2)``.

    Not where the default is a float: equal numbers of two types must not share a template.
    """
    return type(number) is int and -4 <= number <= 4 and type(default) is not float


def _fill(entry, items):
    if entry is HOLE:
        return next(items)
    if type(entry) is tuple and any(item is HOLE for item in entry):
        return tuple(next(items) if item is HOLE else item for item in entry)
    return entry


@functools.cache
def _formula_parameters(formula) -> tuple[str, ...]:
    return tuple(inspect.signature(formula).parameters)


def _shapes(arg):
    return tuple(map(jnp.shape, arg)) if isinstance(arg, tuple | list) else jnp.shape(arg)


def _as_operand(leaf):
    """Python numbers stay weakly typed; numpy arrays become arrays."""
    return leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf)


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
        return jnp.zeros(dot.shape, dot.dtype)
    return _as_operand(dot)


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


def _derive(op: Op, names: Derived) -> dict[str, Callable]:
    """Formulas that are ops themselves, so that they can be differentiated again."""
    return {name: _derived_formula(op, name) for name in names}


def _derived_formula(op: Op, name: str):
    signature = inspect.signature(op.fn, eval_str=True)
    wanted = ["grads" if isinstance(op.outputs, str) or len(op.outputs) > 1 else "grad", *op.names]

    @functools.cache
    def backward_op() -> Op:
        return _backward_op(op, name, signature)

    def formula(*arguments):
        grads, *rest = arguments
        if isinstance(op.outputs, str) or not isinstance(grads, list):
            grads = [grads]
        return backward_op()(*grads, *rest)

    formula.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(w, inspect.Parameter.POSITIONAL_OR_KEYWORD) for w in wanted]
    )
    return formula


def _backward_op(op: Op, name: str, signature: inspect.Signature) -> Op:
    """The op ``(grad..., *inputs) -> gradient of input name``, itself derived."""
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if isinstance(op.outputs, str):
        heads = [inspect.Parameter("cotangents", keyword, annotation=signatures.Tensors)]
    elif len(op.outputs) == 1:
        heads = [inspect.Parameter("cotangent", keyword)]
    else:
        heads = [inspect.Parameter(f"cotangent_{o}", keyword) for o in op.outputs]
    tails = [p.replace(kind=keyword, default=p.empty) for p in signature.parameters.values()]
    index = op.names.index(name)

    def backward(*arguments):
        grads, args = arguments[: len(heads)], list(arguments[len(heads) :])

        def of_one(x):
            args[index] = x
            holes = [HOLE] * len(args)
            return op.run(tuple(holes), args)

        out, pull = jax.vjp(of_one, args[index])
        grads = grads[0] if isinstance(op.outputs, str) else grads
        flat, tree = jax.tree.flatten(out)
        cotangents = [_cotangent(g, o) for g, o in zip(grads, flat, strict=True)]
        return _conjugate(pull(jax.tree.unflatten(tree, cotangents))[0])

    backward.__signature__ = inspect.Signature([*heads, *tails])  # type: ignore[attr-defined]
    backward.__doc__ = f"The gradient of `{op.name}` with respect to `{name}`, as JAX derives it."
    again = Derived([*(h.name for h in heads), *op.vjp])
    stem = (op.grad_fn or op.name).rstrip("0123456789")
    return Op(backward, f"{op.aten}_backward_{name}", f"{stem}Backward0", again, {"face": "private"})


def _cotangent(grad, out):
    if not jnp.issubdtype(out.dtype, jnp.inexact):
        return np.zeros(out.shape, jax.dtypes.float0)
    return _conjugate(jnp.broadcast_to(grad, out.shape).astype(out.dtype))
