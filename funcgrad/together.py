"""Gradients of several inputs that one function computes together.

PyTorch computes the gradients of the input, the weight and the bias of a convolution in one call,
which is one node when it is recorded. ``together`` makes a formula for each input from such a
function; who runs the formulas on Tensors calls it once for all inputs that it needs.

Here is also what a formula says of the gradients of several outputs: which of them it asks for, and
by a default of None that it can do without one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Op = Any
"""`op.Op`, which knows nothing of this file."""


class Part:
    """The formula of one of the inputs ``names``: an item of what ``whole`` gives.

    ``whole``: takes a mask with a 1 for each of the inputs that is needed, and what it saves.
    """

    def __init__(self, whole: Callable, names: tuple[str, ...], index: int):
        self.whole, self.names, self.index = whole, names, index
        saved = list(inspect.signature(whole).parameters.values())[1:]
        self.__signature__ = inspect.Signature(saved)

    def __call__(self, *arguments):
        return self.whole(self.mask(self.names[self.index]), *arguments)[self.index]

    def mask(self, *needed: str) -> tuple[int, ...]:
        """1 for each of the inputs that is among ``needed``."""
        return tuple(int(name in needed) for name in self.names)


def together(whole: Callable, *names: str) -> dict[str, Part]:
    """The formulas of the inputs ``names``, whose gradients ``whole(mask, ...)`` gives in order."""
    return {name: Part(whole, names, index) for index, name in enumerate(names)}


def gradients(op: Op, names: Sequence[str], grads: Sequence, saved: dict) -> Iterator[Any]:
    """The results of the formulas of the inputs ``names``; a function of several is called once."""
    made: dict[Callable, Any] = {}
    for name in names:
        formula = op.vjp[name]
        if not isinstance(formula, Part):
            yield op.apply_formula(name, grads, saved)
            continue
        if formula.whole not in made:
            arguments = op.formula_arguments(name, grads, saved)
            made[formula.whole] = formula.whole(formula.mask(*names), *arguments)
        yield made[formula.whole][formula.index]


@functools.cache
def asked(op: Op) -> dict[int, tuple[int, ...]] | None:
    """For each input with a formula, the outputs whose gradients it asks for.

    None where they all ask for the same, so that a gradient which is there is asked for by all.
    """
    if isinstance(op.outputs, str) or len(op.outputs) == 1:
        return None
    found = {}
    for index in op.differentiable:
        formula = op.vjp[op.names[index]]
        given = getattr(formula, "asks", None)
        found[index] = _named(op, formula) if given is None else given
    return found if len(set(found.values())) > 1 else None


def _named(op: Op, formula: Callable) -> tuple[int, ...]:
    wanted = inspect.signature(formula).parameters
    every = range(len(op.outputs))
    if "grads" in wanted:
        return tuple(every)
    return tuple(
        i for i in every if f"grad_{op.outputs[i]}" in wanted or i == 0 and "grad" in wanted
    )


@functools.cache
def optional(op: Op) -> frozenset[int]:
    """The outputs for whose gradients all formulas that ask have a default of None."""
    if isinstance(op.outputs, str):
        return frozenset()
    formulas = [inspect.signature(formula).parameters for formula in op.vjp.values()]
    return frozenset(
        i for i, name in enumerate(op.outputs)
        if (found := [f[f"grad_{name}"] for f in formulas if f"grad_{name}" in f])
        and all(parameter.default is None for parameter in found)
    )  # fmt: skip
