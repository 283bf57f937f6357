"""Measure the workloads under every implementation, and hold the results against the targets.

    python -m benchmarks.run [--rows a b h] [--columns torch stateful jax] [--rounds 7]

Each implementation of a row runs in its own process; the rounds of these processes take turns.
"""

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path

from . import report
from .columns import COLUMNS
from .measure import Plan, measure
from .rows import ROWS, chosen
from .targets import verdicts

GROWING = ["a", "c", "g"]
"""Rows whose memory is watched over many steps, unless others are named."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    standard = Plan()
    parser.add_argument("--rows", nargs="+", default=list("abcdefghi"), metavar="ROW",
                        help=f"letters or names: {' '.join(ROWS)}")  # fmt: skip
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), choices=COLUMNS,
                        metavar="COLUMN", help=" ".join(COLUMNS))  # fmt: skip
    parser.add_argument("--rounds", type=int, default=standard.rounds)
    parser.add_argument("--seconds", type=float, default=standard.seconds, help="of a round")
    parser.add_argument("--least", type=int, default=standard.least,
                        help="calls in a round, at least")  # fmt: skip
    parser.add_argument("--limit", type=float, default=standard.limit,
                        help="seconds until a silent process is given up")  # fmt: skip
    parser.add_argument("--starts", type=int, default=standard.starts,
                        help="processes that time the first step")  # fmt: skip
    parser.add_argument("--growing", nargs="*", default=GROWING, metavar="ROW",
                        help="rows whose memory is watched")  # fmt: skip
    parser.add_argument("--growth-steps", type=int, default=10_000)
    parser.add_argument("--device", choices=["cpu", "gpu"])
    parser.add_argument("--out", type=Path, default=Path("report"))
    return parser.parse_args()


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    arguments = _arguments()
    columns = [c for c in COLUMNS if c in arguments.columns]
    plan = Plan(
        arguments.rounds, arguments.seconds, arguments.least, arguments.limit,
        starts=arguments.starts, device=arguments.device,
    )  # fmt: skip
    growing = {row.name for row in chosen(arguments.growing)}
    about = report.header(arguments.device)
    arguments.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, dict]] = {}
    for row in chosen(arguments.rows):
        steps = arguments.growth_steps if row.name in growing else 0
        results[row.name] = measure(row, columns, replace(plan, growth_steps=steps), _say)
        found = verdicts(results)
        report.write_json(arguments.out, about, asdict(plan), results, found)
    _say("")
    report.show(about, results, columns, found)
    drawn = report.draw(arguments.out, results, columns)
    print(f"benchmarks.json{' and benchmarks.png' if drawn else ''} are in {arguments.out}")


if __name__ == "__main__":
    main()
