"""One optimizer step over all parameters of a group as one kernel, on `funcgrad.optim`'s rules."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from funcgrad import types
from funcgrad.optim import OptimizerState

from ..execute import Aval, Value, execute


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """The static part of a step: how the flat list of arrays is to be read. One for equal fields.

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


@functools.cache
def layout_of(options, counts, steps, slots, default_dtype) -> Layout:
    """The one layout with these fields."""
    wide = default_dtype == np.float64
    return Layout(options, counts, steps, slots, np.dtype(np.float64 if wide else np.float32))


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
def step_of(factory: Callable) -> FusedStep:
    """The one step of a rule."""
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


class Recipe(NamedTuple):
    """What the options say about a step: its static options, its data, the slots of parameters."""

    fixed: tuple
    data: list
    slots: tuple[tuple[str, ...], ...]


def recipe(factory: Callable, options: dict, static: Sequence[str], avals: tuple) -> Recipe:
    """The recipe for parameters with these avals. Options that are numbers are read once."""
    values = tuple(options.values())
    kinds = tuple(map(type, values))
    if not _PLAIN.issuperset(kinds):
        kinds = tuple(map(_kind, values))
    if None not in kinds:
        return _recipe(factory, tuple(options), values, kinds, tuple(static), avals)
    return _make_recipe(factory, options, static, avals)


_PLAIN = {float, int, bool, str, type(None)}


def _kind(value: Any) -> Any:
    """The type of a plain option, or the types in a tuple of them; None for what is not plain."""
    kind = type(value)
    if kind is not tuple:
        return kind if kind in _PLAIN else None
    kinds = tuple(map(type, value))
    return kinds if _PLAIN.issuperset(kinds) else None


@functools.lru_cache(maxsize=1024)
def _recipe(factory, names, values, kinds, static, avals) -> Recipe:
    return _make_recipe(factory, dict(zip(names, values, strict=True)), static, avals)


def _make_recipe(factory, options, static, avals) -> Recipe:
    fixed, data = split_options(options, static)
    return Recipe(fixed, data, tuple(slot_names(factory, fixed, aval) for aval in avals))


Update = tuple[Value, list[tuple[str, Value]], Value]
"""What a step makes of one parameter: its new value, slots and step count."""

_aval_of = operator.attrgetter("aval")


def run(
    factory: Callable, options: dict[str, Any], static: Sequence[str], params: Sequence[Any],
    states: Sequence[dict[str, Any]], counts_steps: bool,
) -> list[Update]:  # fmt: skip
    """One step for parameters that have a gradient, each from its own state (empty at first)."""
    values = _values(params)
    fixed, data, names = recipe(factory, options, static, tuple(map(_aval_of, values)))
    counts: dict[int, int] = {}
    leaves, steps, slots = data.copy(), [], []
    for state, known in zip(states, names, strict=True):
        count = count_of(state, known, counts_steps)
        if count is None:
            steps.append(-1)
            continue
        place = counts.get(id(count))
        if place is None:
            place = counts[id(count)] = len(counts)
            leaves.append(count)
        steps.append(place)
        slots += [state[name]._read() for name in known]
    layout = layout_of(fixed, len(counts), tuple(steps), names, types.default_dtype())
    leaves += values
    leaves += _values([param._grad for param in params])
    leaves += slots
    outs = execute(step_of(factory), leaves, (layout,))
    made, at = [], 0
    first = len(outs) - 1 - len(counts)
    for known, step in zip(names, steps, strict=True):
        after = at + 1 + len(known)
        slots = list(zip(known, outs[at + 1 : after], strict=True))
        made.append((outs[at], slots, outs[first + 1 + step]))
        at = after
    return made


def _values(tensors: Sequence[Any]) -> list[Value]:
    return [t._storage.value if t._view is None else t._read() for t in tensors]


_LATER = Value.of(np.ones((), np.float32))


def count_of(state: dict[str, Any], known: tuple[str, ...], counts_steps: bool) -> Any:
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
