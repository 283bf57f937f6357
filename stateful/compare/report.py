"""Writes `report.html`: one file with the tables and the pictures in it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .align import Row
from .comparison import Comparison
from .table import numbers, row_gap, select

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; }
table { border-collapse: collapse; font: 12px/1.4 ui-monospace, monospace; width: 100%; }
td, th { border-bottom: 1px solid #ddd; padding: 2px 8px; text-align: left; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
td.value { max-width: 24em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.equal, .agree { color: #1a7f37; } .drift { color: #9a6700; }
.part { color: #c00; font-weight: bold; }
tr.gap td { color: #888; } img { max-width: 100%; } pre { background: #fff3f3; padding: .8em; }
"""


def write_report(
    comparisons: Sequence[Comparison], pictures: dict[str, list[Path]], path: Path
) -> None:
    """Writes the report of all comparisons to `path`; `pictures` are by the program's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    agreeing = sum(comparison.agrees for comparison in comparisons)
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>stateful compare</title><style>{_STYLE}</style></head><body>",
        f"<h1>{agreeing} of {len(comparisons)} programs agree</h1><ul>",
        *[_entry(comparison) for comparison in comparisons],
        "</ul>",
        *[_section(one, pictures.get(one.program.name, [])) for one in comparisons],
        "</body></html>\n",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def _entry(comparison: Comparison) -> str:
    name = escape(comparison.program.name)
    return f"<li><a href='#{name}'>{name}</a> {_verdict(comparison)}: {comparison.summary}</li>"


def _verdict(comparison: Comparison) -> str:
    return "<b class='agree'>agrees</b>" if comparison.agrees else "<b class='part'>parts</b>"


def _section(comparison: Comparison, pictures: Sequence[Path]) -> str:
    name = escape(comparison.program.name)
    sides = [other.header["side"] for other in comparison.others]
    titles = [
        "event",
        "quantity",
        comparison.reference.title,
        *sides,
        "difference",
        "ulps",
        "verdict",
    ]
    lines = [
        f"<h2 id='{name}'>{name} {_verdict(comparison)}</h2><p>{comparison.summary}</p>",
        *[
            f"<pre>{escape(chr(10).join(comparison.explanation))}</pre>"
            for _ in (1,)
            if not comparison.agrees
        ],
        *[_image(picture) for picture in pictures],
        "<table><tr>" + "".join(f"<th>{escape(title)}</th>" for title in titles) + "</tr>",
    ]
    shown = select(comparison.rows)
    for position in range(len(shown) + 1):
        skipped = row_gap(comparison.rows, shown, position)
        if skipped:
            lines.append(f"<tr class='gap'><td colspan='{len(titles)}'>{skipped:,} rows</td></tr>")
        if position < len(shown):
            lines.append(_row(shown[position], sides))
    return "\n".join([*lines, "</table>"])


def _row(row: Row, sides: Sequence[str]) -> str:
    texts = [row.reference, *(row.cells[side].text if side in row.cells else "" for side in sides)]
    values = "".join(f"<td class='value' title='{escape(t)}'>{escape(t)}</td>" for t in texts)
    differences = "".join(f"<td class='number'>{text}</td>" for text in numbers(row.worst))
    verdict = row.worst.verdict
    return (
        f"<tr><td>{row.number + 1} {row.kind} line {row.line}</td><td>{escape(row.quantity)}</td>"
        f"{values}{differences}<td class='{verdict}'>{verdict}</td></tr>"
    )


def _image(picture: Path) -> str:
    data = base64.b64encode(picture.read_bytes()).decode("ascii")
    return f"<p><img alt='{escape(picture.stem)}' src='data:image/png;base64,{data}'></p>"
