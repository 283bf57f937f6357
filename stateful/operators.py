"""`torch.ops.aten`: every op under its ATen name, ``torch.ops.aten.mul.Tensor``."""

from __future__ import annotations

import functools
from typing import Any

from funcgrad.op import REGISTRY, Op

from .dispatch import call


class OpOverload:
    """One op of ATen, with its overload: callable, and the same object for the same op.

    >>> import stateful as torch
    >>> torch.ops.aten.mul.Tensor
    <OpOverload(op='aten.mul', overload='Tensor')>
    """

    def __init__(self, op: Op):
        self._op = op
        name, _, overload = op.aten.partition(".")
        self._opname, self._overloadname = name, overload or "default"
        self.__name__ = f"{name}.{self._overloadname}"
        self.namespace = "aten"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self._op, args, kwargs)

    def name(self) -> str:
        """The name in ATen: ``aten::mul.Tensor``."""
        return f"aten::{self._op.aten}"

    @property
    def overloadpacket(self) -> OpOverloadPacket:
        """All overloads of this name."""
        return aten_packet(self._opname)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self._opname}', overload='{self._overloadname}')>"


class OpOverloadPacket:
    """All overloads of one name."""

    def __init__(self, name: str, overloads: dict[str, Op]):
        self.__name__, self._overloads = name, overloads

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return list(self._overloads)

    def __getattr__(self, name: str) -> OpOverload:
        if name not in self._overloads:
            raise AttributeError(
                f"The underlying op of 'aten.{self.__name__}' has no overload name '{name}'"
            )
        return overload(self._overloads[name])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ops = self._overloads
        return call(ops.get("default", next(iter(ops.values()))), args, kwargs)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


@functools.cache
def overload(op: Op) -> OpOverload:
    """The one `OpOverload` of a declared op."""
    return OpOverload(op)


@functools.cache
def aten_packet(name: str) -> OpOverloadPacket:
    """The one `OpOverloadPacket` of a name; AttributeError if there is no such op."""
    named = {key.partition(".")[2] or "default": op for key, op in REGISTRY.items()
             if key.partition(".")[0] == name}  # fmt: skip
    if not named:
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
    return OpOverloadPacket(name, named)


class _Aten:
    def __getattr__(self, name: str) -> OpOverloadPacket:
        return aten_packet(name)


class _Namespace:
    """The ops of somebody's own library."""


class _Ops:
    aten = _Aten()

    def define(self, namespace: str, name: str, op: Any) -> None:
        """Make ``op`` what ``torch.ops.<namespace>.<name>`` is."""
        if not hasattr(self, namespace):
            setattr(self, namespace, _Namespace())
        setattr(getattr(self, namespace), name, op)


ops = _Ops()
