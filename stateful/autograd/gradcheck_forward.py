"""`gradcheck` of forward mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from funcgrad import types

from ..batching import over_batch
from . import forward_ad
from .differences import (
    Check,
    GradcheckError,
    as_numpy,
    as_tuple,
    compare_batches,
    finite_difference,
    finite_jacobian,
    is_close,
    is_tensor,
    mismatch_text,
    parts_of,
    random_direction,
    slow_text,
    tensor_like,
)


def _alone(given: tuple, position: int, tangent: Any) -> dict[int, Any]:
    """``tangent`` for one input, and zeros for the others."""
    others = {i: tensor_like(x, 0) for i, x in enumerate(given) if is_tensor(x) and x.requires_grad}
    return {**others, position: tangent}


def _tangents(func: Callable, given: tuple, tangents: dict[int, Any]) -> list:
    """The outputs of ``func`` and their tangents; inputs lose their place in the graph."""
    with forward_ad.dual_level():
        arguments = [
            forward_ad.make_dual(x.detach(), tangents[i]) if i in tangents
            else x.detach() if is_tensor(x) and x.requires_grad
            else x
            for i, x in enumerate(given)
        ]  # fmt: skip
        duals = [forward_ad.unpack_dual(o) for o in as_tuple(func(*arguments))]
        return [(d.primal, d.tangent) for d in duals]


def check_forward(check: Check, func: Callable, given: tuple) -> None:
    count = -1
    for position, x in enumerate(given):
        if not (is_tensor(x) and x.requires_grad):
            continue
        count += 1
        for seed, part in enumerate(parts_of(x)):
            prefix = "" if len(parts_of(x)) == 1 else (
                f"While considering the {'real' if part == 1.0 else 'imaginary'} part of complex "
                "inputs only, "
            )  # fmt: skip
            units = random_direction(x.numel(), 2 + seed)[None] if check.fast else np.eye(x.numel())
            scale = units.sum() if check.fast else 1.0
            for unit in units:
                _compare_forward(check, func, given, position, count, unit, part, prefix, scale)
    if check.undefined:
        _check_undefined_forward(func, given)


def _compare_forward(check, func, given, position, count, unit, part, prefix, scale) -> None:
    x = given[position]
    numerical = finite_difference(func, given, as_tuple, x, unit * part, check.eps)
    tangent = tensor_like(x, (unit * part).reshape(x._aval.shape))
    for j, (output, found) in enumerate(_tangents(func, given, _alone(given, position, tangent))):
        if check.dtypes and found is not None and found.dtype != output.dtype:
            raise GradcheckError("Forward AD gradient has dtype mismatch.")
        if not types.is_differentiable(output._aval.dtype):
            continue
        array = np.zeros(output.numel()) if found is None else as_numpy(found).reshape(-1)
        if not is_close(check, array, numerical[j], scale):
            text = mismatch_text("computed with forward mode ", j, count, numerical[j], array)
            if check.fast:
                text += _whole(check, func, given, position, j, part)
            raise GradcheckError(prefix + text)


def _whole(check: Check, func: Callable, given: tuple, position: int, j: int, part: complex) -> str:
    """What slow mode would have compared."""
    x = given[position]
    numerical = finite_jacobian(func, given, as_tuple, x, part, check.eps)[j]
    analytical = np.zeros_like(numerical)
    for row, unit in enumerate(np.eye(x.numel())):
        tangent = tensor_like(x, (unit * part).reshape(x._aval.shape))
        found = _tangents(func, given, _alone(given, position, tangent))[j][1]
        analytical[row] = 0.0 if found is None else as_numpy(found).reshape(-1)
    return slow_text(check, numerical, analytical)


def _check_undefined_forward(func: Callable, given: tuple) -> None:
    """A missing tangent must count as zero."""
    wanted = [i for i, x in enumerate(given) if is_tensor(x) and x.requires_grad]
    full = {
        i: tensor_like(
            given[i], random_direction(given[i].numel(), i).reshape(given[i]._aval.shape)
        )
        for i in wanted
    }
    for missing in wanted:
        partial = {i: t for i, t in full.items() if i != missing}
        zeros = {**full, missing: tensor_like(given[missing], 0)}
        pairs = zip(_tangents(func, given, partial), _tangents(func, given, zeros), strict=True)
        for j, ((_, undefined), (_, zero)) in enumerate(pairs):
            a, b = (np.zeros(1) if t is None else as_numpy(t) for t in (undefined, zero))
            if not np.allclose(a, b):
                raise GradcheckError(
                    f"Mismatch in tangent values for output with index: {j} when input {missing} "
                    f"has an undefined tangent value. Got: {a} but expected: {b}"
                )


def check_batched_forward(func: Callable, given: tuple) -> None:
    """Tangents along two directions at once must be the two tangents."""
    random = np.random.default_rng(0)
    for position, x in enumerate(given):
        if not (is_tensor(x) and x.requires_grad):
            continue
        tangents = [tensor_like(x, random.standard_normal(x._aval.shape)) for _ in range(2)]

        def along(v: Any, position: int = position) -> list:
            return [t for _, t in _tangents(func, given, _alone(given, position, v))]

        one_by_one = [along(v) for v in tangents]
        stacked = np.stack([as_numpy(v) for v in tangents])
        try:
            batched = over_batch(along, [stacked])
        except Exception as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\ngradcheck failed while "
                "testing batched gradient computation with forward-mode AD. Pass "
                "check_batched_forward_grad=False."
            ) from error
        compare_batches(batched, one_by_one, "input")
