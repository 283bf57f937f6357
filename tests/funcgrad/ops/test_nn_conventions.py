"""What `torch.nn.functional` does at boundaries, with masks and indices, and where it raises."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import funcgrad
from tests.funcgrad.ops.nn_agreement import check, to_numpy


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def leaf(*values, shape=None):
    tensor = torch.tensor(values, dtype=torch.float64)
    return (tensor if shape is None else tensor.reshape(shape)).requires_grad_()


def random(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()


KINKS = (0.0, 1.0, -1.0, 0.5, 2.0, -2.0)


@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss", "huber_loss", "mse_loss"])
def test_kinks_of_distances(name):
    x, y = leaf(*KINKS), leaf(*[0.0] * 6)
    check(getattr(funcgrad, name), getattr(F, name), (x, y), dict(reduction="sum"), second=False)


@pytest.mark.parametrize(
    "name, target",
    [
        ("hinge_embedding_loss", torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, -1.0])),
        ("soft_margin_loss", torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, -1.0])),
        ("multi_margin_loss", torch.tensor(1)),
        ("multilabel_margin_loss", torch.tensor([1, 3, -1, 2, 0, 0])),
    ],
)
def test_kinks_of_margins(name, target):
    target = target.double() if target.is_floating_point() else target
    check(getattr(funcgrad, name), getattr(F, name), (leaf(*KINKS), target), {}, second=False)


def test_probabilities_zero_and_one():
    """The loss stops at 100, the gradient of the input stays finite, that of the target not."""
    x, y = leaf(0.0, 0.0, 1.0, 1.0, 0.5), leaf(0.0, 1.0, 0.0, 1.0, 0.5)
    check(
        funcgrad.binary_cross_entropy, F.binary_cross_entropy, (x, y), dict(reduction="none"),
        second=False,
    )  # fmt: skip


def test_probability_outside():
    assert np.isnan(funcgrad.binary_cross_entropy(jnp.array([1.5]), jnp.array([1.0])))


def test_ties_and_nan_in_windows():
    """The first of equal elements takes the gradient; nan is largest, and the last nan counts."""
    x = leaf(1, 1, 1, 1, 2, 2, float("nan"), 0, float("nan"), shape=(1, 1, 3, 3))
    for stride in (1, 2):
        kwargs = dict(kernel_size=2, stride=stride, return_indices=True)
        check(funcgrad.max_pool2d, F.max_pool2d, (x,), kwargs, second=False)
    kwargs = dict(output_size=2, return_indices=True)
    check(funcgrad.adaptive_max_pool2d, F.adaptive_max_pool2d, (x,), kwargs, second=False)


def test_windows_of_lowest():
    x = leaf(*[float("-inf")] * 4, shape=(1, 2, 2))
    check(funcgrad.max_pool2d, F.max_pool2d, (x, 2), dict(return_indices=True), second=False)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)])
def test_ignored_classes(reduction, weight):
    target = torch.tensor([0, 1, 2, -100])
    kwargs = dict(reduction=reduction, weight=weight)
    check(funcgrad.cross_entropy, F.cross_entropy, (random(4, 3), target), kwargs)
    kwargs["label_smoothing"] = 0.25
    check(funcgrad.cross_entropy, F.cross_entropy, (random(4, 3), target), kwargs)


def test_all_classes_ignored():
    """The mean of no losses is nan."""
    target = torch.tensor([-100, -100])
    check(funcgrad.cross_entropy, F.cross_entropy, (random(2, 3), target), {}, second=False)


def test_class_out_of_bounds():
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        funcgrad.cross_entropy(jnp.zeros((1, 3)), jnp.array([3]))
    traced = jax.jit(funcgrad.cross_entropy.fn)(jnp.zeros((1, 3)), jnp.array([3]))
    assert np.isnan(traced)


def test_small_norms():
    """Norms below eps: the bound of `cosine_similarity` passes the gradient, `normalize`'s not."""
    x, y = leaf(0.0, 1e-10, shape=(1, 2)), leaf(3.0, 4.0, shape=(1, 2))
    check(funcgrad.cosine_similarity, F.cosine_similarity, (x, y), {}, second=False)
    check(funcgrad.normalize, F.normalize, (x,), dict(eps=1e-3), second=False)
    check(funcgrad.pairwise_distance, F.pairwise_distance, (x, x), dict(eps=0.0), second=False)


def test_small_variance():
    """Below eps the loss is bounded, and its gradient does not know."""
    args = leaf(0.0, 1.0), leaf(1.0, 1.0), leaf(1e-9, 2.0)
    check(funcgrad.gaussian_nll_loss, F.gaussian_nll_loss, args, {}, second=False)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "constant"])
@pytest.mark.parametrize("shape, pad", [
    ((2, 5), (2, 1)), ((2, 4, 5), (1, 2, 3, 0)), ((1, 2, 3, 4, 5), (1, 2, 0, 1, 2, 1)),
])  # fmt: skip
def test_padding(mode, shape, pad):
    check(funcgrad.pad, F.pad, (random(*shape), pad, mode), {})


