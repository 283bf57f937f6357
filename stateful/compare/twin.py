"""How a functional twin reports, and what is learned from it besides.

A twin is a file `functional.py` beside `torch_style.py` that defines

    def main(record=lambda name, **values: None): ...

It does the same work, prints the same lines, and calls `record` where the PyTorch program computes
gradients and where its optimizer steps:

    record("backward", loss=loss, grads={"w": gradient})
    record("step", params={"w": w})

The names are those of the PyTorch program's variables; of a dotted name the twin may leave out the
outer part. Run as a script, a twin simply does its work.
"""

from __future__ import annotations

import functools
import itertools
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .naming import UserCode
from .trace import Event, Quantity, TraceWriter

_ROLES = {"grads": ("grad", ".grad"), "params": ("param", "")}
_CALLS = ("custom_jvp_call", "custom_vjp_call", "jit", "closed_call")
_LONGEST = 500
_KINDS = ("backward", "grad", "step")
_TRANSFORMS = ("value_and_grad", "grad", "vjp", "jacrev", "jacfwd", "hessian")


class TwinRecorder:
    """The `record` that a twin gets."""

    def __init__(self, trace: TraceWriter, user: UserCode) -> None:
        self._trace = trace
        self._user = user

    def __call__(self, name: str, **values: Any) -> None:
        """Writes the event `name` ("backward", "grad" or "step") with its values."""
        if name not in _KINDS:
            raise ValueError(f'record("{name}", ...): the events of a twin are {", ".join(_KINDS)}')
        quantities: list[Quantity] = []
        for key, value in values.items():
            role, suffix = _ROLES.get(key, ("root", ""))
            leaves = _flatten("", value) if key in _ROLES else _flatten(key, value)
            quantities += [_quantity(inner + suffix, role, leaf) for inner, leaf in leaves]
        self._trace.write(Event(name, self._user.line(), quantities=tuple(quantities)))


def _quantity(name: str, role: str, value: Any) -> Quantity:
    array = np.asarray(value)
    dtype = str(array.dtype)
    return Quantity.of(
        name, role, array.astype(np.float32) if dtype == "bfloat16" else array, dtype
    )


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Names the leaves of nested dicts, tuples and lists as Python would reach them."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        yield from _flatten(name, value._asdict())  # type: ignore[attr-defined]
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _flatten(f"{name}[{index}]", inner)
    else:
        yield name, value


def compact(closed: Any) -> str:
    """A jaxpr as one line an equation, calls opened and parameters left out.

    A long one is cut off.

    >>> import jax
    >>> print(compact(jax.make_jaxpr(jax.jit(lambda x: x * x + 1.0))(2.0)))
    a:f32[]
    b:f32[] = mul a a
    c:f32[] = add b 1.0
    """
    names: dict[Any, str] = {}
    fresh = _letters()

    def name(atom: Any) -> str:
        if hasattr(atom, "val"):
            return str(atom.val)
        if atom not in names:
            names[atom] = next(fresh)
        return names[atom]

    def typed(variable: Any) -> str:
        return f"{name(variable)}:{variable.aval.str_short(short_dtypes=True)}"

    def equations(jaxpr: Any) -> Iterator[str]:
        for equation in jaxpr.eqns:
            inner = equation.params.get("call_jaxpr") or equation.params.get("jaxpr")
            if inner is None or not equation.primitive.name.endswith(_CALLS):
                right = " ".join(name(atom) for atom in equation.invars)
                # Calls of one function share its variables, so these may have old names.
                names.update((variable, next(fresh)) for variable in equation.outvars)
                left = " ".join(typed(variable) for variable in equation.outvars)
                yield f"{left} = {equation.primitive.name} {right}"
                continue
            inner = getattr(inner, "jaxpr", inner)
            names.update(zip(inner.invars, map(name, equation.invars), strict=True))
            yield from equations(inner)
            names.update(zip(equation.outvars, map(name, inner.outvars), strict=True))

    jaxpr = closed.jaxpr
    constants = [typed(variable) for variable in jaxpr.constvars]
    arguments = " ".join(constants + [typed(variable) for variable in jaxpr.invars])
    return "\n".join([arguments, *itertools.islice(equations(jaxpr), _LONGEST)])


def _letters() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "".join(letters)


def watch_transforms(trace: TraceWriter) -> None:
    """Writes down the jaxpr of the first function that the twin differentiates, for the picture."""
    import funcgrad

    seen: list[bool] = []
    for name in _TRANSFORMS:
        original = getattr(funcgrad, name, None)
        if original is not None:
            setattr(funcgrad, name, _watched(name, original, trace, seen))


def _watched(name: str, original: Callable, trace: TraceWriter, seen: list[bool]) -> Callable:
    import jax

    @functools.wraps(original)
    def transform(function: Callable, *args: Any, **kwargs: Any) -> Any:
        result = original(function, *args, **kwargs)
        if not callable(result):
            return result

        @functools.wraps(result)
        def first(*inputs: Any, **options: Any) -> Any:
            if not seen:
                seen.append(True)
                text = compact(jax.make_jaxpr(functools.partial(function, **options))(*inputs))
                trace.write(Event("jaxpr", label=name, text=text))
            return result(*inputs, **options)

        return first

    return transform
