"""What ops of one's own take and return, in PyTorch's words: ``f(Tensor x, float a=2.) -> Tensor``.

Source of the words: https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/README.md
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types as kinds
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import devices, dtypes
from .tensor import Tensor

_NAMES: dict[Any, str] = {
    Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str",
    dtypes.dtype: "ScalarType", devices.device: "Device",
}  # fmt: skip
_LISTED = (Tensor, int, float, bool)
_NUMBER = {int, float, bool}

_ACCEPTED: dict[str, tuple] = {
    "Tensor": (Tensor,), "SymInt": (int,), "int": (int,), "float": (int, float),
    "bool": (bool,), "str": (str,), "Scalar": (bool, int, float, complex),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class SchemaArgument:
    """One argument. ``type``: as ``"Tensor?"`` or ``"SymInt[]"``; ``text``: of its default."""

    name: str
    type: str
    kwarg_only: bool = False
    mutable: bool = False
    default: Any = inspect.Parameter.empty
    text: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether a value is of this type."""
        kind = self.type
        if kind.endswith("?"):
            if value is None:
                return True
            kind = kind[:-1]
        if kind.endswith("]"):
            inner = SchemaArgument("", kind[: kind.index("[")])
            return isinstance(value, list | tuple) and all(map(inner.accepts, value))
        wanted = _ACCEPTED.get(kind)
        return wanted is None or isinstance(value, wanted)

    def __str__(self) -> str:
        return f"{self.type} {self.name}" + (f"={self.text}" if self.text else "")


@dataclasses.dataclass(frozen=True)
class FunctionSchema:
    """The name of an op, its arguments and the types of its results."""

    name: str
    arguments: tuple[SchemaArgument, ...]
    returns: str
    overload_name: str = ""

    @property
    def is_mutable(self) -> bool:
        """Whether an argument is written to."""
        return any(argument.mutable for argument in self.arguments)

    def bind(self, args: Sequence, kwargs: dict) -> tuple[list, dict]:
        """The arguments by position, and those by keyword only, with defaults. RuntimeError if
        one is missing, not known, or of another type."""
        left = dict(kwargs)
        by_position = [a for a in self.arguments if not a.kwarg_only]
        if len(args) > len(by_position):
            raise RuntimeError(
                f"{self.name}() expected at most {len(by_position)} argument(s) but received "
                f"{len(args)} argument(s). Declaration: {self}"
            )
        given = dict(zip([a.name for a in by_position], args, strict=False))
        found: dict[str, Any] = {}
        for place, argument in enumerate(self.arguments):
            name = argument.name
            found[name] = given[name] if name in given else left.pop(name, argument.default)
            if found[name] is inspect.Parameter.empty:
                raise RuntimeError(
                    f"{self.name}() is missing value for argument '{name}'. Declaration: {self}"
                )
            if not argument.accepts(found[name]):
                kind = argument.type.replace("SymInt", "int")
                raise RuntimeError(
                    f"{self.name}() Expected a value of type '{kind}' for argument '{name}' but "
                    f"instead found type '{type(found[name]).__name__}'.\nPosition: {place}\n"
                    f"Declaration: {self}"
                )
        for name in left:
            raise RuntimeError(
                f"Unknown keyword argument '{name}' for operator '{self.name}'. Schema: {self}"
            )
        named = {a.name: found[a.name] for a in self.arguments if a.kwarg_only}
        return [found[a.name] for a in by_position], named

    def __str__(self) -> str:
        return self.name + self.signature()

    def signature(self) -> str:
        """The schema without the name."""
        texts: list[str] = []
        for argument in self.arguments:
            if argument.kwarg_only and "*" not in texts:
                texts.append("*")
            texts.append(str(argument))
        return f"({', '.join(texts)}) -> {self.returns}"


# -- of a text -------------------------------------------------------------------------------------


def parse(text: str) -> FunctionSchema:
    """The schema in a text such as ``"f(Tensor x, float a=2.0, *, int n=1) -> Tensor"``."""
    found = re.fullmatch(r"\s*([\w:.]*)\s*\((.*)\)\s*->\s*(.+?)\s*", text, re.DOTALL)
    if found is None:
        raise RuntimeError(
            f"expected a schema such as 'f(Tensor x, int n=1) -> Tensor', but got {text!r}"
        )
    name, inside, returns = found.groups()
    name, _, overload = name.partition(".")
    arguments, keyword_only = [], False
    for part in _parts(inside):
        if part == "*":
            keyword_only = True
        else:
            arguments.append(_argument(part, keyword_only))
    return FunctionSchema(name, tuple(arguments), returns, overload)


