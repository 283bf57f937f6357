"""Chunks of training steps: started without waiting, checked when their results are read."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..sharding import Layout
from .data import Source
from .guard import NonFiniteError, all_finite, explain, first_bad_leaf
from .step import TrainState


@dataclasses.dataclass
class Chunk:
    """A chunk on its way: where it began, and what will come out.

    >>> Chunk(0, 10, None, None, None, None).length
    10
    """

    start: int
    length: int
    before: TrainState | None
    state: Any
    output: Any
    finite: Any


class ChunkRunner:
    """Compiles and runs chunks of `step` over `source`."""

    def __init__(
        self,
        step: Callable,
        loss_fn: Callable,
        optimizer: optax.GradientTransformation,
        source: Source,
        key: jax.Array | None,
        layout: Layout | None,
        has_aux: bool,
        guard: bool,
        checkpoint: Any,
    ) -> None:
        self.step, self.loss_fn, self.optimizer = step, loss_fn, optimizer
        self.source, self.layout, self.has_aux, self.guard = source, layout, has_aux, guard
        self.checkpoint = checkpoint
        self.constants = source.constants()
        self.key = key
        if layout is not None:
            self.constants = layout.replicate(self.constants)
        # Without the guard nobody needs the state before the chunk: its memory is used again.
        self.compiled = jax.jit(
            self._run, static_argnames="length", donate_argnums=() if guard else 0
        )

    def start(self, state: TrainState, start: int, length: int) -> Chunk:
        """Start a chunk of `length` steps; returns before they are done."""
        items = self.source.chunk(start, length)
        if self.layout is not None:
            items = self.layout.replicate(items)
            self.shardings = jax.tree.map(lambda leaf: leaf.sharding, state)
        with _lost_processes(self.checkpoint):
            after, output, finite = self.compiled(
                state, self.constants, items, self.key, length=length
            )
        return Chunk(start, length, state if self.guard else None, after, output, finite)

    def results(self, chunk: Chunk) -> tuple[np.ndarray, Any]:
        """The losses and metrics of a chunk, waited for.

        Raises:
            NonFiniteError: the guard is on and something is not finite.
        """
        with _lost_processes(self.checkpoint):
            losses = np.asarray(chunk.output.loss)
            metrics = jax.tree.map(np.asarray, chunk.output.metrics)
        if self.guard and not (np.isfinite(losses).all() and bool(chunk.finite)):
            self._raise_first_bad(chunk)
        return losses, metrics

    def _run(self, state: Any, constants: Any, items: Any, key: Any, *, length: int) -> tuple:
        def body(state: TrainState, item: Any) -> tuple:
            after, output = self.step(state, *self._batch(state, constants, item, key))
            return self._pinned(after), output

        state, output = jax.lax.scan(body, state, items, length)
        finite = all_finite((state.params, state.optimizer_state)) if self.guard else True
        if self.layout is not None:  # every process reads these
            output, finite = self.layout.spread((output, jnp.asarray(finite)))
        return state, output, finite

    def _batch(self, state: TrainState, constants: Any, item: Any, key: Any) -> tuple:
        batch = self.source.batch(constants, item, state.step)
        if self.layout is not None:
            batch = self.layout.cut_batch(batch)
        return (batch,) if key is None else (batch, jax.random.fold_in(key, state.step))

    def _pinned(self, after: TrainState) -> TrainState:
        """The new state laid out like the first one, so that the layout never drifts."""
        if self.layout is None:
            return after
        return jax.tree.map(jax.lax.with_sharding_constraint, after, self.shardings)

    def _raise_first_bad(self, chunk: Chunk) -> None:
        """Run the chunk again, step by step, and say where the first bad number comes from."""
        state = chunk.before
        items = self.source.chunk(chunk.start, chunk.length)
        batch_of = jax.jit(self._batch)
        single = jax.jit(self.step)
        for i in range(chunk.length):
            item = jax.tree.map(lambda leaf, i=i: leaf[i], items)
            batch = batch_of(state, self.constants, item, self.key)
            after, output = single(state, *batch)
            if not all_finite((output.loss, after.params, after.optimizer_state)):
                found = explain(self.loss_fn, self.optimizer, state, batch, self.has_aux)
                found = found or first_bad_leaf(after, "state") or "not found again"
                raise NonFiniteError(
                    f"training met a number that is not finite in step {chunk.start + i} (counted "
                    f"from 0): {found}; the loss is {output.loss}. Everything computed before it "
                    "was finite",
                    chunk.start + i,
                    found.split(" is ")[0],
                )
            state = after
        raise NonFiniteError(
            f"training met a number that is not finite between the steps {chunk.start} and "
            f"{chunk.start + chunk.length}; running them one by one did not show it again",
            chunk.start,
            "unknown",
        )


@contextlib.contextmanager
def _lost_processes(checkpoint: Any) -> Iterator[None]:
    """Turns the runtime's error about a lost process into words, when there are several."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if jax.process_count() == 1:
            raise
        remedy = "pass checkpoint= to go on from where it was"
        if checkpoint:
            remedy = f"it goes on from the checkpoint {checkpoint}"
        raise RuntimeError(
            f"process {jax.process_index()} of {jax.process_count()} lost another process of this "
            f"training run, or its connection. Start all processes again: {remedy}. The runtime "
            f"said: {str(error).splitlines()[0]}"
        ) from error
