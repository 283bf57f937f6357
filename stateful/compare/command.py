"""`stateful compare`: the command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .comparison import Comparison, Settings, compare_program
from .locate import trace_nodes
from .pictures import can_draw, draw
from .processes import run
from .programs import REFERENCES, Program, find_programs, record
from .report import write_report
from .table import print_comparison
from .tolerance import Tolerance

_WIDTH = 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments to `parser`."""
    add = parser.add_argument
    add(
        "paths", nargs="+", type=Path, metavar="PATH", help="a PyTorch program, or a folder of them"
    )
    add("--out", type=Path, default=Path("report"), help="where report.html and the pictures go")
    add("--json", action="store_true", help="print the result as JSON instead of tables")
    add("--record", action="store_true", help="run real PyTorch and keep what it did as reference")
    add(
        "--reference",
        choices=("auto", "live", "recorded"),
        default="auto",
        help="real PyTorch run now, or the recording; auto: now if torch is installed",
    )
    add("--references", type=Path, default=REFERENCES, help="the folder of recorded references")
    add("--rtol", type=float, help="relative tolerance of captured arrays, instead of the policy's")
    add("--text-rtol", type=float, default=1e-4, help="relative tolerance of printed numbers")
    add("--timeout", type=float, default=600.0, help="seconds that one side may take")


def execute(options: argparse.Namespace) -> int:
    """Runs the command. Exit status: 0 if all agree, 1 if not, 2 if one cannot be compared."""
    console = Console(stderr=options.json)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    settings = Settings(
        out=options.out,
        reference=options.reference,
        references=options.references,
        timeout=options.timeout,
        tolerance=Tolerance(options.rtol, options.text_rtol),
    )
    try:
        programs = find_programs(options.paths)
        if options.record:
            return _record(programs, settings, console)
        comparisons = [_compare(program, settings, console, options.json) for program in programs]
    except (FileNotFoundError, ValueError) as error:
        print(f"stateful compare: {error}", file=sys.stderr)
        return 2
    pictures = {one.program.name: draw(one, settings.out / one.program.name) for one in comparisons}
    report = settings.out / "report.html"
    write_report(comparisons, pictures, report)
    if options.json:
        print(json.dumps([comparison.to_json() for comparison in comparisons], indent=1))
    _conclude(comparisons, report, console)
    return 0 if all(comparison.agrees for comparison in comparisons) else 1


def _compare(program: Program, settings: Settings, console: Console, quiet: bool) -> Comparison:
    with _progress(program) as progress:
        tasks = {}

        def show(side: str, events: int) -> None:
            if side not in tasks:
                tasks[side] = progress.add_task(f"{program.name}: {side}", total=None)
            progress.update(tasks[side], completed=events)

        comparison = compare_program(program, settings, show)
    if not quiet:
        print_comparison(comparison, console)
    return comparison


def _progress(program: Program) -> Progress:
    """A bar for each side on stderr, gone when the side is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _record(programs: Sequence[Program], settings: Settings, console: Console) -> int:
    for program in programs:
        folder = settings.out / program.name
        trace = run(program, ["torch"], folder, settings.timeout)["torch"]
        if not trace.header["version"]:
            raise ValueError(f"{program.name} could not be recorded: {trace.events[-1].text}")
        nodes = trace_nodes(program, folder / "nodes", settings.timeout)
        path = record(program, trace, nodes, settings.references)
        size = path.stat().st_size / 1024
        console.print(
            f"{program.name}: {len(trace.events):,} events of {trace.title}, {size:.0f} KiB"
        )
    return 0


def _conclude(comparisons: Sequence[Comparison], report: Path, console: Console) -> None:
    agreeing = sum(comparison.agrees for comparison in comparisons)
    style = "green" if agreeing == len(comparisons) else "bold red"
    console.print(f"[{style}]{agreeing} of {len(comparisons)} programs agree[/]; see {report}")
    if not can_draw():
        console.print("No pictures: matplotlib is not installed (pip install 'funcgrad[plot]').")
