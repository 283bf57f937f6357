"""How the arguments of a call become data and a template: decided once for each form of call.

The *form* of a call is how many arguments are given by position and which by name. A form knows
where each given argument belongs and what the others are by default.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, NamedTuple, get_args

from . import signature as signatures
from .template import HOLE, small_numbers

ALIASES = {"input": "self", "axis": "dim", "keepdims": "keepdim"}
"""Argument names that PyTorch's Python functions take beside ATen's."""


class Parameter(NamedTuple):
    """One parameter of an op. ``kind``: ``"tensor"``, ``"tensors"``, ``"scalar"``, ``"static"``."""

    name: str
    kind: str
    default: Any
    keyword_only: bool
    convert: Callable[[Any], Any] | None
    optional: bool = False
    """Whether None is a value."""


class Given(NamedTuple):
    """Stands for an argument while a form is made: the ``number``-th that is given."""

    number: int


@dataclasses.dataclass(slots=True)
class Form:
    """``template``: of a call with a tensor wherever an argument is given.

    ``tensors``: how many of the given arguments come first and can only be tensors.
    ``given``: what the others are, in the order of the signature, as (number among those given,
    place in the template, kind, converter, default, integers that are part of the template).
    """

    template: tuple
    tensors: int
    given: tuple[tuple, ...]


def parameters(fn: Callable) -> list[Parameter]:
    """The parameters of a declaration, classified by their annotations."""
    found = []
    for p in inspect.signature(fn, eval_str=True).parameters.values():
        kind, convert = signatures.classify(p.annotation)
        optional = p.default is None or NoneType in get_args(p.annotation)
        keyword = p.kind is p.KEYWORD_ONLY
        found.append(Parameter(p.name, kind, p.default, keyword, convert, optional))
    return found


class Binder:
    """Splits calls of one op."""

    def __init__(self, name: str, params: Sequence[Parameter]):
        self.name, self.params = name, params
        self.positions = {p.name: i for i, p in enumerate(params)}
        self.positional = sum(not p.keyword_only for p in params)
        self.forms: dict[Any, Form] = {}

    def bind(self, args: Sequence, kwargs: dict) -> tuple[list, tuple]:
        """Split a call into its data (``leaves``) and a hashable ``template`` of everything else.

        A scalar that was left out or that is a small integer is not worth being data.
        """
        form = self.forms.get((len(args), *kwargs) if kwargs else len(args))
        if form is None:
            if len(args) > self.positional:
                args = self._gathered(args)
            form = self._form(len(args), tuple(kwargs))
        if kwargs:
            args = (*args, *kwargs.values())
        if not form.given:
            return list(args), form.template
        leaves = list(args[: form.tensors])
        template = list(form.template)
        for number, place, kind, convert, default, small in form.given:
            arg = args[number]
            if kind == "static":
                template[place] = arg if convert is None else convert(arg)
            elif arg is None:
                template[place] = None
            elif kind == "scalar":
                if arg is default or type(arg) is int and arg in small:
                    template[place] = arg
                else:
                    leaves.append(arg)
            elif kind == "tensor":
                leaves.append(arg)
            else:
                template[place] = tuple([None if item is None else HOLE for item in arg])
                leaves.extend([item for item in arg if item is not None])
        return leaves, tuple(template)

    def complete(self, args: Sequence, kwargs: dict) -> list:
        """Positional and keyword arguments and defaults, in the order of the signature."""
        if len(args) > self.positional:
            args = self._gathered(args)
        full = [*args, *(p.default for p in self.params[len(args) :])]
        for name, arg in kwargs.items():
            index = self.positions.get(name, self.positions.get(ALIASES.get(name, "")))
            if index is None:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")
            if index < len(args):
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
            full[index] = arg
        for param, arg in zip(self.params, full, strict=True):
            if arg is inspect.Parameter.empty:
                raise TypeError(
                    f'{self.name}() missing 1 required positional arguments: "{param.name}"'
                )
        return full

    def _gathered(self, args: Sequence) -> tuple:
        """``x.view(2, 3)``: a trailing `Size` also takes its integers one by one."""
        last = self.params[self.positional - 1] if self.positional else None
        if last is None or last.kind != "static" or last.convert is not signatures.size:
            raise TypeError(
                f"{self.name}() takes {self.positional} positional arguments but "
                f"{len(args)} were given"
            )
        return (*args[: self.positional - 1], args[self.positional - 1 :])

    def _form(self, count: int, names: tuple[str, ...]) -> Form:
        """The form of calls with ``count`` positional arguments and these keyword arguments."""
        named = {name: Given(count + i) for i, name in enumerate(names)}
        full = self.complete([Given(i) for i in range(count)], named)
        template, given = [], []
        for place, (param, arg) in enumerate(zip(self.params, full, strict=True)):
            if isinstance(arg, Given):
                template.append(HOLE)
                small = small_numbers(param.default)
                given.append((arg.number, place, param.kind, param.convert, param.default, small))
            else:
                static = param.kind == "static" and param.convert is not None
                template.append(param.convert(arg) if static else arg)  # type: ignore[misc]
        tensors = 0
        if not names and all(g[2] == "tensor" and g[4] is not None for g in given):
            tensors = len(given)
        elif given and given[0][:3] == (0, 0, "tensor"):
            tensors = 1  # ``self``, which cannot be None
        form = Form(tuple(template), tensors, tuple(given[tensors:]))
        self.forms[(count, *names) if names else count] = form
        return form
