"""The table, the JSON file and the chart."""

import json
import os
import platform
import statistics
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .rows import ROWS
from .targets import Results, Verdict

PACKAGES = ("funcgrad", "jax", "jaxlib", "optax", "numpy", "torch")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def header(device: str | None) -> dict[str, str]:
    """The machine and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": str(cores),
        "device": device or "default",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def _time(cell: dict) -> str:
    if "microseconds" not in cell:
        return "-"
    value = cell["microseconds"]
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _row_verdicts(verdicts: list[Verdict], row: str) -> str:
    lines = []
    for v in (v for v in verdicts if v.row == row):
        colour = "green" if v.is_met else "red"
        sign = "ok  " if v.is_met else "miss"
        lines.append(f"[{colour}]{sign}[/] {v.target} {v.found:.2f} (at most {v.limit:g})")
    return "\n".join(lines)


def _times(results: Results, columns: list[str], verdicts: list[Verdict]) -> Table:
    table = Table(title="microseconds a step, the loss read in each; medians", show_lines=True)
    table.add_column("row")
    for column in columns:
        table.add_column(column, justify="right")
    table.add_column("targets", no_wrap=True)
    for name, cells in results.items():
        shown = []
        for column in columns:
            shown.append(_time(cells.get(column, {})))
            reference = cells.get("torch", {}).get("microseconds")
            if "microseconds" in cells.get(column, {}) and reference and column != "torch":
                shown[-1] += f"\n[dim]x{cells[column]['microseconds'] / reference:.2f}[/]"
        table.add_row(f"{name}  {ROWS[name].title}", *shown, _row_verdicts(verdicts, name))
    return table


def _starts(results: Results, columns: list[str]) -> Table:
    table = Table(title="start, programs and memory")
    for title in ("row", "column", "import s", "first step s", "with warm cache s", "programs",
                  "after warm-up", "peak MiB", "after import MiB", "growth MiB"):  # fmt: skip
        table.add_column(title, justify="left" if title in ("row", "column") else "right")
    for name, cells in results.items():
        for column in columns:
            cell = cells.get(column, {})
            if "peak" not in cell:
                continue
            warm, after = cell.get("first_step_warm_seconds"), cell.get("memory_after")
            grown = (after - cell["memory_before"]) / 2**20 if after else None
            table.add_row(
                name, column, f"{cell['import_seconds']:.2f}", f"{cell['first_step_seconds']:.3f}",
                "-" if warm is None else f"{warm:.3f}", str(cell["compilations"]),
                str(cell["compilations_after_warm_up"]), f"{cell['peak'] / 2**20:.0f}",
                f"{cell['memory_after_import'] / 2**20:.0f}",
                "-" if grown is None else f"{grown:+.1f}",
            )  # fmt: skip
    return table


def _imports(results: Results, columns: list[str]) -> str:
    parts = []
    for column in columns:
        cells = [cells[column] for cells in results.values() if "peak" in cells.get(column, {})]
        found = [cell["import_seconds"] for cell in cells]
        if found and "." not in column:
            parts.append(f"{column} {statistics.median(found):.2f} s")
    return "import (median): " + ", ".join(parts)


def show(about: dict, results: Results, columns: list[str], verdicts: list[Verdict]) -> None:
    """Print everything."""
    console = Console(width=None if Console().is_terminal else 200)
    console.print(", ".join(f"{name} {value}" for name, value in about.items()))
    console.print(_times(results, columns, verdicts))
    console.print(_starts(results, columns))
    console.print(_imports(results, columns))
    for name, cells in results.items():
        for column, cell in cells.items():
            if "missing" in cell:
                console.print(f"- {name} {column}: {cell['missing']}", markup=False)
    met = sum(v.is_met for v in verdicts)
    console.print(f"targets met: {met} of {len(verdicts)}")


def write_json(
    folder: Path, about: dict, plan: dict, results: Results, verdicts: list[Verdict]
) -> None:
    """Everything that was measured."""
    content = {
        "about": about,
        "plan": plan,
        "results": results,
        "verdicts": [{**v._asdict(), "met": v.is_met} for v in verdicts],
    }
    (folder / "benchmarks.json").write_text(json.dumps(content, indent=1) + "\n")


def draw(folder: Path, results: Results, columns: list[str]) -> bool:
    """A chart of the times over torch eager's; False without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [r for r in results if "microseconds" in results[r].get(columns[0], {})]
    figure, axes = pyplot.subplots(figsize=(max(6, 1.1 * len(rows)), 4.5), layout="constrained")
    width = 0.85 / len(columns)
    for i, column in enumerate(columns):
        places, heights = [], []
        for place, row in enumerate(rows):
            cell, base = results[row].get(column, {}), results[row][columns[0]]["microseconds"]
            if "microseconds" in cell:
                places.append(place + (i - (len(columns) - 1) / 2) * width)
                heights.append(cell["microseconds"] / base)
        axes.bar(places, heights, width, label=column)
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(rows)), rows)
    axes.set_ylabel(f"time of a step / {columns[0]}")
    figure.legend(loc="outside upper center", ncols=4, fontsize="small")
    figure.savefig(folder / "benchmarks.png", dpi=120)
    pyplot.close(figure)
    return True
