"""`torch.compiler`: questions to, and exceptions from, `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .purify import compile as compile
from .purify.watch import is_tracing

__all__ = [
    "allow_in_graph",
    "compile",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "reset",
]


def is_compiling() -> bool:
    """Whether the function that runs is being traced, to be compiled.

    >>> import stateful as torch
    >>> torch.compiler.is_compiling(), torch.compile(lambda: torch.compiler.is_compiling())()
    (False, True)
    """
    return is_tracing()


def is_dynamo_compiling() -> bool:
    """As `is_compiling`.

    >>> import stateful as torch
    >>> torch.compiler.is_dynamo_compiling()
    False
    """
    return is_tracing()


def is_exporting() -> bool:
    """False: nothing is ever exported by `torch.export`.

    >>> import stateful as torch
    >>> torch.compiler.is_exporting()
    False
    """
    return False


def disable(fn: Any = None, recursive: bool = True, **options: Any) -> Any:
    """Decorator without effect: a function that runs inside of a compiled one is compiled too.

    >>> import stateful as torch
    >>> @torch.compiler.disable
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(1))
    tensor([2.])
    """
    return disable if fn is None else fn


def allow_in_graph(fn: Callable) -> Callable:
    """``fn``: every function may be compiled.

    >>> import stateful as torch
    >>> torch.compiler.allow_in_graph(torch.exp) is torch.exp
    True
    """
    return fn


def reset() -> None:
    """Nothing to forget: programs belong to the functions that were compiled.

    >>> import stateful as torch
    >>> torch.compiler.reset()
    """
