"""What happened in a training run, and its picture."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import jax
import numpy as np

from ..transforms.modules import named_parameters


@dataclasses.dataclass
class History:
    """The loss (and metrics) of every step, and every evaluation.

    Attributes:
        loss: one number per step, before the step's update.
        metrics: what `loss_fn` returned beside the loss, one array per name.
        evaluations: `(step, {name: number})` in order; `step` counts the steps done.

    >>> history = History(np.array([2.0, 1.0]), {}, [(2, {"loss": 1.5})])
    >>> history
    History(2 steps, loss 2 -> 1, 1 evaluations)
    """

    loss: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    metrics: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    evaluations: list[tuple[int, dict[str, float]]] = dataclasses.field(default_factory=list)

    def __repr__(self) -> str:
        ends = f", loss {self.loss[0]:.6g} -> {self.loss[-1]:.6g}" if len(self.loss) else ""
        return f"History({len(self.loss)} steps{ends}, {len(self.evaluations)} evaluations)"

    def extend(self, pieces: list[tuple[np.ndarray, Any]]) -> None:
        """Add the losses and metrics of some chunks of steps, and empty the list."""
        if not pieces:
            return
        old = [self.loss] if len(self.loss) else []
        self.loss = np.concatenate([*old, *(losses for losses, _ in pieces)])
        named = [named_parameters(metrics) for _, metrics in pieces]
        for name in named[0]:
            old = [self.metrics[name or "aux"]] if (name or "aux") in self.metrics else []
            self.metrics[name or "aux"] = np.concatenate([*old, *(part[name] for part in named)])
        pieces.clear()

    def as_tree(self) -> dict[str, Any]:
        """The arrays, for a checkpoint."""
        return {"loss": self.loss, "metrics": dict(self.metrics)}

    def plot(self, path: str | os.PathLike | None = None, *, log: bool = True) -> Any:
        """Draw the loss and the evaluations; save the figure to `path` if given and return it.

        Raises:
            ImportError: matplotlib is not installed.

        >>> figure = History(np.array([2.0, 1.0])).plot(getfixture("tmp_path") / "loss.png")
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                "History.plot needs matplotlib: pip install funcgrad[plot]"
            ) from error
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(np.arange(1, len(self.loss) + 1), self.loss, label="loss", linewidth=1)
        names = sorted({name for _, values in self.evaluations for name in values})
        for name in names:
            points = [(step, values[name]) for step, values in self.evaluations if name in values]
            axes.plot(*zip(*points, strict=True), marker="o", label=f"evaluation: {name}")
        if log and len(self.loss) and np.nanmin(self.loss) > 0:
            axes.set_yscale("log")
        axes.set_xlabel("step")
        axes.legend()
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure


def as_numbers(value: Any) -> dict[str, float]:
    """What an evaluation returned as a dictionary of floats; a single number is the loss.

    >>> as_numbers(0.5), as_numbers({"accuracy": np.float32(1)})
    ({'loss': 0.5}, {'accuracy': 1.0})
    """
    value = value if isinstance(value, dict) else {"loss": value}
    return {name: float(number) for name, number in jax.device_get(value).items()}
