"""The comparison of one program, from running its sides to the verdict."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .align import Row, compare_traces, one_line
from .locate import Culprit, gradient_number, locate
from .processes import run
from .programs import REFERENCES, Program, recorded
from .tolerance import VERDICTS, Tolerance
from .trace import GRADIENT_KINDS, Trace


@dataclass(frozen=True)
class Settings:
    """How to compare.

    `reference` is "auto" (real PyTorch if it is installed, else the recording), "live" or
    "recorded".

    >>> from stateful.compare import Settings
    >>> Settings(reference="recorded").live
    False
    """

    out: Path = Path("report")
    reference: str = "auto"
    references: Path = REFERENCES
    timeout: float = 600.0
    tolerance: Tolerance = field(default_factory=Tolerance)
    sides: tuple[str, ...] = ("stateful", "functional")

    @property
    def live(self) -> bool:
        """Whether real PyTorch is run."""
        if self.reference == "auto":
            return torch_is_installed()
        return self.reference == "live"


def torch_is_installed() -> bool:
    """Whether real PyTorch could be imported; it is not."""
    return importlib.util.find_spec("torch") is not None


@dataclass(frozen=True)
class Comparison:
    """The rows of one program's table, and what follows from them.

    >>> from pathlib import Path
    >>> from stateful.compare import Comparison, Program, Trace
    >>> trace = Trace({"side": "torch", "version": "2.13.0"}, [], [])
    >>> Comparison(Program(Path("one.py"), None, "one"), trace, (), []).agrees
    True
    """

    program: Program
    reference: Trace
    others: tuple[Trace, ...]
    rows: list[Row]
    culprit: Culprit | None = None

    @property
    def agrees(self) -> bool:
        """Whether no row parts."""
        return self.first is None

    @cached_property
    def first(self) -> Row | None:
        """The first row that parts."""
        return next((row for row in self.rows if row.worst.parts), None)

    @property
    def verdicts(self) -> Counter[str]:
        """How many rows have each verdict."""
        return Counter(row.worst.verdict for row in self.rows)

    @property
    def summary(self) -> str:
        """One sentence: how many events and quantities were compared, and how they came out."""
        counts = self.verdicts
        found = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in VERDICTS)
        return f"{len(self.reference.events):,} events, {len(self.rows):,} quantities: {found}"

    @property
    def explanation(self) -> list[str]:
        """Where the runs part first: event, source line, numbers, and the operation if found."""
        if self.first is None:
            return []
        row = self.first
        lines = [f"{row.kind} event {row.number + 1}, {self.place(row.line, row)}: {row.quantity}"]
        lines += [
            f"reference {row.reference or 'nothing'}, {side} {cell.text or 'nothing'}: "
            f"{cell.difference.why}"
            for side, cell in row.cells.items()
            if cell.difference.parts
        ]
        lines += self.failures
        if row.kind == "step" and row.reference:
            lines.append(f"the optimizer is {self.reference.events[row.number].label}")
        if self.culprit is not None:
            lines.append(f"the operation is {self.culprit}")
            if self.culprit.line:
                lines.append(self.place(self.culprit.line))
            if self.culprit.declared:
                lines.append(f"its formula is declared at {self.culprit.declared}")
        return lines

    @property
    def failures(self) -> list[str]:
        """How the sides that did not reach their end ended."""
        return [
            f"{side.header['side']} ended with {one_line(event.text)} (line {event.line})"
            for side in (self.reference, *self.others)
            for event in side.events
            if event.kind == "exception" and event.label == "uncaught"
        ]

    def place(self, line: int, row: Row | None = None) -> str:
        """A source line with its file."""
        twin_only = row is not None and not row.reference and list(row.cells) == ["functional"]
        if twin_only and self.program.twin is not None:
            return f"{self.program.twin.name} line {line}"
        text = self.program.source_line(line)
        return f"{self.program.path.name} line {line}" + (f": `{text}`" if text else "")

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data; `null` stands for a difference without a number."""
        return {
            "program": self.program.name,
            "file": self.program.path.name,
            "agrees": self.agrees,
            "reference": self.reference.header,
            "sides": [other.header for other in self.others],
            "counts": dict(self.verdicts),
            "explanation": self.explanation,
            "culprit": None if self.culprit is None else dataclasses.asdict(self.culprit),
            "rows": [_row_json(row) for row in self.rows],
        }


def _row_json(row: Row) -> dict[str, Any]:
    entry = dataclasses.asdict(row)
    for cell in entry["cells"].values():
        difference = cell["difference"]
        for key in ("absolute", "ulps", "excess"):
            difference[key] = difference[key] if math.isfinite(difference[key]) else None
    entry["verdict"] = row.worst.verdict
    return entry


def compare_program(
    program: Program,
    settings: Settings | None = None,
    progress: Callable[[str, int], None] = lambda side, events: None,
) -> Comparison:
    """Runs every side of `program` and compares them.

    Raises FileNotFoundError or ValueError if there is no reference to compare with.

    >>> from pathlib import Path
    >>> import tempfile
    >>> from stateful.compare import Settings, compare_program, find_programs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "one.py")
    ...     _ = path.write_text("x = 1")
    ...     try:
    ...         compare_program(*find_programs([path]), Settings(reference="recorded"))
    ...     except FileNotFoundError as error:
    ...         print(str(error).partition(",")[0])
    one has no recorded reference
    """
    settings = settings or Settings()
    folder = settings.out / program.name
    sides = [side for side in settings.sides if side != "functional" or program.twin is not None]
    reference = None if settings.live else recorded(program, settings.references)
    names = sides if reference is not None else ["torch", *sides]
    traces = run(program, names, folder, settings.timeout, progress)
    reference = reference or traces["torch"]
    others = tuple(traces[side] for side in sides)
    rows = compare_traces(reference, others, settings.tolerance)
    comparison = Comparison(program, reference, others, rows)
    return dataclasses.replace(comparison, culprit=_culprit(comparison, settings, folder))


def _culprit(comparison: Comparison, settings: Settings, folder: Path) -> Culprit | None:
    """The operation at fault, if the first thing that parts is a gradient of `stateful`."""
    row = comparison.first
    if row is None or row.kind not in GRADIENT_KINDS or "stateful" not in row.cells:
        return None
    if not row.cells["stateful"].difference.parts or not row.reference:
        return None
    number = gradient_number(comparison.reference.events, row.number)
    if number is None:
        return None
    return locate(
        comparison.program,
        comparison.reference,
        number,
        folder / "nodes",
        settings.timeout,
        settings.tolerance,
    )
