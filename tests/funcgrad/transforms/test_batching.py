"""vmap and per_sample_grad against torch.func; random states that are not mapped."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad.transforms as ours_module
from funcgrad import random
from funcgrad.transforms import grad, per_sample_grad, vmap

from .conftest import to_torch

A = jnp.arange(6.0).reshape(3, 2)
B = A + 10
# fmt: off
CASES = [  # (the function written for both, keywords of vmap, arguments)
    (lambda x, y: (x * y).sum(), {}, (A, B)),
    (lambda x, y: (x * y).sum(), {"in_dims": (0, None)}, (A, B[0])),
    (lambda x, y: (x * y).sum(), {"in_dims": (0, -1)}, (A, B.T)),
    (lambda x, y: (x * y).sum(), {"in_dims": (1, 1)}, (A, B)),
    (lambda d, y: {"o": d["a"] * d["b"] + y}, {"in_dims": ({"a": 0, "b": None}, 0)}, ({"a": A, "b": 2.0}, B)),
    (lambda d, y: (d["a"] + y, d["b"] * y), {"out_dims": (0, 1)}, ({"a": A, "b": A}, B)),
    (lambda x: (x * 2, x[:1] * 0 + 1), {"out_dims": (-1, 0)}, (A,)),
    (lambda x: x + 1, {}, (A[:0],)),
]
# fmt: on


@pytest.mark.parametrize("function, keywords, arguments", CASES)
def test_vmap_is_torch_funcs(same, function, keywords, arguments):
    expected = torch.func.vmap(function, **keywords)(*to_torch(arguments))
    same(vmap(function, **keywords)(*arguments), expected)
    same(jax.jit(vmap(function, **keywords))(*arguments), expected)
    for chunk_size in (1, 2, 5):
        same(vmap(function, **keywords, chunk_size=chunk_size)(*arguments), expected)


def test_keyword_arguments_are_not_mapped(same):
    function = lambda x, *, k: x + k  # noqa: E731
    same(vmap(function)(A[:2], k=jnp.ones((2, 2))),
         torch.func.vmap(function)(to_torch(A[:2]), k=torch.ones(2, 2)))  # fmt: skip


def test_an_unmapped_output(same):
    same(vmap(lambda x, y: (x, y), in_dims=(0, None), out_dims=(0, None))(A, B[0]), (A, B[0]))
    same(vmap(lambda x, y: (x, y), in_dims=(0, None), out_dims=(0, None), chunk_size=2)(A, B[0]),
         (A, B[0]))  # fmt: skip
    with pytest.raises(ValueError, match="can not return a BatchedTensor when out_dim is None"):
        vmap(lambda x: x, out_dims=None)(A)


# fmt: off
MISTAKES = [
    (lambda f: f.vmap(lambda x, y: x)(A, B[:2]), ValueError, "Expected all tensors to have the same size in the mapped dimension, got sizes [3, 2]"),
    (lambda f: f.vmap(lambda x, y: x, in_dims=(None, None))(A, B), ValueError, "vmap: Expected at least one Tensor to vmap over"),
    (lambda f: f.vmap(lambda x, y: x, in_dims=(0,))(A, B), ValueError, "in_dims is not compatible with the structure of `inputs`"),
    (lambda f: f.vmap(lambda x, y: x, in_dims=(0, 5))(A, B), ValueError, "Got in_dim=5 for some input, but that input is a Tensor of dimensionality 2 so expected in_dim to satisfy -2 <= in_dim < 2"),
    (lambda f: f.vmap(lambda x, y: x)(A, 2.0), ValueError, "Got in_dim=0 for an input but the input is of type <class 'float'>"),
    (lambda f: f.vmap(lambda x: x, in_dims=1.5)(A), ValueError, "expected `in_dims` to be int or a (potentially nested) tuple"),
    (lambda f: f.vmap(lambda: 1)(), ValueError, "got no inputs"),
    (lambda f: f.vmap(lambda x: (x, x), out_dims=(0, 1, 2))(A), ValueError, "out_dims is not compatible with the structure of `outputs`"),
    (lambda f: f.vmap(lambda x: 2.0)(A), ValueError, "must only return Tensors, got type <class 'float'>"),
    (lambda f: f.vmap(lambda x: x, out_dims=4)(A), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 4)"),
    (lambda f: f.vmap(lambda x: x, randomness="foo")(A), RuntimeError, "Only allowed values for randomness are 'error', 'different', or 'same'. Got foo"),
    (lambda f: f.vmap(lambda x: x, chunk_size=0)(A), ValueError, "chunk_size should be None or greater than 0. (got 0)"),
]
# fmt: on


@pytest.mark.parametrize("call, kind, phrase", MISTAKES)
@pytest.mark.parametrize("module", [ours_module, torch.func], ids=["funcgrad", "torch"])
def test_mistakes(error_of, monkeypatch, module, call, kind, phrase):
    if module is torch.func:
        for name in ("A", "B"):
            monkeypatch.setitem(globals(), name, to_torch(globals()[name]))
    got, message = error_of(lambda: call(module))
    assert got is kind and phrase in message


def noisy(x, key):
    return x + jax.random.normal(key, x.shape)


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_randomness_decides_what_an_unmapped_key_means(same, chunk_size):
    key = jax.random.key(0)
    zero = jnp.zeros((3, 2))
    with pytest.raises(RuntimeError, match="called random operation while in randomness error"):
        vmap(noisy, in_dims=(0, None))(zero, key)
    with pytest.raises(RuntimeError, match="called random operation while in randomness error"):
        vmap(noisy)(zero, key=key)
    alike = vmap(noisy, (0, None), randomness="same", chunk_size=chunk_size)(zero, key)
    same(alike, jnp.broadcast_to(noisy(zero[0], key), (3, 2)))
    apart = vmap(noisy, (0, None), randomness="different", chunk_size=chunk_size)(zero, key)
    assert len(np.unique(apart)) == 6
    mapped = vmap(noisy, chunk_size=chunk_size)(zero, jax.random.split(key, 3))
    same(mapped, apart)


def test_per_sample_grad_is_vmap_of_grad(same):
    def loss(params, x, y):
        return (((params["w"] * x).sum() + params["b"] - y) ** 2).sum()

    params, targets = {"w": A[1], "b": jnp.array(0.5)}, jnp.array([1.0, 2.0, 3.0])
    expected = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(
        *to_torch((params, A, targets))
    )
    same(per_sample_grad(loss)(params, A, targets), expected)
    same(per_sample_grad(loss, chunk_size=2)(params, A, targets), expected)
    same(jax.jit(per_sample_grad(loss, in_dims=(None, 1, 0)))(params, A.T, targets), expected)
    total = grad(lambda p: sum(loss(p, A[i], targets[i]) for i in range(3)))(params)
    same(jax.tree.map(lambda leaf: leaf.sum(0), per_sample_grad(loss)(params, A, targets)), total)


def drawn(x, state):
    value, _ = random.normal(state, x.shape, np.dtype("float32"))
    return x + value


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("traced", [False, True])
def test_randomness_decides_what_an_unmapped_generator_means(same, chunk_size, traced):
    state, zero = random.seed(0), jnp.zeros((3, 2))
    state = random.to_traced(state) if traced else state
    with pytest.raises(RuntimeError, match="called random operation while in randomness error"):
        vmap(drawn, in_dims=(0, None))(zero, state)
    alike = vmap(drawn, (0, None), randomness="same", chunk_size=chunk_size)(zero, state)
    same(alike, np.broadcast_to(drawn(np.zeros(2, np.float32), random.seed(0)), (3, 2)))
    apart = vmap(drawn, (0, None), randomness="different", chunk_size=chunk_size)(zero, state)
    parts = random.split(state, 3)
    same(apart, vmap(drawn, chunk_size=chunk_size)(zero, parts))
    seeds = [int(s) for s in parts.seed]
    same(apart, np.stack([drawn(np.zeros(2, np.float32), random.seed(s)) for s in seeds]))
    with pytest.raises(ValueError, match=r"got sizes \[3, 2\] for the mapped dimension"):
        vmap(drawn)(zero, random.split(state, 2))
