"""`torch.ops.aten`: every op under its ATen name, ``torch.ops.aten.mul.Tensor``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from funcgrad.op import REGISTRY, Op

from .aten_names import declared_as, overload_for, overloads_of
from .dispatch import call, call_inplace
from .return_types import ReturnType


class OpOverload:
    """One op of ATen, with its overload: callable, and the same object for the same op.

    ``mutates``: the one that writes to its first argument, ``torch.ops.aten.mul_.Tensor``.

    >>> import stateful as torch
    >>> torch.ops.aten.mul.Tensor
    <OpOverload(op='aten.mul', overload='Tensor')>
    """

    namespace = "aten"
    __module__ = "torch._ops.aten"

    def __init__(self, op: Op, overload: str, mutates: bool = False):
        self._op, self._mutates = op, mutates
        self._overloadname = overload.removeprefix("in_place") or "default"
        self._opname = declared_as(op).partition(".")[0] + "_" * mutates
        self.__name__ = f"{self._opname}.{self._overloadname}"
        self.is_view = op.is_view

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = (call_inplace if self._mutates else call)(self._op, args, kwargs)
        return tuple(found) if isinstance(found, ReturnType) else found

    def name(self) -> str:
        """The name in ATen: ``aten::mul.Tensor``."""
        default = self._overloadname == "default"
        return f"aten::{self._opname}" + ("" if default else f".{self._overloadname}")

    @property
    def overloadpacket(self) -> OpOverloadPacket:
        """All overloads of this name."""
        return aten_packet(self._opname)

    @property
    def _schema(self) -> Schema:
        default = self._overloadname == "default"
        arguments = [Argument(p.name, p.keyword_only) for p in self._op.params]
        return Schema(
            f"aten::{self._opname}", "" if default else self._overloadname, arguments, self._mutates
        )

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self._opname}', overload='{self._overloadname}')>"


class Argument(NamedTuple):
    """One argument of an op."""

    name: str
    kwarg_only: bool


class Schema(NamedTuple):
    """What an op is called and takes. ``is_mutable``: it writes to its first argument."""

    name: str
    overload_name: str
    arguments: list[Argument]
    is_mutable: bool


class FunctionOverload(OpOverload):
    """An op of ATen that is no declared op, but what ``function`` does to its only argument."""

    def __init__(self, name: str, function: Callable):
        self._opname, self._overloadname, self._mutates = name, "default", False
        self.__name__, self.is_view, self._function = f"{name}.default", False, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    @property
    def _schema(self) -> Schema:
        return Schema(f"aten::{self._opname}", "", [Argument("self", False)], False)


FUNCTIONS: dict[str, FunctionOverload] = {}
"""Ops of ATen that are no declared ops, by name."""


class OpOverloadPacket:
    """All overloads of one name."""

    __module__ = "torch._ops.aten"

    def __init__(self, name: str, overloads: dict[str, OpOverload]):
        self.__name__, self._overloads = name, overloads

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return list(self._overloads)

    def __getattr__(self, name: str) -> OpOverload:
        if name not in self._overloads:
            raise AttributeError(
                f"The underlying op of 'aten.{self.__name__}' has no overload name '{name}'"
            )
        return self._overloads[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self._overloads
        return found.get("default", next(iter(found.values())))(*args, **kwargs)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


@functools.cache
def overloads(op: Op, mutates: bool = False) -> dict[str, OpOverload]:
    """The one `OpOverload` for each overload of a declared op, or of its form in place."""
    public = REGISTRY.get(declared_as(op), op)
    if public is not op:
        return overloads(public, mutates)
    return {name: OpOverload(op, name, mutates) for name in overloads_of(op)}


def overload(op: Op, mutates: bool = False, values: Sequence = ()) -> OpOverload:
    """What a call of ``op`` with these arguments is in ATen."""
    found = overloads(op, mutates)
    return found.get(overload_for(op, values)) or next(iter(found.values()))


@functools.cache
def aten_packet(name: str) -> OpOverloadPacket:
    """The one `OpOverloadPacket` of a name; AttributeError if there is no such op."""
    named: dict[str, OpOverload] = {}
    for op in REGISTRY.values():
        for mutates in (False, True) if op.inplace or op.face == "private" else (False,):
            for found in overloads(op, mutates).values():
                if found._opname == name:
                    named.setdefault(found._overloadname, found)
    if name in FUNCTIONS:
        named["default"] = FUNCTIONS[name]
    if not named:
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
    return OpOverloadPacket(name, named)


class _Aten:
    def __getattr__(self, name: str) -> OpOverloadPacket:
        return aten_packet(name)


class _Namespace:
    """The ops of somebody's own library."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{name}'")


class _Ops:
    aten = _Aten()

    def define(self, namespace: str, name: str, op: Any) -> None:
        """Make ``op`` what ``torch.ops.<namespace>.<name>`` is."""
        if not hasattr(self, namespace):
            setattr(self, namespace, _Namespace(namespace))
        setattr(getattr(self, namespace), name, op)

    def undefine(self, namespace: str, name: str) -> None:
        """There is no ``torch.ops.<namespace>.<name>`` any more."""
        delattr(getattr(self, namespace), name)


ops = _Ops()
