"""Each stateful idiom in PyTorch beside its functional form: the same numbers from both."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.transforms import (
    accumulate,
    clip_grad_norm,
    clip_grad_value,
    combine,
    freeze,
    grad,
    partition,
    register_hook,
    zero_grad,
)

from .conftest import to_torch

X = jnp.array([1.0, -2.0, 3.0])


def loss(x):
    return (x * x * x).sum()


def torch_leaf(array=X):
    return to_torch(array).requires_grad_()


def test_accumulation_and_zeroing(same):
    leaf, total = torch_leaf(), None
    for _ in range(2):
        loss(leaf).backward()
        total = accumulate(total, grad(loss)(X))
        same(total, leaf.grad)
    leaf.grad = None
    loss(leaf).backward()
    same(accumulate(zero_grad(total), grad(loss)(X)), leaf.grad)
    same(accumulate(zero_grad(total, set_to_none=False), grad(loss)(X)), leaf.grad)


def test_accumulate_keeps_absent_leaves_absent():
    assert accumulate({"a": None, "b": None}, {"a": X, "b": None})["b"] is None
    with pytest.raises(RuntimeError, match=r"missing: \['a'\]; unexpected: \['b'\]"):
        accumulate({"a": X}, {"b": X})
    with pytest.raises(RuntimeError, match=r"total\['a'\] is float32\[3\] .* float32\[2\]"):
        accumulate({"a": X}, {"a": X[:2]})


def model_loss(params):
    return ((params["body"] * X).sum() * params["head"]).sum()


def test_freezing(same):
    params = {"body": X, "head": X + 1}
    leaves = to_torch(params)
    leaves["head"].requires_grad_()
    (((leaves["body"] * to_torch(X)).sum()) * leaves["head"]).sum().backward()
    trainable, frozen = partition(params, lambda name, _: name == "head")
    gradients = grad(lambda chosen: model_loss(combine(chosen, frozen)))(trainable)
    same(gradients["head"], leaves["head"].grad)
    assert gradients["body"] is None and leaves["body"].grad is None
    stopped = grad(lambda p: model_loss(freeze(p, lambda name, _: name == "body")))(params)
    same(stopped, {"body": jnp.zeros(3), "head": gradients["head"]})


@pytest.mark.parametrize("norm_type", [1.0, 2.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 1000.0])
def test_clipping(same, norm_type, max_norm):
    gradients = {"a": X, "b": X.reshape(3, 1) * 4}
    leaves = [torch_leaf(), torch_leaf()]
    for leaf, gradient in zip(leaves, gradients.values(), strict=True):
        leaf.data = to_torch(gradient)
        leaf.grad = to_torch(gradient)
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm, norm_type)
    clipped, total = clip_grad_norm(gradients, max_norm, norm_type)
    same(total, norm)
    same(list(clipped.values()), [leaf.grad for leaf in leaves])
    torch.nn.utils.clip_grad_value_(leaves, 0.25)
    same(list(clip_grad_value(clipped, 0.25).values()), [leaf.grad for leaf in leaves])


def test_clipping_names_what_is_not_finite():
    gradients = {"a": X, "b": X * jnp.nan}
    with pytest.raises(RuntimeError, match=r"is non-finite.*gradients\['b'\]"):
        clip_grad_norm(gradients, 1.0, error_if_nonfinite=True)
    assert np.isnan(clip_grad_norm(gradients, 1.0)[1])


def test_hooks(same):
    seen = []
    leaf = torch_leaf()
    middle = leaf * 2
    middle.register_hook(lambda gradient: gradient * 10)
    middle.register_hook(lambda gradient: seen.append(gradient))
    loss(middle).backward()

    def hooked(x):
        middle = register_hook(x * 2, lambda gradient: seen.append(gradient))
        return loss(register_hook(middle, lambda gradient: gradient * 10))

    same(grad(hooked)(X), leaf.grad)
    same(seen[1], seen[0])
    with pytest.raises(RuntimeError, match="hook has changed the size of value"):
        grad(lambda x: loss(register_hook(x, lambda gradient: gradient[:1])))(X)


def test_hooks_see_torchs_complex_gradient(same):
    z, seen = jnp.array([1 + 2j]), []
    leaf = torch_leaf(z)
    leaf.register_hook(lambda gradient: seen.append(gradient))
    (leaf * leaf).real.sum().backward()
    grad(lambda w: (register_hook(w, seen.append) ** 2).real.sum())(z)
    same(seen[1], seen[0])


def test_idioms_under_jit(same):
    @jax.jit
    def two_losses(x):
        total = accumulate(grad(loss)(x), grad(jnp.sum)(x))
        return clip_grad_norm(total, 1.0)[0]

    same(jnp.linalg.norm(two_losses(X)), jnp.array(1.0), rtol=1e-4)
