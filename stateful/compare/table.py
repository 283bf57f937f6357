"""The table on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .align import Row
from .comparison import Comparison
from .tolerance import Difference

SHORT = 30
_FIRST, _WORST, _PARTING, _LAST = 10, 5, 8, 5
_NARROWEST, _LONGEST_NAME = 12, 24
_STYLES = {"equal": "green", "agree": "green", "drift": "yellow", "part": "bold red"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Prints the table of one program, its summary, and where it parts first."""
    console.print(build_table(comparison, console.width))
    style = "green" if comparison.agrees else "bold red"
    verdict = "agrees" if comparison.agrees else "PARTS"
    console.print(f"[{style}]{escape(comparison.program.name)} {verdict}[/]: {comparison.summary}")
    for number, line in enumerate(comparison.explanation):
        console.print(("  first at " if number == 0 else "    ") + escape(line), highlight=False)
    console.print()


def build_table(comparison: Comparison, width: int) -> Table:
    """The rich table: all rows of a short run, a selection of a long one, in `width` columns."""
    sides = [other.header["side"] for other in comparison.others]
    shown = select(comparison.rows)
    fixed = [_fixed_cells(row) for row in shown]
    table = Table(title=comparison.program.name, title_justify="left", box=SIMPLE, padding=(0, 1))
    for title in ("event", "quantity", comparison.reference.title, *sides):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for title in ("difference", "ulps"):
        table.add_column(title, no_wrap=True, justify="right", min_width=len(title))
    table.add_column("verdict", no_wrap=True, min_width=7)
    widths = [_widest(row[column] for row in fixed) for column in (0, 1)]
    widths += [max(10, _widest(numbers(row.worst)[column] for row in shown)) for column in (0, 1)]
    frame = 3 * (len(sides) + 6) + len("verdict")
    room = max(_NARROWEST, (width - frame - sum(widths)) // (len(sides) + 1))
    for position in range(len(shown) + 1):
        skipped = row_gap(comparison.rows, shown, position)
        if skipped:
            table.add_row(f"[dim]... {skipped:,} rows[/]")
        if position < len(shown):
            table.add_row(*fixed[position], *_cells(shown[position], sides, room))
    return table


def select(rows: Sequence[Row]) -> list[Row]:
    """The rows to print: all of a short run; else the first, worst, parting and last ones."""
    if len(rows) <= SHORT:
        return list(rows)
    ranked = sorted(range(len(rows)), key=lambda index: -rows[index].worst.excess)
    parting = [index for index, row in enumerate(rows) if row.worst.parts]
    chosen = {
        *range(_FIRST),
        *ranked[:_WORST],
        *parting[:_PARTING],
        *range(len(rows) - _LAST, len(rows)),
    }
    return [rows[index] for index in sorted(chosen)]


def row_gap(rows: Sequence[Row], shown: Sequence[Row], position: int) -> int:
    """How many rows are left out before the shown row at `position`."""
    places = {id(row): index for index, row in enumerate(rows)}
    before = places[id(shown[position - 1])] if position else -1
    here = places[id(shown[position])] if position < len(shown) else len(rows)
    return here - before - 1


def _fixed_cells(row: Row) -> tuple[str, str]:
    return f"{row.number + 1} {row.kind} :{row.line}", escape(_cut(row.quantity, _LONGEST_NAME))


def _cells(row: Row, sides: Sequence[str], room: int) -> list[str]:
    worst = row.worst
    texts = [row.reference, *(row.cells[side].text if side in row.cells else "" for side in sides)]
    verdict = f"[{_STYLES[worst.verdict]}]{worst.verdict}[/]"
    return [*(escape(_cut(text, room)) for text in texts), *numbers(worst), verdict]


def _widest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 3] + "..."


def numbers(difference: Difference) -> tuple[str, str]:
    """The difference and the units in the last place as text; a dash where there is no number."""
    if difference.verdict == "equal":
        return "0", "0"
    absolute, ulps = difference.absolute, difference.ulps
    return (
        ("0" if absolute == 0 else f"{absolute:.1e}") if math.isfinite(absolute) else "-",
        f"{ulps:,.0f}" if math.isfinite(ulps) else "-",
    )
