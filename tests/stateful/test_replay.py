"""A recorded pass over a graph of a known shape runs without the engine."""

import pytest

import stateful as torch
from stateful import engine
from stateful.execute import policy

lazy_only = pytest.mark.skipif(
    policy.__name__ != "lazy", reason="the eager policy knows no shapes of graphs"
)


@pytest.fixture
def passes(monkeypatch):
    """How often the engine makes a pass itself."""
    calls = []
    run = engine.run_backward
    monkeypatch.setattr(engine, "run_backward", lambda *a, **k: calls.append(1) or run(*a, **k))
    return calls


def penalty(exponent=2.0):
    x = torch.ones(3, 2, requires_grad=True)
    w = torch.full((2, 2), 0.5, requires_grad=True)
    (slope,) = torch.autograd.grad((x @ w).tanh().pow(exponent).sum(), x, create_graph=True)
    return slope


@lazy_only
def test_the_engine_makes_the_first_pass_only(passes):
    for _ in range(4):
        penalty(2.75)
    assert len(passes) == 1


@lazy_only
def test_inference_mode_in_between_changes_nothing(passes):
    for _ in range(3):
        penalty(1.75)
        with torch.inference_mode():
            torch.ones(2) * 2
    assert len(passes) == 1


@lazy_only
def test_other_numbers_are_another_pass(passes):
    for exponent in (1.25, 3.25, 1.25, 3.25):
        penalty(exponent)
    assert len(passes) == 2


def test_a_replay_keeps_nothing_alive():
    import gc
    import weakref

    penalty()
    gc.disable()
    try:
        slope = penalty()
        watch = weakref.ref(slope.grad_fn)
        del slope
        assert watch() is None
    finally:
        gc.enable()


def test_an_error_in_what_is_replayed_leaves_the_mode_alone(monkeypatch):
    from stateful import replay

    penalty()
    monkeypatch.setattr(replay.Replay, "run", lambda *a: 1 / 0)
    with torch.no_grad(), pytest.raises(ZeroDivisionError), torch.enable_grad():
        penalty()
    assert torch.is_grad_enabled()
