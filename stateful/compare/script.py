"""Runs a file the way `python FILE ARGS` does."""

from __future__ import annotations

import io
import sys
import traceback
import types
from collections.abc import Sequence
from pathlib import Path

_OURS = str(Path(__file__).resolve().parent.parent)


def run_script(path: Path, arguments: Sequence[str] = ()) -> types.ModuleType:
    """Runs `path` as the module `__main__`, with `sys.argv` and `sys.path[0]` as Python sets them.

    Raises whatever the script raises. Returns the module, which stays `sys.modules["__main__"]`.
    """
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    with io.open_code(str(path)) as file:
        source = file.read()
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def without_our_frames(error: BaseException) -> types.TracebackType | None:
    """The traceback of `error` from the first frame of the user's script on."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace or error.__traceback__


def print_error(error: BaseException) -> None:
    """Prints `error` on stderr as Python would have, had it run the script itself."""
    traceback.print_exception(type(error), error, without_our_frames(error))


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen")) or Path(filename).name == "runpy.py"
