"""One optimizer step over all parameters of a group as one kernel, on `funcgrad.optim`'s rules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from funcgrad.optim import OptimizerState

from ..execute import Value, execute


class Layout(NamedTuple):
    """The static part of a step: how the flat list of arrays is to be read.

    ``options``: name and number, or None where the number is data; ``steps``: for each parameter the
    place of its step count among the counts (-1: it has none yet); ``slots``: for each parameter the
    names of its slots, or None where they are still to be made.
    """

    options: tuple[tuple[str, Any], ...]
    counts: int
    steps: tuple[int, ...]
    slots: tuple[tuple[str, ...] | None, ...]


class Data:
    """Marks an option that is data, inside a static layout."""

    def __repr__(self):
        return "_"


DATA = Data()


class FusedStep:
    """``factory(**options)`` applied to every parameter; runs inside a kernel."""

    def __init__(self, factory: Callable, counts_steps: bool):
        self.factory, self.counts_steps = factory, counts_steps

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """New parameters, then the new slots of each, then its new step count."""
        (layout,) = static
        items = iter(arrays)
        options = {name: _filled(value, items) for name, value in layout.options}
        counts = [next(items) for _ in range(layout.counts)]
        rule = self.factory(**options)
        number = len(layout.steps)
        params = [next(items) for _ in range(number)]
        grads = [next(items) for _ in range(number)]
        outs: list[list] = []
        for i, names in enumerate(layout.slots):
            state = self._state(rule, params[i], names, layout.steps[i], counts, items)
            updates, state = rule.update([grads[i]], state, [params[i]])
            (new,) = optax.apply_updates([params[i]], updates)
            slots = {name: tree[0] for name, tree in state.slots.items() if tree[0] is not None}
            outs.append([new, *[slots[name] for name in sorted(slots)], state.count])
        return tuple(x for row in outs for x in row)

    def _state(self, rule, param, names, step, counts, items) -> OptimizerState:
        if names is None:
            return rule.init([param])
        count = counts[step] if self.counts_steps else jnp.ones((), jnp.int32)
        return OptimizerState(
            count.astype(jnp.int32).reshape(()), {name: [next(items)] for name in names}
        )

    trace = run

    def __repr__(self):
        return f"step_{self.factory.__name__}"


def _filled(value: Any, items: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_filled(v, items) for v in value)
    return next(items) if value is DATA else value


@functools.cache
def fused(factory: Callable, counts_steps: bool) -> FusedStep:
    """The one `FusedStep` of a rule."""
    return FusedStep(factory, counts_steps)


def split_options(options: dict[str, Any]) -> tuple[tuple, list]:
    """Options as a static part and data: numbers are data, except zero, which drops its term."""
    data: list = []

    def part(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(part(v) for v in value)
        if isinstance(value, bool | str) or value is None or type(value) is int and value == 0:
            return value
        if isinstance(value, int | float):
            value = float(value)
            if value == 0.0:
                return 0.0
        elif hasattr(value, "_read"):
            value = value._read()
        data.append(value)
        return DATA

    return tuple((name, part(value)) for name, value in options.items()), data


def run(
    factory: Callable, counts_steps: bool, options: dict[str, Any], params: Sequence[Any],
    states: Sequence[dict[str, Any]], slot_names: Sequence[tuple[str, ...] | None],
) -> list[tuple[Value, dict[str, Value], Value]]:  # fmt: skip
    """For each parameter its new value, its new slots and its new step count."""
    static, data = split_options(options)
    counts: dict[int, tuple[int, Value]] = {}
    steps = []
    for state, names in zip(states, slot_names, strict=True):
        if names is None or not counts_steps:
            steps.append(-1)
            continue
        value = state["step"]._read()
        steps.append(counts.setdefault(id(value), (len(counts), value))[0])
    slots = [
        state[name]._read()
        for state, names in zip(states, slot_names, strict=True)
        for name in names or ()
    ]
    layout = Layout(static, len(counts), tuple(steps), tuple(slot_names))
    leaves = [*data, *[value for _, value in counts.values()], *[p._read() for p in params],
              *[p.grad._read() for p in params], *slots]  # fmt: skip
    outs = iter(execute(fused(factory, counts_steps), leaves, (layout,)))
    results = []
    for names, param in zip(slot_names, params, strict=True):
        if names is None:
            names = slots_of(factory, static, param)
        new = next(outs)
        results.append((new, {name: next(outs) for name in names}, next(outs)))
    return results


@functools.lru_cache(maxsize=1024)
def _slot_names(factory: Callable, static: tuple, shape: tuple, dtype: Any) -> tuple[str, ...]:
    def init(param):
        options = {name: _example(value) for name, value in static}
        return factory(**options).init([param]).slots

    with jax.enable_x64(True):
        made = jax.eval_shape(init, jax.ShapeDtypeStruct(shape, dtype))
    return tuple(sorted(name for name, tree in made.items() if tree[0] is not None))


def _example(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_example(v) for v in value)
    return 0.5 if value is DATA else value


def slots_of(factory: Callable, static: tuple, param: Any) -> tuple[str, ...]:
    """The names of the slots that a rule keeps for a parameter, sorted."""
    return _slot_names(factory, static, param._aval.shape, param._aval.dtype)
