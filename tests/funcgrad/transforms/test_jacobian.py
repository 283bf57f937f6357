"""jacrev, jacfwd, hessian and laplacian against torch.func."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad.transforms as ours_module
from funcgrad.transforms import hessian, jacfwd, jacrev, laplacian

from .conftest import to_torch

X, Y = jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 5.0])
COMPLEX = jnp.array([1 + 2j, 3 - 1j], jnp.complex64)
# fmt: off
FUNCTIONS = [
    (lambda x: x * x, 0, (X,)),
    (lambda x, y: x[:, None] * y * y, (0, 1), (X, Y)),
    (lambda x, y: x[:, None] * y * y, 1, (X, Y)),
    (lambda x, y: x[:, None] * y * y, (1,), (X, Y)),
    (lambda d: {"o": d["a"] * d["b"][0].sum(), "s": d["a"].sum()}, 0, ({"a": X, "b": [Y]},)),
    (lambda x, y: (x.sum() * y.sum(), (x * x,)), (1, 0), (X, Y)),
    (lambda x: x.sum() ** 3, 0, (X,)),
]
# fmt: on


@pytest.mark.parametrize("function, argnums, arguments", FUNCTIONS)
def test_jacobians_are_torch_funcs(same, function, argnums, arguments):
    theirs = to_torch(arguments)
    expected = torch.func.jacrev(function, argnums)(*theirs)
    same(jacrev(function, argnums)(*arguments), expected)
    same(jacrev(function, argnums, chunk_size=2)(*arguments), expected)
    same(jax.jit(jacfwd(function, argnums))(*arguments), expected)
    same(jacfwd(function, argnums, chunk_size=2)(*arguments), expected)


@pytest.mark.parametrize("function, argnums, arguments", FUNCTIONS)
def test_hessians_are_torch_funcs(same, function, argnums, arguments):
    expected = torch.func.hessian(function, argnums)(*to_torch(arguments))
    same(hessian(function, argnums)(*arguments), expected)


def test_aux(same):
    function = lambda x: (x * x, {"k": x + 1})  # noqa: E731
    for name in ("jacrev", "jacfwd"):
        expected = getattr(torch.func, name)(function, has_aux=True)(to_torch(X))
        same(getattr(ours_module, name)(function, has_aux=True)(X), expected)


# fmt: off
MISTAKES = [
    (lambda f: f.jacrev(lambda x: x, chunk_size=0)(X), ValueError, "jacrev: `chunk_size` should be greater than 0."),
    (lambda f: f.jacrev(lambda x: x * x)(COMPLEX), RuntimeError, "jacrev: Expected all inputs to be real but received complex tensor"),
    (lambda f: f.jacfwd(lambda x: x * x)(COMPLEX), RuntimeError, "jacfwd: Expected all inputs to be real but received complex tensor"),
    (lambda f: f.jacrev(lambda x: x * 1j)(X), RuntimeError, "jacrev: Expected all outputs to be real but received complex tensor"),
    (lambda f: f.jacfwd(lambda x: x * 1j)(X), RuntimeError, "jacfwd: Expected all outputs to be real but received complex tensor"),
]
# fmt: on


@pytest.mark.parametrize("call, kind, phrase", MISTAKES)
@pytest.mark.parametrize("module", [ours_module, torch.func], ids=["funcgrad", "torch"])
def test_mistakes(error_of, monkeypatch, module, call, kind, phrase):
    if module is torch.func:
        for name in ("X", "COMPLEX"):
            monkeypatch.setitem(globals(), name, to_torch(globals()[name]))
    got, message = error_of(lambda: call(module))
    assert got is kind and phrase in message


def test_laplacian_is_the_trace_of_the_hessian(same):
    function = lambda d: jnp.sin(d["a"]).sum() * d["b"].prod() ** 2  # noqa: E731
    blocks = hessian(function)({"a": X, "b": Y})
    expected = jnp.trace(blocks["a"]["a"]) + jnp.trace(blocks["b"]["b"])
    same(laplacian(function)({"a": X, "b": Y}), expected, rtol=1e-4)
    same(laplacian(function, chunk_size=2)({"a": X, "b": Y}), expected, rtol=1e-4)
    vector = lambda x: jnp.stack([x.sum() ** 2, (x**3).sum()])  # noqa: E731
    same(jax.jit(laplacian(vector))(X), jnp.array([6.0, 36.0]))


def test_empty_arguments(same):
    empty = jnp.zeros(0)
    assert jacrev(lambda x: x * x)(empty).shape == (0, 0)
    assert jacfwd(lambda x: x * x)(empty).shape == (0, 0)
    np.testing.assert_array_equal(laplacian(lambda x: (x * x).sum())(empty), 0.0)
