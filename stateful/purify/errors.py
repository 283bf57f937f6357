"""What goes wrong when a step is traced, and where in the user's program."""

from __future__ import annotations

import functools
import linecache
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy
import optax

import funcgrad

_LIBRARIES = [Path(m.__file__).parent for m in (funcgrad, jax, numpy, optax) if m.__file__]
_LIBRARIES.append(Path(__file__).parents[1])
_PYTHON = Path(functools.__file__).parent


class PurifyError(RuntimeError):
    """A step that cannot be one pure program.

    >>> import stateful as torch
    >>> from stateful.purify import DataDependentError, PurifyError
    >>> issubclass(DataDependentError, PurifyError)
    True
    """


class DataDependentError(PurifyError):
    """Python needs a value that exists only when the program runs.

    >>> import stateful as torch
    >>> from stateful.purify import DataDependentError
    >>> try:
    ...     torch.compile(lambda x: x * 2 if x.sum() > 0 else x)(torch.ones(2))
    ... except DataDependentError:
    ...     print("use torch.where")
    use torch.where
    """


class LeakedTracerError(PurifyError):
    """A Tensor of a traced step is used after the trace.

    >>> import stateful as torch
    >>> from stateful.purify import LeakedTracerError
    >>> kept = []
    >>> @torch.compile
    ... def step(x):
    ...     kept.append(x * 2)
    ...     return x
    >>> _ = step(torch.ones(2))
    >>> try:
    ...     kept[0].tolist()
    ... except LeakedTracerError:
    ...     print("return it from the step instead")
    [2.0, 2.0]
    """


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
            "item(), float(), numpy(), print). Use torch.where or arithmetic instead of `if`, or "
            "do this outside of the step, on what the step returns."
        ) from None


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not is_library_file(f.filename)]
    frame = (own or frames)[-1]
    line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    return f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {line}'


@functools.cache
def is_library_file(filename: str) -> bool:
    """Whether code is ours, JAX's, numpy's or Python's own, not the user's."""
    path = Path(filename)
    if any(path.is_relative_to(library) for library in _LIBRARIES):
        return True
    return path.is_relative_to(_PYTHON) and "site-packages" not in path.parts
