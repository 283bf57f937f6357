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


def split(
    closed: ClosedJaxpr, outputs: int, late: int
) -> tuple[ClosedJaxpr, ClosedJaxpr, list[int], int]:
    """Cut a program whose last ``late`` inputs come after ``outputs`` of its outputs are known.

    Returns both parts, the inputs of the first that the second needs, and how many values it needs
    besides. The first part gives its outputs and then these values; the second takes the inputs,
    the values and the late inputs and gives the other outputs.
    """
    jaxpr = closed.jaxpr
    early = len(jaxpr.invars) - late
    first_in, late_in = jaxpr.invars[:early], jaxpr.invars[early:]
    dependent, second = set(late_in), []
    for equation in jaxpr.eqns:
        if any(isinstance(v, Var) and v in dependent for v in equation.invars):
            dependent.update(equation.outvars)
            second.append(equation)
    second_out = jaxpr.outvars[outputs:]
    known = dependent | set(jaxpr.constvars)
    read = dict.fromkeys(
        v for v in [*(v for e in second for v in e.invars), *second_out]
        if isinstance(v, Var) and v not in known
    )  # fmt: skip
    given = [i for i, v in enumerate(first_in) if v in read]
    values = [v for v in read if v not in set(first_in)]
    first_out = [*jaxpr.outvars[:outputs], *values]
    equations, _ = needed(jaxpr, first_out)
    first = _program(closed, first_in, first_out, [e for e in equations if e not in second])
    second_in = [*(first_in[i] for i in given), *values, *late_in]
    return first, _program(closed, second_in, second_out, second), given, len(values)


def _program(closed: ClosedJaxpr, inputs, outputs, equations) -> ClosedJaxpr:
    effects = set().union(*(e.effects for e in equations)) if equations else set()
    jaxpr = closed.jaxpr.replace(
        invars=list(inputs), outvars=list(outputs), eqns=list(equations), effects=effects
    )
    return ClosedJaxpr(jaxpr, closed.consts)


def as_function(closed: ClosedJaxpr):
    """A program as a function of its inputs that returns a list."""
    return core.jaxpr_as_fun(closed)
