"""A backward pass as one kernel gives what the engine gives, and steps aside where it must."""

import chex
import pytest

import stateful as torch
from stateful import schedule
from stateful.lazy import _local, flush
from stateful.schedule import Survey, schedules


@pytest.fixture(autouse=True)
def lazily():
    """Whatever the rest of the tests run under."""
    with torch.set_execution("lazy"):
        yield


def network(seed=0):
    torch.manual_seed(seed)
    x = torch.randn(4, 3)
    w = torch.randn(3, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    h = torch.tanh(x @ w + b)
    return (h * h @ w + h).pow(2).sum(), (w, b)


def gradients(policy, keep=False, **options):
    with torch.set_execution(policy):
        loss, leaves = network()
        loss.backward(retain_graph=keep, **options)
        if keep:
            loss.backward()
        return [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("keep", [False, True])
def test_equal_to_the_engine(keep):
    chex.assert_trees_all_close(gradients("lazy", keep), gradients("eager", keep), rtol=1e-5)


def test_a_pass_is_one_kernel():
    for _ in range(2):
        flush()
        loss, _ = network()
        before = len(_local.window.values)
        loss.backward()
        assert len(_local.window.values) - before == 2  # the gradients of the two leaves


def test_planned_once_for_a_shape():
    loss, _ = network()
    loss.backward()
    count = sum(map(len, schedules.values()))
    for seed in range(3):
        loss, _ = network(seed)
        loss.backward()
    assert sum(map(len, schedules.values())) == count


def test_another_order_of_equal_nodes_is_another_plan():
    """The order of sums follows the order in which nodes were made."""
    for swapped in (False, True):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        if swapped:
            b = x.exp()
            a = x.sin()
        else:
            a = x.sin()
            b = x.exp()
        y = (a * b).sum()
        survey = Survey.of([schedule.Edge(y.grad_fn, 0)])
        y.backward()
        assert survey is not None
        (known,) = [v for k, v in schedules.items() if k[-len(survey.shape) :] == (*survey.shape,)]
    assert len(known) == 2


def _calls(monkeypatch):
    seen = []
    run = schedule.engine.run_backward
    monkeypatch.setattr(
        schedule.engine, "run_backward", lambda *a, **k: (seen.append(1), run(*a, **k))[1]
    )
    return seen


@pytest.mark.parametrize(
    "watch",
    [
        lambda h, w: h.register_hook(lambda g: None),
        lambda h, w: w.register_hook(lambda g: None),
        lambda h, w: h.retain_grad(),
        lambda h, w: h.grad_fn.register_hook(lambda a, b: None),
        lambda h, w: h.grad_fn.register_prehook(lambda a: None),
        lambda h, w: w.register_post_accumulate_grad_hook(lambda t: None),
        lambda h, w: h.grad_fn._raw_saved_result.register_hooks(lambda t: t, lambda t: t),
    ],
)
def test_who_watches_gets_the_engine(monkeypatch, watch):
    seen = _calls(monkeypatch)
    w = torch.ones(2, requires_grad=True)
    h = w.exp()
    h.sum().backward()
    assert not seen
    h = w.exp()
    watch(h, w)
    h.sum().backward()
    assert seen
    assert w.grad.tolist() == pytest.approx([2 * 2.7182817] * 2)


def test_errors_are_those_of_the_engine():
    w = torch.ones(2, requires_grad=True)
    for _ in range(2):
        h = w.exp()
        y = h.sum()
        h.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()
    y = (w * w).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_only_what_is_asked_for_runs():
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    for _ in range(2):
        y = (w.exp() * v.sin()).sum()
        (grad,) = torch.autograd.grad(y, v, retain_graph=True)
        assert grad.shape == (2,) and w.grad is None
        y.backward(inputs=[w])
        assert v.grad is None
        w.grad = None


def test_gradients_of_two_roots_and_of_a_leaf_itself():
    x = torch.tensor(3.0, requires_grad=True)
    for _ in range(2):
        x.grad = None
        torch.autograd.backward([x * x, x, x.sin()], [None, torch.tensor(2.0), torch.tensor(0.0)])
        assert x.grad.item() == 8.0
