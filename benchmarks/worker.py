"""One process with one implementation of one row: it answers the driver's requests, a line each.

    python -m benchmarks.worker ROW COLUMN [--cache FOLDER] [--device NAME]

Requests and answers are lines of JSON on standard input and output. The first answer comes by
itself: the times of the import and of the first step. Then ``{"do": ...}``:

round   run for ``seconds`` (at least ``least`` calls) and answer the median microseconds of a step
grow    run ``steps`` steps and answer the resident memory before and after
end     answer the peak memory and the number of compilations, and stop
"""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path

from .columns import COLUMNS, IMPORTS, Loop, NotHere
from .rows import ROWS

WARM_UP = 5
"""Calls between the first step and the first round, in which every program is met."""
SETTLING = 500
"""Steps before memory is looked at for the first time."""


def memory(field: str) -> int:
    """``VmRSS`` (resident now) or ``VmHWM`` (its peak) of this process, in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


class Compilations:
    """How many programs this process has compiled."""

    def __init__(self):
        self.count = 0

    def watch(self) -> None:
        """Start counting, where JAX is the one that compiles."""
        if "jax" in sys.modules:
            sys.modules["jax"].monitoring.register_event_duration_secs_listener(self._note)

    def _note(self, event: str, duration: float, **_) -> None:
        self.count += event == "/jax/core/compile/backend_compile_duration"

    def total(self) -> int:
        """Programs compiled so far; for `torch.compile` the graphs given to its compiler."""
        dynamo = sys.modules.get("torch._dynamo.utils")
        return self.count + (dynamo.counters["stats"]["unique_graphs"] if dynamo else 0)


def settings(device: str | None, cache: str | None) -> None:
    """Where to run and where to keep programs."""
    if device and "torch" in sys.modules:
        sys.modules["torch"].set_default_device("cuda" if device == "gpu" else device)
    if cache and "jax" in sys.modules:
        config = sys.modules["jax"].config
        config.update("jax_compilation_cache_dir", cache)
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def timed(loop: Loop, seconds: float, least: int) -> dict:
    """The median time of a step, in microseconds."""
    clock, times, end = time.perf_counter, [], time.perf_counter() + seconds
    while len(times) < least or clock() < end:
        start = clock()
        loop.call()
        times.append(clock() - start)
    return {"microseconds": statistics.median(times) * 1e6 / loop.steps, "calls": len(times)}


def grow(loop: Loop, steps: int) -> dict:
    """Resident memory before and after ``steps`` steps."""
    for _ in range(SETTLING // loop.steps):
        loop.call()
    gc.collect()
    before = memory("VmRSS")
    for _ in range(steps // loop.steps):
        loop.call()
    gc.collect()
    return {"before": before, "after": memory("VmRSS")}


def serve(arguments: argparse.Namespace, answer) -> None:
    """Start, then answer requests until the driver has enough."""
    compilations, start = Compilations(), time.perf_counter()
    for name in IMPORTS[arguments.column]:
        import_module(name)
    imported = time.perf_counter()
    settings(arguments.device, arguments.cache)
    compilations.watch()
    base = memory("VmRSS")
    begin = time.perf_counter()
    loop = COLUMNS[arguments.column](ROWS[arguments.row])
    built = time.perf_counter()
    loss = loop.call()
    first = {
        "import_seconds": imported - start,
        "build_seconds": built - begin,
        "first_step_seconds": time.perf_counter() - begin,
        "first_compilations": compilations.total(),
        "loss": loss,
        "memory_after_import": base,
    }
    answer(first)
    for _ in range(WARM_UP if not arguments.cache else 0):
        loop.call()
    warm = compilations.total()
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "end":
            break
        work = timed if request.pop("do") == "round" else grow
        answer(work(loop, **request))
    total = compilations.total()
    answer({
        "peak": memory("VmHWM"),
        "compilations": total,
        "compilations_after_warm_up": total - warm,
    })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("--cache")
    parser.add_argument("--device")
    arguments = parser.parse_args()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints does not get between the answers

    def answer(content: dict) -> None:
        print(json.dumps(content), file=out, flush=True)

    try:
        serve(arguments, answer)
    except NotHere as reason:
        answer({"missing": str(reason)})
    except Exception as error:
        answer({"missing": f"{type(error).__name__}: {error}".splitlines()[0][:200]})
        raise


if __name__ == "__main__":
    main()
