"""Finds the programs to compare, their functional twins, and their recorded references."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .trace import Event, Trace, read_trace, write_compressed

LESSON = "torch_style.py"
TWIN = "functional.py"
REFERENCES = Path(__file__).resolve().parent / "reference"


@dataclass(frozen=True)
class Program:
    """A PyTorch program, its functional twin if it has one, and the name that both go by.

    >>> from pathlib import Path
    >>> from stateful.compare import Program
    >>> Program(Path("lesson.py"), None, "lesson").name
    'lesson'
    """

    path: Path
    twin: Path | None
    name: str

    @property
    def source(self) -> list[str]:
        """The lines of the program."""
        return self.path.read_text(encoding="utf-8").splitlines()

    def source_line(self, line: int) -> str:
        """The text of one line, without its indentation; empty for a line that does not exist."""
        source = self.source
        return source[line - 1].strip() if 0 < line <= len(source) else ""


def find_programs(paths: Iterable[Path]) -> list[Program]:
    """The programs under `paths`: files, and of a folder its lessons, or else its Python files.

    Raises FileNotFoundError for a path that does not exist or a folder without programs.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from stateful.compare import find_programs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "one.py").write_text("x = 1")
    ...     [program.name for program in find_programs([Path(folder)])]
    ['one']
    """
    found: list[Program] = []
    for path in paths:
        if path.is_file():
            found.append(_program(path.resolve()))
            continue
        if not path.is_dir():
            raise FileNotFoundError(f"no such file or folder: {path}")
        lessons = sorted(path.rglob(LESSON)) or sorted(path.glob("*.py"))
        if not lessons:
            raise FileNotFoundError(f"{path} has no {LESSON} below it and no .py file in it")
        found += [_program(lesson.resolve()) for lesson in lessons]
    return list(dict.fromkeys(found))


def _program(path: Path) -> Program:
    if path.name != LESSON:
        return Program(path, None, path.stem)
    twin = path.with_name(TWIN)
    return Program(path, twin if twin.is_file() else None, path.parent.name)


def reference_path(program: Program, folder: Path = REFERENCES) -> Path:
    """Where the recorded reference of `program` lies."""
    return folder / f"{program.name}.jsonl.gz"


def record(program: Program, trace: Trace, nodes: list[Event], folder: Path = REFERENCES) -> Path:
    """Keeps a trace of real PyTorch, with the nodes of some gradient calls, as the reference.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from stateful.compare import Program, Trace, record
    >>> program = Program(Path("one.py"), None, "one")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record(program, Trace({"side": "torch"}, [], []), [], Path(folder)).name
    'one.jsonl.gz'
    """
    path = reference_path(program, folder)
    graphs = [note for note in trace.notes if note.kind == "graph"]
    header = {**trace.header, "recorded": True}
    write_compressed(Trace(header, trace.events, graphs + nodes), path)
    return path


def recorded(program: Program, folder: Path = REFERENCES) -> Trace:
    """The recorded reference of `program`.

    Raises FileNotFoundError if there is none, and ValueError if it was made from another version of
    the file.

    >>> from pathlib import Path
    >>> from stateful.compare import Program, recorded
    >>> try:
    ...     recorded(Program(Path("none.py"), None, "none"))
    ... except FileNotFoundError as error:
    ...     print(str(error).partition(",")[0])
    none has no recorded reference
    """
    path = reference_path(program, folder)
    if not path.is_file():
        raise FileNotFoundError(
            f"{program.name} has no recorded reference, and torch is not installed to run it: "
            "pip install torch, or record one where torch is with `stateful compare --record`"
        )
    trace = read_trace(path)
    if trace.header["sha256"] != hashlib.sha256(program.path.read_bytes()).hexdigest():
        raise ValueError(
            f"the recorded reference of {program.name} is of another version of the program: "
            "pip install torch, or record it again where torch is with `stateful compare --record`"
        )
    return trace
