"""What goes wrong when a step is traced, and where in the user's program."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

_LIBRARIES = [Path(__file__).parents[1], Path(jax.__file__).parent, Path(__file__).parents[2] / "funcgrad"]


class PurifyError(RuntimeError):
    """A step that cannot be one pure program."""


class DataDependentError(PurifyError):
    """Python needs a value that exists only when the program runs."""


class LeakedTracerError(PurifyError):
    """A Tensor of a traced step is used after the trace."""


class StateChangedError(PurifyError):
    """The step changes what its program depends on each time it runs."""


@contextmanager
def naming_the_line() -> Iterator[None]:
    """Turn JAX's complaint about a value that is not there into one that names the user's line."""
    try:
        yield
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise DataDependentError(
            "data-dependent control flow: the value of a traced Tensor is needed at\n"
            f"{_where(error)}\n"
            "A compiled step runs as one program, so Python cannot look at its values (bool(), "
            "item(), float(), numpy(), print). Use torch.where or arithmetic instead of `if`, or do "
            "this outside of the step, on what the step returns."
        ) from None


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not _is_library(f.filename)]
    frame = (own or frames)[-1]
    line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    return f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {line}'


def _is_library(filename: str) -> bool:
    path = Path(filename)
    return "contextlib" in path.name or any(path.is_relative_to(library) for library in _LIBRARIES)
