"""Arguments that are no Tensors but have ``__torch_function__``.

Nobody looks for them: a function that fails asks here whether one of its arguments says what it
means. Source: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .dispatch import Face
from .telling import forms
from .torch_function import handle, is_told, overloaded, state


def foreign(function: Callable, args: tuple, kwargs: dict) -> Any:
    """What such an argument says that the call, which is failing, means; else fail."""
    given = [x for x in overloaded(arguments(args, kwargs)) if not isinstance(x, Face.tensor)]
    if not given or not state.subclasses:
        raise  # noqa: PLE0704 (the exception that the caller is handling)
    form = forms().get(function)
    if form is not None:
        given = overloaded(arguments(args, kwargs), is_told)
        args, kwargs = form.of(args, kwargs)
    return handle(function, given, args, kwargs)


def arguments(args: tuple, kwargs: dict) -> Iterator:
    """The arguments, and those in lists."""
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, tuple | list):
            yield from argument
        else:
            yield argument
