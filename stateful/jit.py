"""`torch.jit`: what is left of it here. Functions run as Python, and XLA compiles them anyway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = [
    "Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "script", "trace",
    "unused",
]  # fmt: skip


def is_scripting() -> bool:
    """False: nothing is ever scripted.

    >>> import stateful as torch
    >>> torch.jit.is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """False: nothing is ever traced by `torch.jit`.

    >>> import stateful as torch
    >>> torch.jit.is_tracing()
    False
    """
    return False


def script(obj: Any, **options: Any) -> Any:
    """``obj`` itself, a function, a class or a Module: it means the same as Python.

    >>> import stateful as torch
    >>> torch.jit.script(torch.nn.ReLU())(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return obj


def trace(func: Callable, example_inputs: Any = None, **options: Any) -> Callable:
    """``func`` itself: it is not frozen to what it does for ``example_inputs``.

    >>> import stateful as torch
    >>> torch.jit.trace(torch.exp, torch.ones(1))(torch.zeros(1))
    tensor([1.])
    """
    return func


def _same(name: str, text: str) -> Callable:
    def decorator(fn: Any = None, **options: Any) -> Any:
        return decorator if fn is None or isinstance(fn, bool) else fn

    decorator.__name__ = decorator.__qualname__ = name
    decorator.__doc__ = f"""{text}

    >>> import stateful as torch
    >>> @torch.jit.{name}
    ... def double(x):
    ...     return x * 2
    >>> double(2)
    4
    """
    return decorator


export = _same("export", "Decorator without effect: a method that scripting is to keep.")
ignore = _same("ignore", "Decorator without effect: a function that scripting is to leave alone.")
unused = _same("unused", "Decorator without effect: a function that scripting is not to meet.")


def annotate(the_type: Any, the_value: Any) -> Any:
    """``the_value``.

    >>> import stateful as torch
    >>> torch.jit.annotate(int, 3)
    3
    """
    return the_value
