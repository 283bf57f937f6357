"""Several outputs under names: ``x.max(0).values``, as ``torch.return_types.max``."""

from __future__ import annotations

import functools
import operator
from typing import Any

from funcgrad.op import Op


class ReturnType(tuple):
    """A tuple whose items have names."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        items = ",\n".join(f"{n}={x!r}" for n, x in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{items})"


@functools.cache
def return_type(op: Op) -> Any:
    """What the outputs of ``op`` are returned as: a plain tuple where ATen gives them no names."""
    if isinstance(op.outputs, str) or any(name.startswith("result") for name in op.outputs):
        return tuple
    return named(op.name.removeprefix("_"), op.outputs)


def written(outs: tuple, results: Any) -> tuple:
    """What ``out=`` returns: ``outs``, under the names that the results have."""
    if not isinstance(results, ReturnType):
        return outs
    return named(f"{type(results).__name__}_out", results._fields)(outs)


@functools.cache
def named(name: str, fields: tuple[str, ...]) -> type:
    """The tuple type of this name."""
    items = {n: property(operator.itemgetter(i)) for i, n in enumerate(fields)}
    return type(name, (ReturnType,), {**items, "__slots__": (), "_fields": fields})