def test_padding_of_the_table():
    table, where = random(4, 3), torch.tensor([[1, 0], [1, -1 % 4]])
    for kwargs in ({}, dict(padding_idx=1), dict(padding_idx=-1), dict(scale_grad_by_freq=True)):
        check(funcgrad.embedding, F.embedding, (where, table), kwargs)
    with pytest.raises(IndexError, match="index out of range in self"):
        funcgrad.embedding(jnp.array([4]), jnp.zeros((4, 3)))


def test_one_hot():
    classes = torch.tensor([[0, 2], [1, 1]])
    for count in (-1, 4):
        expected = F.one_hot(classes, count)
        found = funcgrad.one_hot(jnp.asarray(to_numpy(classes)), count)
        np.testing.assert_array_equal(found, to_numpy(expected))


@pytest.mark.parametrize("kwargs", [
    {}, dict(is_causal=True), dict(scale=0.3), dict(scale=-0.3),
    dict(attn_mask=torch.tensor([[True, False, True], [False, False, False]])),
    dict(attn_mask=torch.tensor([[0.5, -1.0, 0.0], [0.0, 2.0, 0.0]], dtype=torch.float64)),
])  # fmt: skip
def test_attention(kwargs):
    """A row that may look at nothing gives zeros."""
    args = random(2, 2, 4), random(2, 3, 4), random(2, 3, 5)
    check(
        funcgrad.scaled_dot_product_attention, F.scaled_dot_product_attention, args, kwargs,
        second=False,
    )  # fmt: skip


def test_shared_heads():
    args = random(1, 4, 2, 3), random(1, 2, 3, 3), random(1, 2, 3, 3)
    check(
        funcgrad.scaled_dot_product_attention, F.scaled_dot_product_attention, args,
        dict(enable_gqa=True), second=False,
    )  # fmt: skip


def test_fold():
    check(funcgrad.fold, F.fold, (random(1, 8, 6), (3, 4), 2), {})


@pytest.mark.parametrize("norm_type, kwargs", [(2, {}), (3.0, dict(stride=1, ceil_mode=True))])
def test_power_means(norm_type, kwargs):
    check(funcgrad.lp_pool2d, F.lp_pool2d, (random(1, 1, 5, 4), norm_type, (2, 3)), kwargs)
    check(funcgrad.lp_pool1d, F.lp_pool1d, (random(1, 5), norm_type, 2), kwargs)
    check(funcgrad.lp_pool3d, F.lp_pool3d, (random(1, 1, 3, 2, 3), norm_type, 2), kwargs)


def test_dropout_without_a_draw():
    with pytest.raises(TypeError, match="pass kept="):
        funcgrad.dropout(jnp.ones(3))
    assert funcgrad.dropout(jnp.ones(3), training=False).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="between 0 and 1, but got 1.5"):
        funcgrad.dropout(jnp.ones(3), 1.5)


@pytest.mark.parametrize("function, args, kind, message", [
    ("mse_loss", (jnp.ones(2), jnp.ones(2), None, None, "max"), ValueError, "not a valid value"),
    ("cross_entropy", (jnp.ones((2, 3)), jnp.zeros(3, int)), ValueError, "match target batch_size"),
    ("conv2d", (jnp.ones((1, 2, 3, 3)), jnp.ones((1, 3, 2, 2))), RuntimeError, "have 3 channels"),
    ("conv1d", (jnp.ones((1, 1, 2)), jnp.ones((1, 1, 3))), RuntimeError, "Kernel size can't be"),
    ("max_pool2d", (jnp.ones((1, 4, 4)), 2, 2, 2), RuntimeError, "at most half of effective"),
    ("layer_norm", (jnp.ones((2, 3)), (2,)), RuntimeError, "expected input with shape"),
    ("batch_norm", (jnp.ones((1, 3)), None, None), RuntimeError, "must be defined in evaluation"),
    ("binary_cross_entropy", (jnp.ones(2), jnp.ones(3)), ValueError, "is deprecated"),
    ("interpolate", (jnp.ones((1, 1, 3)),), ValueError, "either size or scale_factor"),
    ("pad", (jnp.ones((1, 3)), (3, 0), "reflect"), RuntimeError, "should be less than the corresp"),
])  # fmt: skip
def test_errors(function, args, kind, message):
    with pytest.raises(kind, match=message):
        getattr(funcgrad, function)(*args)
    tensors = [torch.from_numpy(np.array(a)) if isinstance(a, jax.Array) else a for a in args]
    with pytest.raises(kind, match=message.replace(r"\(", "(")):
        getattr(F, function)(*tensors)


def test_deprecated_arguments():
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert funcgrad.mse_loss(jnp.zeros(2), jnp.ones(2), size_average=False) == 2
    with pytest.warns(UserWarning, match="different to the input size"):
        funcgrad.mse_loss(jnp.zeros((2, 1)), jnp.ones(2))
