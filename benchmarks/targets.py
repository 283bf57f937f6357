"""What the numbers are held against: ratios of medians in one run."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

Results = dict[str, dict[str, dict]]
"""By row and column, what `measure` found."""

SETTLED = 2 * 2**20
"""Bytes by which resident memory may differ after 10,000 steps: the allocator's own."""
LONG = 200.0
"""Microseconds from which a hand-written step counts as long."""


class Verdict(NamedTuple):
    """One target on one row: ``found`` over its reference, at most ``limit``."""

    target: str
    row: str
    found: float
    limit: float

    @property
    def is_met(self) -> bool:
        return self.found <= self.limit


def ratio(
    results: Results, row: str, column: str, reference: str, what="microseconds", below=None
) -> float | None:
    """``what`` of a column over that (or ``below``) of the reference; None where either lacks."""
    found = results.get(row, {})
    top, bottom = found.get(column, {}).get(what), found.get(reference, {}).get(below or what)
    return top / bottom if top and bottom else None


def _loops(results: Results, row: str) -> Iterator[tuple[str, float | None, float]]:
    of_torch = ratio(results, row, "stateful", "torch")
    if row in ("a", "c", "d", "g"):
        yield "stateful / torch", of_torch, 0.8
    if row in ("b", "e", "f"):
        slow_jax = (ratio(results, row, "jax", "torch") or 0) > 1
        if slow_jax:
            yield "stateful / jax (slower than torch)", ratio(results, row, "stateful", "jax"), 1.1
        else:
            yield "stateful / torch", of_torch, 1.0


def _compiled(results: Results, row: str) -> Iterator[tuple[str, float | None, float]]:
    found = ratio(results, row, "stateful.compile", "jax")
    if row in ("a", "c"):
        yield "stateful.compile / jax", found, 2.0
    elif results[row].get("jax", {}).get("step_microseconds", 0) > LONG:
        yield "stateful.compile / jax", found, 1.1
    yield "stateful.scan / jax.scan", ratio(results, row, "stateful.scan", "jax.scan"), 1.05


def _starts(results: Results, row: str) -> Iterator[tuple[str, float | None, float]]:
    first, warm = "first_step_seconds", "first_step_warm_seconds"
    yield "first step / jax", ratio(results, row, "stateful", "jax", first), 1.5
    found = ratio(results, row, "stateful", "jax", warm, below=first)
    yield "first step, warm cache / jax, cold", found, 0.5


def _memory(results: Results, row: str) -> Iterator[tuple[str, float | None, float]]:
    if row == "e":
        yield "peak memory / torch", ratio(results, row, "stateful", "torch", "peak"), 1.3
    for column in ("stateful", "stateful.compile", "stateful.scan"):
        found = results[row].get(column, {})
        if "memory_after" in found:
            grown = (found["memory_after"] - found["memory_before"]) / SETTLED
            yield f"{column}: growth of memory, in {SETTLED // 2**20} MiB", grown, 1.0


def _per_op(results: Results, row: str) -> Iterator[tuple[str, float | None, float]]:
    if row == "h10000" and "h100" in results:
        per_op = [results[r].get("stateful", {}).get("microseconds") for r in ("h10000", "h100")]
        yield "cost per op / that at 100 ops", per_op[0] / per_op[1] if all(per_op) else None, 1.5


_RULES: list[Callable] = [_loops, _compiled, _starts, _memory, _per_op]


def verdicts(results: Results) -> list[Verdict]:
    """Every target that the results can be held against."""
    return [
        Verdict(target, row, found, limit)
        for row in results
        for rule in _RULES
        for target, found, limit in rule(results, row)
        if found is not None
    ]
