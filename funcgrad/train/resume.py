"""The state of a whole run beside the training state, and its way to disk and back."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import jax
import jax.numpy as jnp

from .checkpoint import CheckpointError, load_checkpoint, load_metadata, save_checkpoint
from .history import History, as_numbers
from .step import TrainState


@dataclasses.dataclass
class BestSoFar:
    """The best evaluation, and how many evaluations ago it was.

    >>> BestSoFar().value
    inf
    """

    value: float = float("inf")
    step: int | None = None
    waited: int = 0
    params: Any = None


@dataclasses.dataclass
class RunState:
    """What a checkpoint holds: training state, history, best evaluation.

    >>> run = RunState(TrainState(3, {}, ()), History(), BestSoFar())
    >>> run.record(0.5, {"w": jnp.ones(2)}, "loss", 0.0)
    >>> run.best.step, run.history.evaluations
    (3, [(3, {'loss': 0.5})])
    """

    state: TrainState
    history: History
    best: BestSoFar

    def record(self, evaluation: Any, params: Any, monitor: str, min_delta: float) -> None:
        """Add an evaluation to the history; remember `params` if it is the best so far."""
        values, step = as_numbers(evaluation), int(self.state.step)
        self.history.evaluations.append((step, values))
        if monitor not in values:
            raise ValueError(
                f"fit: monitor={monitor!r} is not among what evaluate returned: {sorted(values)}"
            )
        if values[monitor] < self.best.value - min_delta or self.best.step is None:
            self.best = BestSoFar(values[monitor], step, 0, jax.tree.map(jnp.array, params))
        else:
            self.best.waited += 1


def save_run(path: str | os.PathLike, run: RunState) -> None:
    """Write `run` to the file `path`.

    >>> path = getfixture("tmp_path") / "run.npz"
    >>> run = RunState(TrainState(jnp.array(3), {"w": jnp.ones(2)}, ()), History(), BestSoFar())
    >>> save_run(path, run)
    >>> load_run(path, run).state.params
    {'w': Array([1., 1.], dtype=float32)}
    """
    best = {"value": run.best.value, "step": run.best.step, "waited": run.best.waited}
    metadata = {
        "best": best,
        "evaluations": run.history.evaluations,
        "metrics": sorted(run.history.metrics),
    }
    tree = {"state": run.state, "best": run.best.params, "history": run.history.as_tree()}
    save_checkpoint(path, tree, metadata)


def load_run(path: str | os.PathLike, like: RunState) -> RunState:
    """Read the file `path` that `save_run` wrote, into the structure and places of `like`."""
    metadata = load_metadata(path)
    if "evaluations" not in metadata:
        raise CheckpointError(f"{path} was not written by fit")
    # A series may hold several numbers a step, so its array is taken as the file has it.
    history = {
        "loss": _AsStored(),
        "metrics": {name: _AsStored() for name in metadata["metrics"]},
    }
    best = metadata["best"]
    best_like = None
    if best["step"] is not None:
        best_like = like.state.params if like.state.ema is None else like.state.ema
    tree, _ = load_checkpoint(path, {"state": like.state, "best": best_like, "history": history})
    evaluations = [(step, values) for step, values in metadata["evaluations"]]
    return RunState(
        tree["state"],
        History(tree["history"]["loss"], tree["history"]["metrics"], evaluations),
        BestSoFar(best["value"], best["step"], best["waited"], tree["best"]),
    )


class _AsStored:
    """A leaf without a shape: anything fits."""
