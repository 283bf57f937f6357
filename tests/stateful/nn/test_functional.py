"""`nn.functional` with state: PyTorch's draws, its running statistics, its graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import stateful

BOTH = (torch, stateful)


def numbers(*shape):
    return np.random.RandomState(0).randn(*shape).astype(np.float32)


def names(node, depth=0):
    """The graph behind a node, as indented names."""
    if node is None:
        return []
    own = "  " * depth + node.name().split("::")[-1]
    return [own] + [line for n, _ in node.next_functions for line in names(n, depth + 1)]


def run(library, function, shapes):
    library.manual_seed(0)
    inputs = [library.tensor(numbers(*s).tolist(), requires_grad=True) for s in shapes]
    out = function(library, library.nn.functional, *inputs)
    (out * out).sum().backward()
    return out, [x.grad for x in inputs], names(out.grad_fn)


CASES = {
    "dropout": (lambda t, F, x: F.dropout(x, 0.3), (4, 5)),
    "dropout in place": (lambda t, F, x: F.dropout(x * 1, 0.3, inplace=True), (4, 5)),
    "dropout of everything": (lambda t, F, x: F.dropout(x, 1.0), (4, 5)),
    "dropout1d": (lambda t, F, x: F.dropout1d(x), (4, 5)),
    "dropout2d": (lambda t, F, x: F.dropout2d(x, 0.3), (4, 5, 2, 2)),
    "dropout3d": (lambda t, F, x: F.dropout3d(x, 0.3), (4, 5, 2, 2)),
    "alpha_dropout": (lambda t, F, x: F.alpha_dropout(x, 0.3, True), (4, 5)),
    "feature_alpha_dropout": (lambda t, F, x: F.feature_alpha_dropout(x, 0.3, True), (4, 5, 3)),
    "relu": (lambda t, F, x: F.relu(x), (4, 5)),
    "relu in place": (lambda t, F, x: F.relu(x * 1, True), (4, 5)),
    "hardtanh_": (lambda t, F, x: F.hardtanh_(x * 1, -0.5, 0.5), (4, 5)),
    "rrelu": (lambda t, F, x: F.rrelu(x, training=True), (4, 5)),
    "gumbel_softmax": (lambda t, F, x: F.gumbel_softmax(x), (4, 5)),
    "gumbel_softmax hard": (lambda t, F, x: F.gumbel_softmax(x, hard=True), (4, 5)),
    "layer_norm": (lambda t, F, x, w, b: F.layer_norm(x, (5,), w, b), (4, 5), (5,), (5,)),
    "group_norm": (lambda t, F, x, w: F.group_norm(x, 2, w), (4, 6), (6,)),
    "instance_norm": (lambda t, F, x, w: F.instance_norm(x, weight=w), (4, 5, 3), (5,)),
    "conv2d": (lambda t, F, x, w: F.conv2d(x, w, padding="same"), (1, 2, 4, 4), (3, 2, 2, 2)),
    "max_pool1d": (lambda t, F, x: F.max_pool1d(x, 2), (1, 2, 5)),
    "cross_entropy": (lambda t, F, x: F.cross_entropy(x, t.tensor([1, 2])), (2, 3)),
    "smoothed": (
        lambda t, F, x: F.cross_entropy(x, t.tensor([1, -100]), label_smoothing=0.1), (2, 3)),
    "triplet": (lambda t, F, *x: F.triplet_margin_loss(*x, swap=True), (2, 3), (2, 3), (2, 3)),
    "gaussian": (lambda t, F, x, y, v: F.gaussian_nll_loss(x, y, v.exp()), (3,), (3,), (3,)),
    "lp_pool2d": (lambda t, F, x: F.lp_pool2d(x, 2, 2), (1, 2, 4, 4)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_values_gradients_and_graph(name):
    function, *shapes = CASES[name]
    (out, grads, graph), (our_out, our_grads, our_graph) = (run(t, function, shapes) for t in BOTH)
    np.testing.assert_allclose(our_out.detach().numpy(), out.detach().numpy(), 1e-5, 1e-6)
    for ours, theirs in zip(our_grads, grads, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 1e-4, 1e-5)
    assert our_graph == graph


def test_attention_weights_are_dropped_alike():
    def attend(t, F, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)

    (out, *_), (our_out, *_) = (run(t, attend, [(2, 3, 4), (2, 5, 4), (2, 5, 4)]) for t in BOTH)
    np.testing.assert_allclose(our_out.detach().numpy(), out.detach().numpy(), 1e-5, 1e-6)


@pytest.mark.parametrize("kind, shape", [("batch_norm", (4, 5)), ("instance_norm", (4, 5, 3))])
def test_running_statistics_move_on(kind, shape):
    """Twice before a backward: the statistics are not saved, so moving them breaks nothing."""
    found = []
    for t in BOTH:
        function = getattr(t.nn.functional, kind)
        x = t.tensor(numbers(*shape).tolist(), requires_grad=True)
        mean, var = t.zeros(5), t.ones(5)
        flag = dict(training=True) if kind == "batch_norm" else {}
        out = function(x, mean, var, **flag) + function(x, mean, var, momentum=0.5, **flag)
        (out * out * out).sum().backward()
        found.append([out.detach().numpy(), mean.numpy(), var.numpy(), x.grad.numpy()])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5)


def test_table_is_renormalized_in_place():
    found = []
    for t in BOTH:
        table = t.tensor(numbers(4, 3).tolist())
        out = t.nn.functional.embedding(t.tensor([0, 2, 2]), table, max_norm=1.0)
        found.append([out.numpy(), table.numpy()])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-6)
