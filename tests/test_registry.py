"""Every op of the registry against PyTorch. No test here names an op.

A few samples an op; ``python -m tests.conformance_ops`` runs all of them.
"""

from __future__ import annotations

import jax
import pytest
import torch

from funcgrad.composite import COMPOSITES
from funcgrad.op import REGISTRY
from tests import registry_checks as checks
from tests.registry_exceptions import EXCEPTIONS, ONCE
from tests.registry_samples import EDGES, NOT_FINITE, calls, edge_calls, overload

DTYPES = [torch.float64, torch.float32, torch.complex128, torch.int64, torch.bool]


def ops(check: str, keep=lambda op: True):
    """A parameter for each op, the exceptions of this check marked as such."""
    found = []
    for aten, op in sorted(REGISTRY.items()):
        if keep(op):
            reason = EXCEPTIONS.get((check, aten))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            found.append(pytest.param(op, id=aten, marks=marks))
    return pytest.mark.parametrize("op", found)


@pytest.fixture(autouse=True)
def wide():
    """PyTorch's 64-bit dtypes, for the duration of a test."""
    with jax.enable_x64(True):
        yield


def is_aten(op) -> bool:
    return overload(op.aten) is not None


@ops("schema")
def test_schema(op):
    if not is_aten(op):
        assert op.face == "private", f"{op.aten} is public, but ATen has no op of this name"
        return
    checks.check_schema(op)


@ops("sampled", is_aten)
def test_sampled(op):
    assert any(calls(op.aten, dtype, 1) for dtype in DTYPES), "no sample of PyTorch calls this op"


@ops("value", is_aten)
def test_value(op):
    for dtype in DTYPES[1:]:
        for call in calls(op.aten, dtype, 1):
            checks.check_value(op, call)


@ops("gradient", lambda op: is_aten(op) and op.grad_fn)
def test_gradient(op):
    for call in calls(op.aten, torch.float64, 2):
        once = op.face == "private" or op.aten in ONCE
        checks.check_gradient(op, call, order=1 if once else 2)
    for call in calls(op.aten, torch.complex128, 1):
        checks.check_gradient(op, call)


@ops("edges", is_aten)
def test_edges(op):
    for edge in edge_calls(op.aten, EDGES, 1):
        checks.check_value(op, edge)
        if op.grad_fn:
            checks.check_gradient(op, edge)


@ops("not finite", is_aten)
def test_not_finite(op):
    """The private ops are derivatives of others: their own derivatives are not asked here."""
    for edge in edge_calls(op.aten, NOT_FINITE, 1):
        checks.check_value(op, edge)
        if op.grad_fn and op.face != "private":
            checks.check_gradient(op, edge)


def test_no_stale_exception():
    unknown = {aten for _, aten in EXCEPTIONS} - set(REGISTRY)
    assert not unknown, f"exceptions for ops that do not exist: {sorted(unknown)}"


def test_every_public_function_has_an_example():
    for function in [*REGISTRY.values(), *COMPOSITES.values()]:
        if function.face != "private":
            assert function.__doc__, f"{function.name} has no docstring"
