"""One run of a step on tracers: state in, state out, and the Python world as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax

from funcgrad.random import to_traced

from ..dispatch import wrap
from ..execute import Value
from ..graph import sequence_numbers
from ..random import Generator
from ..tensor import Tensor
from .errors import PurifyError, naming_the_line
from .watch import Watch, watching
from .world import World


class Roots:
    """Where the search for state begins: the step, and arguments that are objects."""

    def __init__(self, step: Callable, objects: Sequence[tuple[str, Any]] = ()):
        self.step = step
        self.objects = tuple(objects)
        self.hidden: list = []

    def world(self, substitutes: Sequence[Any] | None = None, since: int = 0) -> World:
        """What can be reached now, or after a trace."""
        return World([("", self.step), *self.objects], self.hidden, substitutes, since)


class Traced:
    """What a run on tracers gave.

    ``leaves``: the arrays of the state afterwards, by name; ``states``: those of the generators;
    ``changed``: names whose array is another one than before. ``arrays`` and ``tree``: the output.
    ``argument_writes``: (number of the argument, "value" or "grad", array).
    """

    after: World
    leaves: dict[str, Any]
    changed: list[str]
    bumps: dict[str, int]
    states: dict[str, Any]
    outputs: list[Any]
    tree: Any
    arguments: list[Tensor]
    argument_writes: list[tuple[int, str, Any]]
    watch: Watch
    extended: Any = None


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a leaf of a tree of arguments or outputs."""
    return isinstance(x, Tensor)


def run(
    roots: Roots, world: World, leaves: Mapping[str, Any], states: Mapping[str, Any],
    rates: Mapping[str, Any], call: Callable[[], tuple[Any, list[tuple[Tensor, Any]]]],
    extend: Callable | None = None,
) -> Traced:  # fmt: skip
    """``call()`` in ``world`` with these arrays in place of its values.

    ``call`` returns the step's output and the argument tensors it made, with their gradients.
    ``extend`` may look at the result before the world is put back; what it returns is kept in
    ``extended``.
    """
    before = roots.world()
    result = Traced()
    since = next(sequence_numbers)
    with watching(world.leaves[name] for name in leaves) as watch:
        try:
            world.install()
            fed = {name: Value.of(array) for name, array in leaves.items()}
            for name, storage in world.leaves.items():
                if name in fed:
                    storage.value = fed[name]
            for name, generator in world.generators.items():
                generator.state = states[name]
            substitutes = {name: wrap(Value.of(rates[name])) for name in world.rates}
            for name, rate in world.rates.items():
                rate.write(substitutes[name])
                watch.made.add(substitutes[name]._storage)
            versions = {name: s.version for name, s in world.leaves.items()}
            watch.on = True
            with naming_the_line():
                output, made = call()
                result.arguments = [tensor for tensor, _ in made]
                result.argument_writes = list(_argument_writes(made))
                _read_output(result, output, {id(t) for t in world.tensors.values()})
                if extend is not None:
                    result.extended = extend(result)
            watch.on = False
            after = roots.world(list(substitutes.values()), since)
            result.after, result.watch = after, watch
            result.leaves = {name: s.value.read() for name, s in after.leaves.items()}
            result.changed = [
                name for name, storage in after.leaves.items()
                if name not in fed or storage.value is not fed[name]
            ]  # fmt: skip
            result.bumps = {n: s.version - versions.get(n, 0) for n, s in after.leaves.items()}
            result.states = {name: _traced_state(g) for name, g in after.generators.items()}
        finally:
            watch.on = False
            before.install()
    return result


def _argument_writes(made: list[tuple[Tensor, Any]]) -> Iterator[tuple[int, str, Any]]:
    """What the step wrote to its arguments: to their elements, or their gradients."""
    for index, (tensor, grad) in enumerate(made):
        if tensor._storage.version:
            yield index, "value", tensor._array
        now = tensor._grad
        if now is not None and (now is not grad or now._storage.version):
            yield index, "grad", now._array


def _traced_state(generator: Generator) -> Any:
    return to_traced(generator.state)


class New:
    """An output that is made by the program."""

    def __init__(self, tensor: Any):
        self.array = tensor._array if isinstance(tensor, Tensor) else tensor
        self.tensor = tensor


def _read_output(result: Traced, output: Any, own: set[int]) -> None:
    """Outputs that the program makes, and others, tensors of the state among them, as they are."""
    items, result.tree = jax.tree.flatten(output, is_leaf=is_tensor)
    result.outputs = [
        New(x) if isinstance(x, Tensor | jax.Array) and id(x) not in own else x for x in items
    ]


def check_settled(world: World, after: World) -> None:
    """Raise if the step changes what the next program would depend on, once more."""
    before, now = set(world.facts), set(after.facts)
    changes = [fact for fact in after.facts if fact not in before]
    gone = [fact for fact in world.facts if fact not in now]
    new = [name for name in after.leaves if name not in world.leaves]
    if new:
        raise PurifyError(
            "state that appears after the first step: the step makes "
            f"{', '.join(map(repr, new[:5]))} each time it runs. A compiled step has a fixed set "
            "of tensors: make them before, or return them from the step instead of collecting them."
        )
    names = list(dict.fromkeys(str(fact[0]) for fact in changes + gone))
    raise PurifyError(
        f"the step changes {', '.join(map(repr, names[:5]))} on the Python side each time it runs "
        f"(from {[f[-1] for f in gone[:3]]} to {[f[-1] for f in changes[:3]]}), and a compiled "
        "step cannot repeat that. Keep such a value in a tensor, or change it outside of the step."
    )
