"""How the results of every op of the registry lie in memory, against PyTorch. Names no op."""

from __future__ import annotations

import warnings

import jax
import pytest
import torch

import stateful
from funcgrad.op import REGISTRY
from stateful.dispatch import call
from tests.registry_exceptions import EXCEPTIONS
from tests.registry_samples import calls, overload

KINDS = [torch.float32, torch.complex64]


def in_order(tensor: torch.Tensor, order: list[int]) -> torch.Tensor:
    """The tensor with its dimensions in this order in memory, the slowest first."""
    back = [order.index(dim) for dim in range(len(order))]
    return tensor.detach().permute(order).contiguous().permute(back)


def transposed(tensor):
    rank = tensor.dim()
    return in_order(tensor, [*range(rank - 2), *range(rank - 1, max(rank - 3, -1), -1)])


def rotated(tensor):
    return in_order(tensor, [*range(1, tensor.dim()), 0][: tensor.dim()])


def channels_last(tensor):
    dims = list(range(tensor.dim()))
    return in_order(tensor, [0, *dims[2:], 1] if len(dims) in (4, 5) else dims)


LAYOUTS = [lambda tensor: in_order(tensor, [*range(tensor.dim())]), transposed, rotated,
           channels_last]  # fmt: skip


def ours(value):
    """A tensor of ours that lies in memory as PyTorch's does."""
    if isinstance(value, torch.Tensor):
        order = sorted(range(value.dim()), key=lambda dim: -value.stride(dim))
        back = [order.index(dim) for dim in range(len(order))]
        made = stateful.as_tensor(value.permute(order).contiguous().numpy())
        return made.permute(back) if order != sorted(order) else made
    if isinstance(value, list | tuple):
        return type(value)(map(ours, value))
    if isinstance(value, torch.dtype):
        return getattr(stateful, str(value).partition(".")[2]).numpy
    return value


def strides(results) -> list:
    found = results if isinstance(results, list | tuple) else [results]
    return [(tuple(x.shape), x.stride()) for x in found if hasattr(x, "stride")]


def aten_ops():
    for aten, op in sorted(REGISTRY.items()):
        if overload(aten) is not None and not op.is_view and not op.name.endswith("_"):
            reason = EXCEPTIONS.get(("strides", aten))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            yield pytest.param(op, id=aten, marks=marks)


def wanted_of(compute, sample) -> list | None:
    """The strides that PyTorch gives; None if it refuses the call."""
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            return strides(compute(**sample.arguments))
    except RuntimeError:
        return None


@pytest.mark.parametrize("op", [*aten_ops()])
def test_strides(op):
    compute, wrong = overload(op.aten), []
    for dtype in KINDS:
        for sample in calls(op.aten, dtype, 2):
            for layout in LAYOUTS:
                laid = sample.map(layout)
                given = {name: ours(x) for name, x in laid.arguments.items() if name in op.names}
                tensors = [x for x in given.values() if isinstance(x, stateful.Tensor)]
                same = strides(tensors) == strides([laid.arguments[name] for name in given])
                wanted = wanted_of(compute, laid) if same else None
                try:
                    found = wanted and strides(call(op, (), given))
                except jax.errors.ConcretizationTypeError:  # elements decide the shape
                    continue
                if found != wanted:
                    wrong.append((str(laid), wanted, found))
    assert not wrong, wrong[:3]
