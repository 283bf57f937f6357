"""One optimizer step over all parameters of a group as one kernel, on `funcgrad.optim`'s rules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from funcgrad import types
from funcgrad.optim import OptimizerState

from ..execute import Aval, Value, execute


class Layout(NamedTuple):
    """The static part of a step: how the flat list of arrays is to be read.

    ``options``: name and value, `DATA` where the value is data; ``counts``: how many different step
    counts there are; ``steps``: for each parameter the place of its count among them (-1: this is
    its first step); ``slots``: for each parameter the names of its slots; ``count_dtype``: of new
    counts.
    """

    options: tuple[tuple[str, Any], ...]
    counts: int
    steps: tuple[int, ...]
    slots: tuple[tuple[str, ...], ...]
    count_dtype: np.dtype


class Data:
    """Marks an option that is data, inside a static layout."""

    def __repr__(self):
        return "_"


DATA = Data()


class FusedStep:
    """``factory(**options)`` applied to every parameter; runs inside a kernel."""

    def __init__(self, factory: Callable):
        self.factory = factory

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """New parameters, each with its new slots, then the new step counts: of first steps, then
        of the others."""
        (layout,) = static
        items = iter(arrays)
        rule = self.factory(**{name: _filled(value, items) for name, value in layout.options})
        counts = [next(items) for _ in range(layout.counts)]
        params = [next(items) for _ in layout.steps]
        grads = [next(items) for _ in layout.steps]
        outs: list = []
        for param, grad, step, names in zip(params, grads, layout.steps, layout.slots, strict=True):
            state = rule.init([param])
            if step >= 0:
                slots = {name: [next(items)] for name in names}
                state = OptimizerState(counts[step].astype(jnp.int32), slots)
            updates, state = rule.update([grad], state, [param])
            outs += optax.apply_updates([param], updates)  # type: ignore[operator]
            outs += [state.slots[name][0] for name in names]
        first = jnp.ones((), layout.count_dtype)
        return (*outs, first, *[(count + 1).astype(count.dtype) for count in counts])

    trace = run

    def __repr__(self):
        return f"step_{self.factory.__name__}"


def _filled(value: Any, items: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_filled(v, items) for v in value)
    return next(items) if value is DATA else value


@functools.cache
def _fused(factory: Callable) -> FusedStep:
    return FusedStep(factory)


def split_options(options: dict[str, Any], static: Sequence[str] = ()) -> tuple[tuple, list]:
    """Options as a static part and data: numbers are data, except zero, which drops its term."""
    data: list = []

    def part(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(part(v) for v in value)
        if isinstance(value, bool | str) or value is None:
            return value
        if isinstance(value, int | float):
            if value == 0:
                return 0.0
            data.append(float(value))
        else:
            value = value._read()
            data.append(value if not value.aval.shape else _scalar(value))
        return DATA

    return tuple((k, v if k in static else part(v)) for k, v in options.items()), data


def _scalar(value: Value) -> float:
    return value.numpy().item()


class Update(NamedTuple):
    """What a step makes of one parameter: its new value, slots and step count."""

    value: Value
    slots: dict[str, Value]
    count: Value


def run(
    factory: Callable, options: dict[str, Any], static: Sequence[str], params: Sequence[Any],
    states: Sequence[dict[str, Any]], counts_steps: bool,
) -> list[Update]:  # fmt: skip
    """One step for parameters that have a gradient, each from its own state (empty at first)."""
    fixed, data = split_options(options, static)
    names = [slot_names(factory, fixed, param._aval) for param in params]
    counts: dict[int, tuple[int, Any]] = {}
    steps = []
    for state, known in zip(states, names, strict=True):
        step = _count_of(state, known, counts_steps)
        key = step if type(step) is int else id(step)
        steps.append(-1 if step is None else counts.setdefault(key, (len(counts), step))[0])
    slots = [
        state[name]._read()
        for state, known, step in zip(states, names, steps, strict=True)
        for name in known
        if step >= 0
    ]
    layout = Layout(fixed, len(counts), tuple(steps), tuple(names), types.default_dtype()
                    if types.default_dtype() == np.float64 else np.dtype(np.float32))  # fmt: skip
    leaves = [*data, *[value for _, value in counts.values()], *[p._read() for p in params],
              *[p.grad._read() for p in params], *slots]  # fmt: skip
    outs = iter(execute(_fused(factory), leaves, (layout,)))
    made = [(next(outs), {name: next(outs) for name in known}) for known in names]
    after = list(outs)
    return [Update(*pair, after[step + 1]) for pair, step in zip(made, steps, strict=True)]


_LATER = Value.of(np.ones((), np.float32))


def _count_of(state: dict[str, Any], known: tuple[str, ...], counts_steps: bool) -> Any:
    """The step count in a state; None before the first step.

    Rules that keep no count only ask whether this is the first step, which shows in their slots.
    """
    if counts_steps:
        return state["step"]._read() if "step" in state else None
    return _LATER if known and all(state.get(name) is not None for name in known) else None


@functools.lru_cache(maxsize=4096)
def slot_names(factory: Callable, static: tuple, aval: Aval) -> tuple[str, ...]:
    """The names of the slots that a rule keeps for a parameter, in PyTorch's order."""
    names: tuple[str, ...] = ()

    def init(param):
        nonlocal names
        rule = factory(**{name: _example(value) for name, value in static})
        names = tuple(rule.init([param]).slots)
        return param

    with jax.enable_x64(True):
        jax.eval_shape(init, aval.struct)
    return names


def _example(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_example(v) for v in value)
    return jnp.asarray(0.5) if value is DATA else value


def initial(factory: Callable, options: dict[str, Any], static: Sequence[str], param: Any) -> dict:
    """The slots of a parameter before its first step."""
    fixed, data = split_options(options, static)
    names = slot_names(factory, fixed, param._aval)
    values = execute(_initial(factory), [*data, param._read()], (fixed, names))
    return dict(zip(names, values, strict=True))


class InitialSlots:
    """The slots that ``factory(**options)`` makes for a parameter; runs inside a kernel."""

    def __init__(self, factory: Callable):
        self.factory = factory

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """The slots by name."""
        options, names = static
        items = iter(arrays)
        rule = self.factory(**{name: _filled(value, items) for name, value in options})
        slots = rule.init([next(items)]).slots
        return tuple(slots[name][0] for name in names)

    trace = run

    def __repr__(self):
        return f"init_{self.factory.__name__}"


@functools.cache
def _initial(factory: Callable) -> InitialSlots:
    return InitialSlots(factory)
