"""Measuring one row: every column in its own process, rounds interleaved."""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .processes import Failed, Worker
from .rows import Row

CACHED = ("stateful", "jax")
"""Columns whose first step is also measured with a persistent cache that holds its programs."""


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int = 7
    seconds: float = 0.5
    least: int = 5
    limit: float = 300.0
    growth_steps: int = 0
    starts: int = 1
    device: str | None = None


def measure(row: Row, columns: list[str], plan: Plan, say=lambda text: None) -> dict[str, dict]:
    """Results by column; where a column failed, ``missing`` is the reason."""
    results: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        workers: dict[str, Worker] = {}

        def attempt(column: str, work, *inputs) -> None:
            """Keep what a piece of work found; a column that fails takes no further part."""
            try:
                results.setdefault(column, {}).update(work(*inputs) or {})
            except Failed as reason:
                workers.pop(column, None)
                results[column]["missing"] = str(reason)

        for column in columns:
            say(f"{row.name} {column}: start")
            attempt(column, _start, row, column, plan, scratch, workers)
        rounds: dict[str, list[float]] = {column: [] for column in workers}
        for number in range(plan.rounds):
            say(f"{row.name}: round {number + 1} of {plan.rounds}")
            names = list(workers)
            turn = number % len(names) if names else 0
            for column in names[turn:] + names[:turn]:
                attempt(column, _round, workers[column], plan, rounds[column])
        for column in list(workers):
            say(f"{row.name} {column}: end")
            attempt(column, _end, workers[column], plan)
            if rounds[column] and "missing" not in results[column]:
                micro = [r / row.ops for r in rounds[column]]
                results[column] |= {
                    "microseconds": statistics.median(micro),
                    "step_microseconds": statistics.median(rounds[column]),
                    "rounds": micro,
                }
        for column in [c for c in CACHED if c in workers and plan.starts]:
            say(f"{row.name} {column}: first steps")
            attempt(column, _starts, row, column, plan, scratch, results)
    return results


def _start(row: Row, column: str, plan: Plan, scratch: Path, workers: dict) -> dict:
    workers[column] = worker = Worker(row.name, column, scratch, plan.limit, device=plan.device)
    return worker.first


def _round(worker: Worker, plan: Plan, found: list[float]) -> None:
    answer = worker.ask(plan.limit, do="round", seconds=plan.seconds, least=plan.least)
    found.append(answer["microseconds"])


def _end(worker: Worker, plan: Plan) -> dict:
    found = {}
    if plan.growth_steps:
        growth = worker.ask(10 * plan.limit, do="grow", steps=plan.growth_steps)
        found = {"memory_before": growth["before"], "memory_after": growth["after"]}
    return found | worker.end()


def _starts(row: Row, column: str, plan: Plan, scratch: Path, results: dict) -> dict:
    """The median first step, cold and with a warm cache, over some more processes."""
    cold, warm = [results[column]["first_step_seconds"]], []
    cache = scratch / f"cache-{column}"
    options = {"device": plan.device}
    for _ in range(plan.starts - 1):
        worker = Worker(row.name, column, scratch, plan.limit, **options)
        cold.append(worker.first["first_step_seconds"])
        worker.end()
    for _ in range(plan.starts + 1):
        worker = Worker(row.name, column, scratch, plan.limit, cache=cache, **options)
        warm.append(worker.first["first_step_seconds"])
        worker.end()
    return {
        "first_step_seconds": statistics.median(cold),
        "first_step_warm_seconds": statistics.median(warm[1:]),
    }
