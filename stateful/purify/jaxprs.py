"""A traced program as data: what it does not need is dropped, and it is cut in two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jax.extend import core
from jax.extend.core import ClosedJaxpr, Jaxpr, Var


def needed(jaxpr: Jaxpr, outputs: Sequence[Any]) -> tuple[list, set[Var]]:
    """The equations that ``outputs`` depend on (and those with effects), and all that they read."""
    wanted = {v for v in outputs if isinstance(v, Var)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if equation.effects or any(v in wanted for v in equation.outvars):
            kept.append(equation)
            wanted.update(v for v in equation.invars if isinstance(v, Var))
    return kept[::-1], wanted


def pruned(closed: ClosedJaxpr, outputs: Sequence[int]) -> tuple[ClosedJaxpr, list[int]]:
    """The program for some of the outputs, and which of the inputs it needs."""
    jaxpr = closed.jaxpr
    outvars = [jaxpr.outvars[i] for i in outputs]
    equations, wanted = needed(jaxpr, outvars)
    inputs = [i for i, v in enumerate(jaxpr.invars) if v in wanted]
    return _program(closed, [jaxpr.invars[i] for i in inputs], outvars, equations), inputs


def split(closed: ClosedJaxpr, outputs: int, late: int) -> tuple[ClosedJaxpr, ClosedJaxpr, int]:
    """Cut a program whose last ``late`` inputs come later, after ``outputs`` of the outputs are known.

    The first part gives these outputs and then what the second part needs of it, so many; the second
    takes that and the late inputs and gives the other outputs.
    """
    jaxpr = closed.jaxpr
    first_in, late_in = jaxpr.invars[: len(jaxpr.invars) - late], jaxpr.invars[len(jaxpr.invars) - late :]
    dependent, second = set(late_in), []
    for equation in jaxpr.eqns:
        if any(isinstance(v, Var) and v in dependent for v in equation.invars):
            dependent.update(equation.outvars)
            second.append(equation)
    second_out = jaxpr.outvars[outputs:]
    constants = set(jaxpr.constvars)
    read = dict.fromkeys(
        v for v in [*(v for e in second for v in e.invars), *second_out]
        if isinstance(v, Var) and v not in dependent and v not in constants
    )  # fmt: skip
    carried = list(read)
    first_out = [*jaxpr.outvars[:outputs], *carried]
    first_eqns, _ = needed(jaxpr, first_out)
    first = _program(closed, first_in, first_out, first_eqns)
    return first, _program(closed, [*carried, *late_in], second_out, second), len(carried)


def _program(closed: ClosedJaxpr, inputs, outputs, equations) -> ClosedJaxpr:
    effects = set().union(*(e.effects for e in equations)) if equations else set()
    jaxpr = Jaxpr(closed.jaxpr.constvars, list(inputs), list(outputs), equations, effects)
    return ClosedJaxpr(jaxpr, closed.consts)


def as_function(closed: ClosedJaxpr):
    """A program as a function of its inputs that returns a list."""
    return core.jaxpr_as_fun(closed)


