"""The process of one side: runs the program and writes its trace."""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import alias
from .capture import Capture, PrintCapture, capture_warnings, exception_event
from .naming import UserCode
from .node_trace import Finished, NodeTracer
from .script import run_script
from .trace import Event, TraceWriter
from .twin import TwinRecorder, watch_transforms


def main(arguments: list[str]) -> None:
    """Runs one side as `--side SIDE --trace FILE [--nodes N] PROGRAM [ARGS]` says."""
    options = _options(arguments)
    trace = TraceWriter(options.trace)
    user = UserCode(options.program)
    started = time.perf_counter()
    stdout = PrintCapture(trace, user)
    try:
        run = _prepare(options, trace, user)
        capture_warnings(trace, user)
        sys.stdout = stdout  # type: ignore[assignment]
        run()
    except Finished:
        pass
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            trace.write(exception_event(leaving, 0))
    except BaseException as error:
        stdout.finish()
        trace.write(exception_event(error, _line_of(error, options.program)))
    finally:
        sys.stdout = sys.__stdout__
        stdout.finish()
    trace.write(Event("end", data={"seconds": time.perf_counter() - started}))
    trace.close()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", choices=("torch", "stateful", "functional"), required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--nodes", help="number of a gradient call, or 'first'")
    parser.add_argument("program", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def _prepare(options: argparse.Namespace, trace: TraceWriter, user: UserCode) -> Any:
    """Imports the side's library, puts the capture in place and returns what is left to call."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    if options.side != "torch":
        sys.path.append(str(Path(__file__).resolve().parent.parent.parent))
    if options.side == "functional":
        _header(options, trace, "")
        watch_transforms(trace)
        return functools.partial(_run_twin, options.program, options.arguments, trace, user)
    if options.side == "stateful":
        alias.install()
    import torch

    _header(options, trace, _version(options.side, torch))
    user.library(torch)
    tracer = None
    if options.nodes is not None:
        number = None if options.nodes == "first" else int(options.nodes)
        tracer = NodeTracer(torch, trace, user, number)
        tracer.start()
    Capture(torch, trace, user, tracer).install()
    return functools.partial(run_script, options.program, options.arguments)


def _run_twin(program: Path, arguments: list[str], trace: TraceWriter, user: UserCode) -> None:
    module = _load_twin(program, arguments)
    if not callable(getattr(module, "main", None)):
        raise TypeError(
            f"{program.name} has no function main: a functional twin defines"
            " `def main(record=lambda name, **values: None)`"
        )
    module.main(record=TwinRecorder(trace, user))


def _load_twin(program: Path, arguments: list[str]) -> Any:
    """Executes the twin as a module other than `__main__`: the call of `main` is left to us."""
    module = type(sys)("functional")
    module.__file__ = str(program)
    sys.modules["functional"] = module
    sys.argv = [str(program), *arguments]
    sys.path.insert(0, str(program.parent))
    exec(compile(program.read_bytes(), str(program), "exec"), module.__dict__)
    return module


def _header(options: argparse.Namespace, trace: TraceWriter, library: str) -> None:
    trace.header(
        side=options.side,
        version=library,
        program=options.program.name,
        sha256=hashlib.sha256(options.program.read_bytes()).hexdigest(),
        python=platform.python_version(),
    )


def _version(side: str, torch: Any) -> str:
    if side == "torch":
        return str(torch.__version__).split("+")[0]
    try:
        return version("funcgrad")
    except PackageNotFoundError:
        return ""


def _line_of(error: BaseException, program: Path) -> int:
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(program):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line or getattr(error, "lineno", 0) or 0
