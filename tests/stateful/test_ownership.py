"""What a debugger does to reference counts must not let ``.grad`` share memory by mistake."""

import importlib
import sys

import pytest

import stateful as torch
from stateful import ownership


class Ones(torch.autograd.Function):
    """Its gradient is a tensor that it also keeps in ``kept``."""

    kept = []

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        Ones.kept.append(torch.ones(3))
        return Ones.kept[-1]


def looking(frame, event, arg):
    """A trace function that looks at local variables, as debuggers do."""
    assert frame.f_locals is not None
    return looking


@pytest.fixture
def counted_under_a_debugger(monkeypatch):
    previous = sys.gettrace()
    sys.settrace(looking)
    try:
        importlib.reload(ownership)
    finally:
        sys.settrace(previous)
    monkeypatch.setattr(importlib.import_module("stateful.tensor"), "is_free", ownership.is_free)
    yield
    importlib.reload(ownership)


def gradient():
    x = torch.zeros(3, requires_grad=True)
    Ones.apply(x).sum().backward()
    return x.grad


def test_held_gradient_is_copied_after_an_import_under_a_debugger(counted_under_a_debugger):
    gradient().add_(5)
    assert Ones.kept[-1].tolist() == [1.0, 1.0, 1.0]


def test_held_gradient_is_copied_under_a_debugger():
    previous = sys.gettrace()
    sys.settrace(looking)
    try:
        found = gradient()
    finally:
        sys.settrace(previous)
    found.add_(5)
    assert Ones.kept[-1].tolist() == [1.0, 1.0, 1.0]
