"""A step as one compiled program, and the tensors that one set of Python objects gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import jax
import numpy as np

from funcgrad.random import State, to_traced

from ..compiler_options import jit, products_in
from ..dispatch import wrap
from ..execute import Aval, Value
from ..graph import FREED
from ..lazy import flush
from ..tensor import Tensor
from ..views import Counter, Storage
from .arguments import Arguments
from .differentiable import (
    Backward,
    CompiledFunctionBackward,
    Targets,
    differentiable_outputs,
    pull_back,
)  # fmt: skip
from .errors import PurifyError
from .guard import Guard
from .jaxprs import as_function, pruned
from .trace import New, Roots, Traced, run
from .transition import Transition
from .world import World

WORDS = len(State._fields)


class Program:
    """What a step does to a world of certain facts with arguments of a certain key.

    ``donated``: leaves that are read and written; ``written``: leaves that are only written;
    ``read``: leaves that are only read; ``words`` and ``moved``: words of generator states that are
    read, and that change. The compiled function takes donated, read, words, rates and arguments,
    and gives ``count`` outputs, the changed leaves (those of before up to ``changed``, then those
    that appear), the moved words up to ``settled``, and writes to arguments.
    """

    def __init__(self, roots: Roots, world: World, arguments: Arguments):
        self.names = list(world.leaves)
        self.loops: dict[int, Callable] = {}
        self.keep = world.keep
        self.closed, traced, self.backward = trace_with_backward(roots, world, arguments)
        self.tree = traced.tree
        self.template = [_NEW if isinstance(x, New) else x for x in traced.outputs]
        self.is_single = self.tree.num_leaves == 1 and jax.tree.structure(0) == self.tree
        self.transition = None
        if traced.after.facts != world.facts:
            self.transition = Transition(world, traced.after)
        self.after = traced.after
        self.after.forget()
        self.replaced = [
            name for name, tensor in world.tensors.items()
            if traced.after.tensors.get(name, tensor) is not tensor
        ]  # fmt: skip
        self.hidden = traced.watch.hidden_tensors()
        if self.hidden:
            return
        self._arrange(world, traced)

    def is_new(self, part: Any) -> bool:
        """Whether a part of the output is made at each call."""
        return part is _NEW

    def carried(self) -> list[tuple[int, int]]:
        """The state that is both read and changed: which output takes the place of which input."""
        leaves = [(self.count + i, i) for i in range(len(self.donated))]
        first, place = self.settled - len(self.moved), len(self.donated) + len(self.read)
        words = [
            (first + nr, place + self.words.index(i)) for nr, i in enumerate(self.moved)
            if i in self.words
        ]  # fmt: skip
        return leaves + words

    def _arrange(self, world: World, traced: Traced) -> None:
        """Order inputs and outputs, and compile."""
        count = sum(isinstance(x, New) for x in traced.outputs)
        changed = traced.changed
        leaves, words = len(world.leaves), WORDS * len(world.generators)
        jaxpr = self.closed.jaxpr
        state_out = jaxpr.outvars[count + len(changed) : count + len(changed) + words]
        state_in = jaxpr.invars[leaves : leaves + words]
        moved = [i for i in range(words) if state_out[i] is not state_in[i]]
        rest = range(count + len(changed) + words, len(jaxpr.outvars))
        first = [*range(count + len(changed)), *(count + len(changed) + i for i in moved), *rest]
        _, used = pruned(self.closed, first)
        if self.backward is not None:
            used = sorted({*used, *self.backward.given})
        names = [self.names[i] for i in used if i < leaves]
        was_there = [n for n in changed if n in world.leaves]
        self.donated = [n for n in names if n in changed]
        self.written = [n for n in was_there if n not in names]
        self.appearing = [n for n in changed if n not in world.leaves]
        self.read = [n for n in names if n not in changed]
        order = {n: count + changed.index(n) for n in changed}
        self.outputs = [
            *range(count), *(order[n] for n in (*self.donated, *self.written, *self.appearing)),
            *first[count + len(changed) :],
        ]  # fmt: skip
        self.bumps = [traced.bumps[n] for n in (*self.donated, *self.written)]
        self.count, self.moved = count, moved
        self.avals = [Aval.of(v.aval.shape, v.aval.dtype) for v in jaxpr.outvars[:count]]
        self.changed = count + len(was_there)
        self.settled = count + len(changed) + len(moved)
        place = {n: i for i, n in enumerate(self.names)}
        others = [i for i in used if i >= leaves]
        self.words = [i - leaves for i in others if i < leaves + words]
        self.has_rates = leaves + words in others
        self.arguments = [i - leaves - words - 1 for i in others if i > leaves + words]
        self.writes = [(index, kind) for index, kind, _ in traced.argument_writes]
        inputs = [*(place[n] for n in (*self.donated, *self.read)), *others]
        self.function = _reordered(self.closed, inputs, self.outputs)
        donate = () if self.backward else tuple(range(len(self.donated)))
        if self.backward is not None:
            self.given = [inputs.index(i) for i in self.backward.given]
        with jax.enable_x64(True):
            products = products_in(self.closed.jaxpr)
            self.jitted = jit(self.function, products, donate_argnums=donate)


def _reordered(closed, inputs: list[int], outputs: list[int]) -> Callable:
    """A program as a function of some of its inputs in another order."""
    smaller, used = pruned(closed, outputs)
    call = as_function(smaller)
    where = [inputs.index(i) for i in used]

    def program(*arrays):
        return call(*[arrays[i] for i in where])

    return program


def trace(
    roots: Roots, world: World, arguments: Arguments, late: Sequence[Any] = (),
    extend: Callable | None = None,
) -> tuple[Any, Traced]:  # fmt: skip
    """The step as a jaxpr: leaves, generator words, rates, arguments, ``late`` -> outputs, changed
    leaves, generator words, writes to arguments, and what ``extend(traced, late)`` returns."""
    found: list[Traced] = []

    def function(leaves, words, rates, arrays, late):
        found.append(run(
            roots, world, dict(zip(world.leaves, leaves, strict=True)),
            {n: State(*words[WORDS * i : WORDS * (i + 1)]) for i, n in enumerate(world.generators)},
            {n: rates[i] for i, n in enumerate(world.rates)},
            lambda: arguments.call(roots.step, arrays),
            lambda traced: extend(traced, late) if extend else None,
        ))  # fmt: skip
        return _results(found[-1], world)

    flush()
    leaves = [s.value.aval.struct for s in world.leaves.values()]
    words = [x for g in world.generators.values() for x in to_traced(g.state)]
    rates = jax.ShapeDtypeStruct((len(world.rates),), np.float64)
    arrays = [jax.ShapeDtypeStruct(np.shape(a), a.dtype) for a in arguments.arrays]
    with jax.enable_x64(True):
        closed = jax.make_jaxpr(function)(leaves, words, rates, arrays, list(late))
    return closed, found[-1]


def trace_with_backward(
    roots: Roots, world: World, arguments: Arguments
) -> tuple[Any, Traced, Backward | None]:
    """`trace`, and the backward pass of the outputs if the caller may want it."""
    closed, traced = trace(
        roots, world, arguments, (), lambda traced, _: differentiable_outputs(traced, world)
    )
    outputs = traced.extended
    if not outputs or traced.watch.hidden:
        return closed, traced, None
    made = [x for x in traced.outputs if isinstance(x, New)]
    grads = [jax.ShapeDtypeStruct(made[i].array.shape, made[i].array.dtype) for i in outputs]
    targets = Targets(world, traced)

    def extend(traced, late):
        wanted = targets.of(world, traced.arguments)
        return pull_back(traced, outputs, wanted, late)

    try:
        closed, traced = trace(roots, world, arguments, grads, extend)
    except RuntimeError as error:
        if str(error) != FREED:
            raise
        return closed, traced, None
    reached = [i for i, grad in enumerate(traced.extended) if grad is not None]
    backward = Backward(closed, len(closed.jaxpr.outvars) - len(reached), outputs, targets, reached)
    return backward.first, traced, backward


def _results(traced: Traced, world: World) -> list:
    outputs = [x.array for x in traced.outputs if isinstance(x, New)]
    changed = [traced.leaves[n] for n in traced.changed]
    words = [x for n in world.generators for x in traced.states[n]]
    return [*outputs, *changed, *words, *[array for _, _, array in traced.argument_writes],
            *[grad for grad in (traced.extended or ()) if isinstance(grad, jax.Array)]]  # fmt: skip


_NEW = object()


class Binding:
    """A program with the tensors, generators and rates that it works on. This is the hot path."""

    def __init__(self, program: Program, world: World):
        self.program = program
        self.guard = Guard(world)
        take = world.leaves.__getitem__
        self.written: list[Storage] = [take(n) for n in (*program.donated, *program.written)]
        self.bumps = list(zip(self.written, program.bumps, strict=True))
        self.read: list[Storage] = [take(n) for n in program.read]
        self.donated = len(program.donated)
        self.generators = list(world.generators.values())
        self.words = program.words
        self.moved = program.moved
        self.replaced = [world.tensors[n] for n in program.replaced]
        self.expected_tensors = [_TENSOR_REFERENCES] * len(self.replaced)
        self.places = _places(world, self.replaced) if self.replaced else []
        self.targets: list[Tensor] = []
        if program.backward is not None:
            self.targets = [world.tensors[n] for n in program.backward.targets.names]
        self.expected_values = [_VALUE_REFERENCES] * len(self.written)
        self.expected_arrays = [_ARRAY_REFERENCES] * self.donated

    def is_held(self) -> bool:
        """Whether somebody else holds a tensor (a gradient, say) that the step replaces."""
        return list(map(getrefcount, self.replaced)) != self.expected_tensors

    def renew(self) -> None:
        """Put new tensors in place of those that the step replaces; the old ones stay."""
        for containers, tensor in zip(self.places, self.replaced, strict=True):
            twin: Any = object.__new__(type(tensor))
            storage = Storage(tensor._storage.value)
            vars(twin).update(vars(tensor), _storage=storage, _counter=storage)
            for container, key in containers:
                container[key] = twin

    def run(self, arguments: Arguments) -> Any:
        """One step."""
        program = self.program
        outs, kept = self.advance(program.jitted, arguments.arrays)
        if program.writes:
            writes = outs[program.settled : program.settled + len(program.writes)]
            _write_arguments(program.writes, arguments, writes)
        if program.transition is not None:
            leaves = dict(zip(program.appearing, outs[program.changed :], strict=False))
            names = (*program.donated, *program.written)
            for name, storage in zip(names, self.written, strict=True):
                leaves[name] = storage.value.array
            program.transition.apply(leaves)
        if kept is not None:
            return self._differentiable_output(outs, kept, arguments)
        return self._output(outs)

    def advance(self, jitted: Any, given: Sequence, steps: int = 1) -> tuple[list, list | None]:
        """Run the program, or a loop around it, and put the new state in place of the old one.

        Returns everything that it gave, and what a backward pass will need.
        """
        program = self.program
        values = [storage.value for storage in self.written]
        feed = [v.array for v in values[: self.donated]]
        alone = (
            list(map(getrefcount, values)) == self.expected_values
            and list(map(getrefcount, feed)) == self.expected_arrays
        )
        if not alone:
            feed = self._own(values, feed)
        for storage in self.read:
            value = storage.value
            feed.append(value.read() if value.array is None else value.array)
        if self.words:
            words = [x for g in self.generators for x in to_traced(g.state)]
            feed += [words[i] for i in self.words]
        if program.has_rates:
            feed.append(self.guard.vector)
        if program.arguments:
            feed += [given[i] for i in program.arguments]
        with jax.enable_x64(True):
            outs = jitted(*feed)
        kept = None
        if program.backward is not None:
            kept = [feed[i] for i in program.given]
            kept += outs[len(outs) - program.backward.kept :]
        del feed
        changed = outs[program.count : program.changed]
        if alone:
            for value, out in zip(values, changed, strict=False):
                value.array = out
        else:
            for storage, out in zip(self.written, changed, strict=False):
                storage.value = Value(storage.value.aval, out)
        for storage, bump in self.bumps:
            storage.version += bump * steps
        if self.moved:
            self._move_generators(outs[program.settled - len(self.moved) :])
        return outs, kept

    def _own(self, values: list[Value], feed: list) -> list:
        """Arrays that may be given away: those that somebody else also holds are copied."""
        flush()
        feed[:] = [v.read() for v in values[: self.donated]]
        owned = []
        for i in range(self.donated):
            array = feed[i]
            shared = (
                getrefcount(values[i]) > _VALUE_REFERENCES_ALONE
                or getrefcount(array) > _ARRAY_REFERENCES + 1
            )
            owned.append(copied(array) if shared else array)
        return owned

    def _move_generators(self, outs: list) -> None:
        """Give the generators the words of their states that have changed."""
        for g, generator in enumerate(self.generators):
            words = list(to_traced(generator.state))
            for out, i in zip(outs, self.moved, strict=False):
                if i // WORDS == g:
                    words[i % WORDS] = out
            generator.state = State(*words)

    def _output(self, outs: list) -> Any:
        program = self.program
        if program.is_single:
            part = program.template[0]
            return wrap(Value(program.avals[0], outs[0])) if part is _NEW else part
        items = map(wrap, map(Value, program.avals, outs))
        parts = [next(items) if p is _NEW else p for p in program.template]
        return jax.tree.unflatten(program.tree, parts)

    def _kept_as_they_are(self, arguments: Arguments) -> list[Counter]:
        """Counters of what the program only reads and its backward pass will read again."""
        program = self.program
        before = self.donated + len(self.read) + len(program.words) + program.has_rates
        data = arguments.data()
        state = [self.read[i - self.donated] for i in program.given
                 if self.donated <= i < self.donated + len(self.read)]  # fmt: skip
        given = [data[program.arguments[i - before]] for i in program.given if i >= before]
        return [*state, *(t._counter for t in given if isinstance(t, Tensor))]

    def _differentiable_output(self, outs: list, kept: list, arguments: Arguments) -> Any:
        program = self.program
        backward: Any = program.backward
        made = [wrap(Value.of(out)) for out in outs[: program.count]]
        targets = [*self.targets, *(arguments.data()[i] for i in backward.targets.arguments)]
        node = CompiledFunctionBackward(
            backward, kept, targets, [made[i]._aval for i in backward.outputs]
        )
        node.saved = [(counter, counter.version) for counter in self._kept_as_they_are(arguments)]
        for nr, i in enumerate(backward.outputs):
            made[i]._set_history(node, nr)
        items = iter(made)
        parts = [next(items) if p is _NEW else p for p in program.template]
        return jax.tree.unflatten(program.tree, parts)


def _places(world: World, tensors: list[Tensor]) -> list[list[tuple[Any, Any]]]:
    """Where in dictionaries and lists these tensors are."""
    found: dict[int, list] = {id(t): [] for t in tensors}
    for container, content in world.saved:
        if isinstance(container, dict | list):
            items = content.items() if isinstance(content, dict) else enumerate(content)
            for key, value in items:
                if id(value) in found:
                    found[id(value)].append((container, key))
    return [found[id(t)] for t in tensors]


def copied(array: Any) -> Any:
    with jax.enable_x64(True):
        return jax.numpy.array(array, copy=True)


def _write_arguments(writes: list, arguments: Arguments, outs: list) -> None:
    data = arguments.data()
    for (index, kind), out in zip(writes, outs, strict=True):
        item = data[index]
        if not isinstance(item, Tensor):
            raise PurifyError(
                f"the step writes to argument {index}, which is an array and cannot be written to: "
                "pass a Tensor."
            )
        if kind == "grad":
            item._grad = wrap(Value.of(out))
        else:
            item.copy_(wrap(Value.of(out)))  # type: ignore[attr-defined]


def _references() -> tuple[int, int]:
    """How often a value, and its array, are referred to in `Binding.run` if nobody else does."""
    storages = [Storage(Value.of(np.zeros(3)))]
    values = [storage.value for storage in storages]
    feed = [v.array for v in values[:1]]
    return list(map(getrefcount, values))[0], list(map(getrefcount, feed))[0]


_VALUE_REFERENCES, _ARRAY_REFERENCES = _references()
_VALUE_REFERENCES_ALONE = _VALUE_REFERENCES
_TENSOR_REFERENCES = 4
"""Of a tensor that a step replaces: its place, the guard, the binding, and the one who counts."""