def _parts(text: str) -> list[str]:
    """What commas outside of brackets separate."""
    parts = re.split(r",(?![^\[\(]*[\]\)])", text)
    return [part.strip() for part in parts if part.strip()]


def _argument(text: str, keyword_only: bool) -> SchemaArgument:
    declared, _, default = text.partition("=")
    kind, _, name = declared.strip().rpartition(" ")
    mutable = "!" in kind
    value = _value(default.strip()) if default else inspect.Parameter.empty
    shown = f"{value}".removesuffix("0") if type(value) is float else default.strip()
    plain = re.sub(r"\(.*?\)", "", kind)
    return SchemaArgument(name, plain, keyword_only, mutable, value, shown)


def _value(text: str) -> Any:
    words = {"None": None, "True": True, "False": False}
    if text in words:
        return words[text]
    if text.startswith("["):
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    if text[0] in "\"'":
        return text[1:-1]
    if not re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", text):
        return text  # the name of a dtype
    return float(text) if re.search(r"[.eE]", text) else int(text)


# -- of a function ---------------------------------------------------------------------------------


def infer_schema(
    prototype_function: Callable, /, *, mutates_args: str | Iterable[str],
    op_name: str | None = None,
) -> str:  # fmt: skip
    """The schema of a function with type annotations, as a text.

    ``mutates_args``: names of the arguments that it changes in place, or ``"unknown"``. Raises
    ValueError for a parameter without a known type.

    >>> import stateful as torch
    >>> def scaled(x: torch.Tensor, factor: float = 2.0) -> torch.Tensor: ...
    >>> torch.library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float factor=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function, eval_str=True)

    def refuse(what: str) -> typing.NoReturn:
        raise ValueError(f"infer_schema(func): {what} Got func with signature {signature})")

    names = None if mutates_args == "unknown" else set(mutates_args)
    texts: list[str] = []
    for number, (name, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            refuse("We do not support positional-only args, varargs, or varkwargs.")
        if parameter.annotation is parameter.empty:
            refuse(f"Parameter {name} must have a type annotation.")
        kind = _type(parameter.annotation)
        if kind is None:
            refuse(f"Parameter {name} has unsupported type {parameter.annotation}.")
        if kind.startswith("Tensor") and (names is None or name in names):
            kind = kind.replace("Tensor", f"Tensor(a{number}!)", 1)
        elif names and name in names:
            refuse(f"Parameter {name} is in mutable_args but only Tensors or collections of "
                   "Tensors can be mutated")  # fmt: skip
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        default = ""
        if parameter.default is not parameter.empty:
            shown = _default(parameter.default)
            if shown is None:
                refuse(f"Parameter {name} has an unsupported default value type "
                       f"{type(parameter.default)}.")  # fmt: skip
            default = f"={shown}"
        texts.append(f"{kind} {name}{default}")
    unknown = (names or set()) - set(signature.parameters)
    if unknown:
        refuse(f"{unknown} in mutates_args were not found in the custom op's signature.")
    if signature.return_annotation is signature.empty:
        refuse("No return type annotation was provided. Please add one.")
    returns = _returned(signature.return_annotation)
    if returns is None:
        refuse(f"Return has unsupported type {signature.return_annotation}.")
    return f"{op_name or ''}({', '.join(texts)}) -> {returns}"


def _type(annotation: Any) -> str | None:
    """What an annotation is called; None if there is no word for it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, kinds.UnionType):
        rest = [kind for kind in inner if kind is not kinds.NoneType]
        optional = "?" if len(rest) < len(inner) else ""
        found = "Scalar" if set(rest) == _NUMBER else _type(rest[0]) if len(rest) == 1 else None
        return found and found + optional
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not tuple:
        optional = typing.get_args(inner[0])
        listed = inner[0] in _LISTED or Tensor in optional
        return f"{_type(inner[0])}[]" if listed else None
    return _NAMES.get(annotation)


def _returned(annotation: Any) -> str | None:
    if annotation is None or annotation is kinds.NoneType:
        return "()"
    if typing.get_origin(annotation) is tuple:
        found = [_type(item) for item in typing.get_args(annotation)]
        return None if None in found else f"({', '.join(filter(None, found))})"
    return _type(annotation)


def _default(value: Any) -> str | None:
    """A default as text; None if it cannot be one."""
    if isinstance(value, str):
        return f'"{value}"'
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    return str(value).removeprefix("torch.") if isinstance(value, dtypes.dtype) else None
