"""The driver's end of a worker process: requests with a time limit."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
_FORGOTTEN = ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE", "JAX_ENABLE_X64")
"""Settings of the caller's that would make a cold start warm, or change what is measured."""


class Failed(Exception):  # noqa: N818
    """The worker cannot run this row; the text says why."""


class Worker:
    """A process that runs one row in one column. `first` is what it measured while starting."""

    def __init__(self, row: str, column: str, scratch: Path, limit: float, **options):
        command = [sys.executable, "-m", "benchmarks.worker", row, column]
        for name, value in options.items():
            command += [f"--{name}", str(value)] if value is not None else []
        environment = {k: v for k, v in os.environ.items() if k not in _FORGOTTEN}
        environment["TORCHINDUCTOR_CACHE_DIR"] = str(scratch / "inductor" / f"{row}-{column}")
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        if options.get("device"):
            environment["JAX_PLATFORMS"] = {"gpu": "cuda", "cpu": "cpu"}[options["device"]]
        self._log = open(scratch / f"{row}-{column}.log", "ab")
        self._process = subprocess.Popen(
            command, env=environment, stderr=self._log,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._buffer = b""
        self.first = self._answer(limit)

    def ask(self, limit: float, **request) -> dict:
        """Send a request, wait for its answer. Raises `Failed`, and ends the process, without."""
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("the process ended") from None
        return self._answer(limit)

    def end(self) -> dict:
        """What is known at the end."""
        last = self.ask(60, do="end")
        self._close()
        return last

    def _answer(self, limit: float) -> dict:
        out, deadline = self._process.stdout.fileno(), time.monotonic() + limit
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                raise self._failed(f"no answer within {limit:.0f} s")
            received = os.read(out, 65536)
            if not received:
                raise self._failed("the process ended")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        if "missing" in answer:
            raise self._failed(answer["missing"])
        return answer

    def _failed(self, reason: str) -> Failed:
        self._process.kill()
        self._close()
        return Failed(reason)

    def _close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()
