"""`fit`: the whole training run around the compiled loop."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import optax
from jax.sharding import Mesh, PartitionSpec

from ..sharding import Layout
from ..transforms.leaves import as_differentiable
from .data import make_source
from .history import History
from .loop import Chunk, ChunkRunner
from .progress import TrainingBar
from .resume import BestSoFar, RunState, load_run, save_run
from .step import TrainState, init_state, make_step


@dataclasses.dataclass(frozen=True)
class FitResult:
    """What `fit` returns.

    Attributes:
        params: the parameters after the last step.
        ema: their moving average, or None.
        best_params: the parameters (or their average) of the best evaluation, or None.
        best_step: the number of steps done before that evaluation.
        state: everything, to go on with `make_step`.
        history: losses, metrics and evaluations.
        stopped: "finished", or "early" when the evaluations stopped improving.

    >>> FitResult(None, None, None, None, TrainState(2, None, None), History(), "early")
    FitResult(2 steps, early, History(0 steps, 0 evaluations))
    """

    params: Any
    ema: Any
    best_params: Any
    best_step: int | None
    state: TrainState
    history: History
    stopped: str

    def __repr__(self) -> str:
        return f"FitResult({int(self.state.step)} steps, {self.stopped}, {self.history})"


def fit(
    loss_fn: Callable,
    params: Any,
    data: Any,
    optimizer: optax.GradientTransformation | Callable[[Any], optax.GradientTransformation],
    steps: int,
    *,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    has_aux: bool = False,
    key: jax.Array | None = None,
    schedule: float | Callable | None = None,
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    ema: float | None = None,
    evaluate: Callable[[Any], Any] | None = None,
    evaluate_every: int | None = None,
    monitor: str = "loss",
    patience: int | None = None,
    min_delta: float = 0.0,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int | None = None,
    resume: bool = True,
    guard: bool = True,
    chunk: int | None = None,
    mesh: Mesh | None = None,
    data_axis: str | None = None,
    shard_params: Mapping[str, PartitionSpec] | None = None,
    progress: bool | None = None,
) -> FitResult:
    """Train `params` for `steps` optimizer steps and return them with their history.

    The steps run in compiled loops of `chunk` steps: by default a twentieth of all, but at least
    100 and at most 1000. Between two chunks Python draws the progress bar, evaluates, and writes
    the checkpoint.

    Args:
        loss_fn: `loss_fn(params, batch)`, or `loss_fn(params, batch, key)` when `key` is given,
            returns the scalar loss; with `has_aux`, `(loss, {name: scalar})`, recorded per step.
        params: a pytree of floating or complex arrays. It is copied, not changed.
        data: an array or a tuple or dictionary of arrays; or a function from the step number to a
            batch, traced into the loop; or a list or another iterable of batches alike in shape.
        optimizer: an optax transformation; or a function from the learning rate to one, which gets
            `schedule`.
        batch_size, shuffle, seed: how batches are cut from arrays (`ArraySource`).
        key: a random key; every step gets its own, a function of this key and the step number.
        schedule: a learning rate or an optax schedule for an optimizer that is a function.
        accumulate, clip_norm, clip_value, ema: as for `make_step`.
        evaluate: `evaluate(params)` returns a number or `{name: number}`; gets the moving average
            when there is one. Called every `evaluate_every` steps and at the end.
        monitor, patience, min_delta: stop when the evaluation `monitor` has not fallen by more than
            `min_delta` for `patience` evaluations in a row.
        checkpoint: a file that is written every `checkpoint_every` steps and at the end. If it
            exists and `resume` is true, training goes on from it, to the very bits that the
            uninterrupted run would have reached.
        guard: stop with an error that names the first leaf that is NaN or infinite. Costs a second
            copy of the state; without it the memory of the state that `evaluate` is given is used
            again, so it must not be kept.
        mesh, data_axis, shard_params: train on several devices (`funcgrad.sharding.Layout`).
        progress: draw the bar; by default on a terminal only.

    Raises:
        NonFiniteError: the guard found NaN or infinity.
        CheckpointError: the checkpoint is damaged or belongs to another run.
        ValueError, TypeError, RuntimeError: arguments that do not fit, with the leaf's path.

    >>> import jax.numpy as jnp
    >>> def loss(params, batch):
    ...     return ((params["w"] * batch["x"] - batch["y"]) ** 2).mean()
    >>> data = {"x": jnp.array([1.0, 2.0]), "y": jnp.array([2.0, 4.0])}
    >>> result = fit(loss, {"w": jnp.array(0.0)}, data, optax.sgd(0.1), steps=50)
    >>> round(float(result.params["w"]), 4)
    2.0
    """
    _check_arguments(steps, chunk, evaluate, evaluate_every, patience, checkpoint, checkpoint_every)
    chunk = chunk or min(max(steps // 20, 100), 1000)
    params = as_differentiable(params, "params")
    if not jax.tree.leaves(params):
        raise ValueError("fit: params has no arrays")
    optimizer = _with_schedule(optimizer, schedule)
    source = make_source(data, batch_size, shuffle, seed)
    layout = None if mesh is None else Layout(mesh, data_axis, shard_params or {})
    step = make_step(
        loss_fn,
        optimizer,
        has_aux=has_aux,
        accumulate=accumulate,
        clip_norm=clip_norm,
        clip_value=clip_value,
        ema=ema,
        jit=False,
    )
    run = RunState(_place(init_state(params, optimizer, ema=ema), layout), History(), BestSoFar())
    if checkpoint is not None and resume and Path(checkpoint).exists():
        run = load_run(checkpoint, run)
    runner = ChunkRunner(step, loss_fn, optimizer, source, key, layout, has_aux, guard, checkpoint)
    every = (chunk, evaluate_every or steps, checkpoint_every or steps)

    pieces: list = []

    def consume(done: Chunk | None) -> None:
        if done is not None:
            pieces.append(runner.results(done))
            bar.update(done.start + done.length, pieces[-1][0][-1])

    done = int(run.state.step)
    stopped = _is_stale(run.best, patience)
    pending = None
    with TrainingBar(steps, done, progress and jax.process_index() == 0) as bar:
        while done < steps and not stopped:
            started = runner.start(run.state, done, _next_boundary(done, steps, every) - done)
            consume(pending)  # the device works on the next chunk meanwhile
            pending, run.state, done = started, started.state, done + started.length
            evaluating = evaluate and _is_due(done, steps, evaluate_every)
            saving = checkpoint is not None and _is_due(done, steps, checkpoint_every)
            if evaluating or saving:
                consume(pending)
                pending = None
                run.history.extend(pieces)
            if evaluating:
                averaged = run.state.params if ema is None else run.state.ema
                run.record(evaluate(averaged), averaged, monitor, min_delta)  # type: ignore[misc]
                stopped = _is_stale(run.best, patience)
            if saving or (stopped and checkpoint is not None):
                save_run(checkpoint, run)  # type: ignore[arg-type]
        consume(pending)
    run.history.extend(pieces)
    return FitResult(
        run.state.params,
        run.state.ema,
        run.best.params,
        run.best.step,
        run.state,
        run.history,
        "early" if stopped else "finished",
    )


def _check_arguments(
    steps: int,
    chunk: int | None,
    evaluate: Any,
    evaluate_every: int | None,
    patience: int | None,
    checkpoint: Any,
    checkpoint_every: int | None,
) -> None:
    if steps < 0:
        raise ValueError(f"fit: steps={steps} must not be negative")
    periods = {
        "chunk": chunk,
        "evaluate_every": evaluate_every,
        "checkpoint_every": checkpoint_every,
    }
    for name, value in periods.items():
        if value is not None and value < 1:
            raise ValueError(f"fit: {name}={value} must be positive")
    if evaluate is None and (evaluate_every is not None or patience is not None):
        raise ValueError("fit: evaluate_every and patience need evaluate=, a function of params")
    if checkpoint is None and checkpoint_every is not None:
        raise ValueError("fit: checkpoint_every needs checkpoint=, the file to write")


def _with_schedule(optimizer: Any, schedule: Any) -> optax.GradientTransformation:
    # Every optax transformation, GradientTransformationExtraArgs too, is this named tuple.
    if isinstance(optimizer, optax.GradientTransformation) and schedule is None:
        return optimizer
    if callable(optimizer) and schedule is not None:
        return optimizer(schedule)  # type: ignore[return-value]
    raise TypeError(
        "fit: pass an optax transformation, or a function from the learning rate to one together "
        f"with schedule=; got optimizer={type(optimizer).__name__} and schedule={schedule}"
    )


def _place(state: TrainState, layout: Layout | None) -> TrainState:
    if layout is None:
        return state
    params = layout.place_params(state.params)
    rest = layout.place_like(state._replace(params=None), params)
    return rest._replace(params=params)


def _next_boundary(step: int, steps: int, every: tuple[int, ...]) -> int:
    """The next step at which Python takes over.

    A function of the step alone, so that a resumed run is cut in the same chunks.
    """
    return min(steps, *((step // period + 1) * period for period in every if period))


def _is_due(step: int, steps: int, every: int | None) -> bool:
    return step == steps or (every is not None and step % every == 0)


def _is_stale(best: BestSoFar, patience: int | None) -> bool:
    return patience is not None and best.waited >= patience
