"""The progress bar of a training run: steps, loss, steps a second."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import rich.console
import rich.progress


class TrainingBar:
    """A bar on the error stream, drawn by rich. `enabled=None` draws it only on a terminal.

    >>> with TrainingBar(10, 0, enabled=False) as bar:
    ...     bar.update(5, 0.1)
    """

    def __init__(self, steps: int, start: int, enabled: bool | None) -> None:
        self.bar: rich.progress.Progress | None = None
        if sys.stderr.isatty() if enabled is None else enabled:
            self.bar = rich.progress.Progress(
                rich.progress.TextColumn("training"),
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TextColumn("loss {task.fields[loss]}"),
                rich.progress.TextColumn("{task.fields[rate]} steps/s"),
                rich.progress.TimeRemainingColumn(),
                console=rich.console.Console(stderr=True),
                refresh_per_second=4,
            )
            self.task = self.bar.add_task("", total=steps, completed=start, loss="-", rate="-")

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, step: int, loss: float) -> None:
        """Move the bar to `step`."""
        if self.bar:
            task = self.bar.tasks[0]
            rate = f"{task.speed:,.0f}" if task.speed else "-"
            self.bar.update(self.task, completed=step, loss=f"{loss:.5g}", rate=rate)
