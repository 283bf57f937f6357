"""Runs the sides of a comparison, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .programs import Program
from .trace import Event, Trace, read_trace

_LAUNCHER = Path(__file__).resolve().parent / "launch.py"
_PACKAGE_ROOT = _LAUNCHER.parent.parent.parent
_POLL = 0.05


@dataclass
class Side:
    """A process that runs one side of one program and writes its trace."""

    name: str
    process: subprocess.Popen
    trace: Path
    errors: Path

    def events(self) -> int:
        """How many lines of trace there are by now."""
        return self.trace.read_bytes().count(b"\n") if self.trace.exists() else 0

    def stop(self) -> None:
        """Ends the process and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def read(self, timed_out: bool = False) -> Trace:
        """The trace; if the process ended before the program did, an exception event says how."""
        trace = read_trace(self.trace) if self.trace.exists() else Trace({}, [], [])
        if not trace.header.get("program"):
            trace = Trace({"side": self.name, "version": ""}, trace.events, trace.notes)
        if not trace.finished:
            trace.events.append(Event("exception", 0, "uncaught", self._ending(timed_out)))
        return trace

    def _ending(self, timed_out: bool) -> str:
        if timed_out:
            return "TimeoutError: stopped because it took longer than --timeout allows"
        tail = self.errors.read_text(errors="replace").strip().splitlines()[-3:]
        return f"ProcessError: exit status {self.process.returncode}: {' | '.join(tail)}"


def start(program: Program, side: str, folder: Path, arguments: Sequence[str] = ()) -> Side:
    """Starts the process of one side; `folder` gets trace and stderr, the worker `arguments`."""
    folder.mkdir(parents=True, exist_ok=True)
    trace = folder / f"{side}.jsonl"
    trace.unlink(missing_ok=True)
    errors = folder / f"{side}.stderr"
    path = program.twin if side == "functional" else program.path
    command = [sys.executable, str(_LAUNCHER), "--side", side, "--trace", str(trace), *arguments]
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    return Side(side, process, trace, errors)


def run(
    program: Program,
    names: Sequence[str],
    folder: Path,
    timeout: float,
    progress: Callable[[str, int], None] = lambda side, events: None,
    arguments: Sequence[str] = (),
) -> dict[str, Trace]:
    """Runs the named sides of `program`, as many at once as there are cores.

    `progress` is told how many events a side has written. A side that takes longer than `timeout`
    seconds is stopped.
    """
    waiting, running, done = list(names), {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < max(1, os.cpu_count() or 1):
                name = waiting.pop(0)
                running[name] = start(program, name, folder, arguments), time.monotonic()
            time.sleep(_POLL)
            for name, (side, started) in list(running.items()):
                progress(name, side.events())
                late = time.monotonic() - started > timeout
                if side.process.poll() is not None or late:
                    side.stop()
                    done[name] = side.read(timed_out=late)
                    del running[name]
    finally:
        for side, _ in running.values():
            side.stop()
    return done
