"""`purify`: an imperative step as a pure function ``(state, *args) -> (state, out)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funcgrad.random import State as GeneratorState
from funcgrad.random import to_traced

from ..lazy import flush
from .arguments import Arguments
from .errors import PurifyError
from .trace import New, Roots, Traced, check_settled, run
from .transition import Transition
from .world import World


@jax.tree_util.register_pytree_with_keys_class
class State(Mapping):
    """The state of a step: arrays by dotted names, a pytree.

    Parameters, buffers, gradients and optimizer state are arrays; learning rates and other numbers
    of an optimizer are float64 scalars; generators are `funcgrad.random.State`.

    >>> import stateful as torch
    >>> w = torch.zeros(2)
    >>> torch.purify(lambda: w.add_(1)).state()
    State(
      w: float32[2]
      random: generator
    )
    """

    def __init__(self, world: World, values: dict[str, Any]):
        self._world, self._values = world, values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def replace(self, **values: Any) -> State:
        """This state with other values under some names (as a dictionary: ``replace(**{...})``).

        Raises KeyError for a name that is not in the state.
        """
        unknown = values.keys() - self._values.keys()
        if unknown:
            raise KeyError(f"no {sorted(unknown)} in the state, which has {list(self._values)}")
        return State(self._world, {**self._values, **values})

    def tree_flatten_with_keys(self):
        children = [(jax.tree_util.DictKey(n), v) for n, v in self._values.items()]
        return children, (self._world, tuple(self._values))

    def tree_flatten(self):
        return list(self._values.values()), (self._world, tuple(self._values))

    @classmethod
    def tree_unflatten(cls, aux, children):
        world, names = aux
        return cls(world, dict(zip(names, children, strict=True)))

    def __repr__(self) -> str:
        lines = [f"  {name}: {_described(value)}" for name, value in self._values.items()]
        return "State(\n" + "\n".join(lines) + "\n)"


def _described(value: Any) -> str:
    if hasattr(value, "dtype"):
        return f"{value.dtype}{list(np.shape(value))}"
    return "generator" if isinstance(value, GeneratorState) else repr(value)


class Pure:
    """``pure(state, *args) -> (state, out)``: the step without side effects. See `purify`.

    >>> import stateful as torch
    >>> w = torch.zeros(2)
    >>> pure = torch.purify(lambda: w.add_(1))
    >>> state, _ = pure(pure.state())
    >>> state["w"], w
    (Array([1., 1.], dtype=float32), tensor([0., 0.]))
    """

    def __init__(self, step: Callable):
        self.step = step
        self._roots = Roots(step)
        self._worlds: dict[tuple, World] = {}
        self._settling: dict[World, int] = {}
        self._untouched: set = set()

    def __repr__(self):
        return f"<pure {self.step!r}>"

    def state(self) -> State:
        """The state of the tensors, optimizers and generators as they are now."""
        flush()
        world = self._roots.world()
        return State(self._known(world), self._values_of(world))

    def load(self, state: Mapping) -> None:
        """Write a state into the tensors, optimizers and generators that it was taken from.

        Raises ValueError if a shape does not fit, as after `jax.vmap`.
        """
        target = self._world_of(state)
        current = self._roots.world()
        arrays = {n: state[n] for n in target.leaves if n in state}
        for name, array in arrays.items():
            wanted = target.leaves[name].value.aval.shape
            if np.shape(array) != wanted:
                raise ValueError(
                    f"state {name!r} has shape {list(np.shape(array))}, but the tensor it belongs "
                    f"to has {list(wanted)}: take one element of a batch of states."
                )
        Transition(current, target, by_name=True).apply(arrays)
        for name, rate in target.rates.items():
            rate.write(float(state[name]))
        for name, generator in target.generators.items():
            generator.state = state[name]

    def __call__(self, state: Mapping, /, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """One step from ``state``."""
        world = self._world_of(state)
        traced = self._run(world, state, Arguments(args, kwargs))
        if traced.watch.hidden:
            raise PurifyError(
                f"the step reads {len(traced.watch.hidden)} tensors that are not in the state: "
                "give purify example arguments with which the step touches all that it ever will."
            )
        following = self._follow(world, traced.after)
        after = traced.after
        values = {n: traced.leaves[n] for n in after.leaves if self._is_state(after, n)}
        values.update((n, state[n]) for n in world.rates)
        values.update((n, traced.states[n]) for n in following.generators)
        made = State(following, {n: values[n] for n in self._names(following)})
        outputs = [
            x.array if isinstance(x, New) else getattr(x, "_array", x) for x in traced.outputs
        ]
        out = jax.tree.unflatten(traced.tree, outputs)
        return (made if isinstance(state, State) else dict(made)), out

    # -- inside ----------------------------------------------------------------------------------

    def discover(self, args: tuple, kwargs: dict) -> None:
        """Find what the step touches with these arguments; everything else is not state."""
        arguments = Arguments(args, kwargs)
        found: list[Traced] = []

        def probe(state, arrays):
            arguments.arrays = arrays
            found.append(self._run(world, state, arguments))
            return 0

        while True:
            world = self._roots.world()
            state = dict(self._values_of(world))
            with jax.enable_x64(True):
                jax.eval_shape(probe, state, arguments.arrays)
            touched = found[-1].watch.touched
            if not found[-1].watch.hidden:
                break
            self._roots.hidden.extend(found[-1].watch.hidden_tensors())
        self._untouched = {s for s in world.leaves.values() if s not in touched}

    def _run(self, world: World, state: Mapping, arguments: Arguments) -> Traced:
        leaves = {n: _array(state[n]) for n in world.leaves if n in state}
        states = {n: GeneratorState(*state[n]) for n in world.generators}
        rates = {n: _array(state[n]) for n in world.rates}
        arrays = list(arguments.arrays)
        return run(
            self._roots, world, leaves, states, rates, lambda: arguments.call(self.step, arrays)
        )

    def _names(self, world: World) -> list[str]:
        leaves = [n for n in world.leaves if self._is_state(world, n)]
        return [*leaves, *world.rates, *world.generators]

    def _is_state(self, world: World, name: str) -> bool:
        return world.leaves[name] not in self._untouched

    def _values_of(self, world: World) -> dict[str, Any]:
        with jax.enable_x64(True):
            values: dict[str, Any] = {
                n: jnp.asarray(s.value.read())
                for n, s in world.leaves.items() if self._is_state(world, n)
            }  # fmt: skip
            values.update((n, jnp.asarray(r.read(), jnp.float64)) for n, r in world.rates.items())
        values.update((n, to_traced(g.state)) for n, g in world.generators.items())
        return values

    def _known(self, world: World) -> World:
        """The one world with these facts."""
        known = self._worlds.get(world.facts)
        if known is None:
            world.forget()
            known = self._worlds[world.facts] = world
        return known

    def _world_of(self, state: Mapping) -> World:
        if isinstance(state, State):
            return state._world
        for world in reversed(self._worlds.values()):
            if set(self._names(world)) == state.keys():
                return world
        raise PurifyError(
            f"no state of this step has just these names: {list(state)}. Start from `state()`."
        )

    def _follow(self, world: World, after: World) -> World:
        if after.facts == world.facts:
            return world
        following = self._known(after)
        steps = self._settling.get(world, 0)
        if following is after and steps:
            del self._worlds[after.facts]
            check_settled(world, after)
        self._settling.setdefault(following, steps + 1)
        return following


def _array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else np.asarray(x)


def purify(step: Callable, *args: Any, **kwargs: Any) -> Pure:
    """``step`` as a pure function ``(state, *args) -> (state, out)`` of arrays.

    ``step`` is an imperative training step (forward, ``backward()``, ``optimizer.step()``,
    ``zero_grad()``) or a Module. ``args``: example arguments. With them the step is looked at
    once, without running it, and the state is just what it touches; without them it is every
    tensor that the step's variables lead to. ``pure.state()`` is the state now, `pure.load` puts
    one back. The first step may add to the state (gradients, optimizer state), the ones after it
    may not; so take one step before `jax.lax.scan`.

    `jax.jit`, `jax.vmap`, `jax.lax.scan`, `jax.export` and sharding apply. A state remembers the
    Python side that it belongs to (``training`` flags and the like), so a jitted function is
    traced anew for a state that was taken after a change.

    >>> import jax
    >>> import stateful as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> def step(x):
    ...     w.grad = None
    ...     loss = (w * x).sum()
    ...     loss.backward()
    ...     return loss
    >>> x = torch.tensor([1.0, 2.0])
    >>> pure = torch.purify(step, x)
    >>> state, loss = jax.jit(pure)(pure.state(), x._array)
    >>> print(loss, state["w.grad"], w.grad)
    3.0 [1. 2.] None
    """
    pure = Pure(step)
    try:
        inspect.signature(step).bind(*args, **kwargs)
    except TypeError:
        if args or kwargs:
            raise
        return pure
    pure.discover(args, kwargs)
    return pure
