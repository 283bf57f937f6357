"""Modules that are a function with fixed options: one row of a table for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import functional as F
from .module import Module

REQUIRED = object()


class FunctionModule(Module):
    """``function(*inputs, **options)``; arguments are remembered under their names."""

    _function: str
    _options: dict[str, Any]
    _hidden: tuple[str, ...] = ()

    def __init__(self, *args, **kwargs):
        super().__init__()
        names = list(self._options)
        if len(args) > len(names):
            raise TypeError(
                f"{type(self).__name__}.__init__() takes from 1 to {len(names) + 1} positional "
                f"arguments but {len(args) + 1} were given"
            )
        given = dict(zip(names, args, strict=False))
        for name in kwargs:
            if name not in names or name in given:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'"
                )
        given.update(kwargs)
        for name, default in self._options.items():
            if name not in given and default is REQUIRED:
                raise TypeError(
                    f"{type(self).__name__}.__init__() missing 1 required positional argument: "
                    f"'{name}'"
                )
            setattr(self, name, given.get(name, default))
        self._check()

    def _check(self) -> None:
        """Refuse or complete options."""

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._options}

    def forward(self, *inputs):
        return getattr(F, self._function)(*inputs, **self._arguments())

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={getattr(self, name)}" for name in self._options if name not in self._hidden
        )


def make(name: str, function: str, options: dict[str, Any], module: str, hidden=(),
         base: type = FunctionModule, **methods: Callable) -> type:  # fmt: skip
    """A class of this kind."""
    fields = {"_function": function, "_options": options, "_hidden": tuple(hidden),
              "__doc__": f"`nn.functional.{function}` as a module.", "__module__": module,
              **methods}  # fmt: skip
    return type(name, (base,), fields)
