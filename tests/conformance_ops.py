"""Every op against PyTorch on all samples: ``python -m tests.conformance_ops [--quick] [OP...]``.

Prints one line for each op and check that fails, then a table of how many passed. An OP is the
beginning of an ATen name.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import jax
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from funcgrad.op import REGISTRY
from tests import registry_checks as checks
from tests.registry_exceptions import EXCEPTIONS
from tests.registry_samples import EDGES, NOT_FINITE, calls, edge_calls, overload

DTYPES = [torch.float64, torch.float32, torch.complex128, torch.int64, torch.bool]


def trials(op, count: int):
    """Pairs of a check's name and a function that does it."""
    yield "schema", lambda: checks.check_schema(op)
    for dtype in DTYPES:
        for call in calls(op.aten, dtype, count):
            yield "value", lambda call=call: checks.check_value(op, call)
            if dtype.is_floating_point or dtype.is_complex:
                order = 1 if dtype == torch.float32 or op.face == "private" else 2
                yield (
                    "gradient",
                    lambda call=call, order=order: checks.check_gradient(op, call, order),
                )
    for check, values in (("edges", EDGES), ("not finite", NOT_FINITE)):
        for edge in edge_calls(op.aten, values, count):
            yield check, lambda edge=edge: checks.check_value(op, edge)
            if op.face != "private" or check == "edges":
                yield check, lambda edge=edge: checks.check_gradient(op, edge)


def run(op, count: int, console: Console, passed: Counter, failed: Counter) -> None:
    """All trials of one op; of each check the first failure is printed."""
    shown = set()
    for name, trial in trials(op, count):
        try:
            trial()
            passed[name] += 1
        except Exception as error:  # noqa: BLE001  any failure is a result here
            failed[name] += 1
            if name not in shown:
                shown.add(name)
                text = " ".join(str(error).split())[:400]
                excuse = " (excepted)" if (name, op.aten) in EXCEPTIONS else ""
                console.print(
                    f"{op.aten} {name}{excuse}: {type(error).__name__}: {text}",
                    markup=False, highlight=False, soft_wrap=True,
                )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("op", nargs="*", help="beginnings of ATen names; all ops if none is given")
    parser.add_argument("--quick", action="store_true", help="two samples an op and dtype")
    options = parser.parse_args()
    console = Console()
    chosen = [
        op for aten, op in sorted(REGISTRY.items())
        if overload(aten) and (not options.op or aten.startswith(tuple(options.op)))
    ]  # fmt: skip
    passed: Counter = Counter()
    failed: Counter = Counter()
    with jax.enable_x64(True):
        for op in track(chosen, console=console, disable=not console.is_terminal):
            run(op, 2 if options.quick else 1000, console, passed, failed)
    table = Table("check", "passed", "failed", title=f"{len(chosen)} ops against PyTorch")
    for name in ("schema", "value", "gradient", "edges", "not finite"):
        table.add_row(name, str(passed[name]), str(failed[name]))
    console.print(table)
    return int(any(failed.values()))


if __name__ == "__main__":
    sys.exit(main())
