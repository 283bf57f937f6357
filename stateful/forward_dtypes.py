"""Tangents of another dtype than their tensors: what is computed with them is promoted.

PyTorch keeps the dtype that a tangent was given and computes a derivative as any other expression:
in the common dtype of the tangents and of what the formula saves.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from funcgrad import types
from funcgrad.op import Op

from .dispatch import Face, call
from .dtypes import as_dtype


def are_mixed(leaves: Sequence, tangents: Sequence) -> bool:
    """Whether a tangent has not the dtype of its tensor."""
    return any(
        t is not None and t._aval.dtype != x._aval.dtype
        for x, t in zip(leaves, tangents, strict=True)
    )


def in_one_dtype(
    op: Op, template: tuple, leaves: Sequence, tangents: Sequence, outs: Sequence
) -> tuple[list, list, Sequence]:
    """The leaves, tangents and outputs of a call, all in the dtype that its tangents will have."""
    present = [t for t in tangents if t is not None]
    saved = _saved(op, template, leaves, tangents, outs)
    found = {x._aval.dtype for x in (*present, *saved) if types.is_differentiable(x._aval.dtype)}
    dtype = functools.reduce(types.promote_types, found)
    cast = [_cast(leaf, dtype) for leaf in leaves]
    args = op.unbind(template, cast)
    named = zip(op.names[op.positional :], args[op.positional :], strict=True)
    again = call(op, args[: op.positional], dict(named))
    again = again if isinstance(again, tuple | list) else [again]
    return cast, [None if t is None else _cast(t, dtype) for t in tangents], again


def _saved(
    op: Op, template: tuple, leaves: Sequence, tangents: Sequence, outs: Sequence
) -> Iterator[Any]:
    """The tensors that the formulas of the inputs with tangents save."""
    args, dots = op.unbind(template, leaves), op.unbind(template, tangents)
    for index in op.differentiable:
        given = dots[index] if isinstance(dots[index], tuple) else (dots[index],)
        if not any(isinstance(t, Face.tensor) for t in given):
            continue
        for item in op.saves[op.names[index]]:
            source = {"input": args, "output": outs}.get(item.source)
            held = () if source is None else source[item.index]
            held = held if isinstance(held, tuple) else (held,)
            yield from (x for x in held if isinstance(x, Face.tensor))


def _cast(leaf: Any, dtype: Any) -> Any:
    if not isinstance(leaf, Face.tensor) or not types.is_differentiable(leaf._aval.dtype):
        return leaf
    return leaf if leaf._aval.dtype == dtype else leaf.to(as_dtype(dtype))
