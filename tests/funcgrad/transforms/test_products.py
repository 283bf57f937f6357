"""vjp, jvp, linearize, hvp, vhp and ggnvp against torch.func and torch.autograd.functional."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad.transforms as ours_module
from funcgrad.transforms import ggnvp, grad, hessian, hvp, jvp, linearize, vhp, vjp

from .conftest import to_torch

REAL = jnp.array([1.0, 2.0, 3.0])
COMPLEX = jnp.array([1 + 2j, 3 - 1j], jnp.complex64)

# fmt: off
FUNCTIONS = [  # (the function written for both, primals, cotangents, tangents)
    (lambda x: x * 2, (REAL,), REAL, (REAL,)),
    (lambda x, y: {"a": x * y, "b": (y.sum(),)}, (REAL, REAL + 1), {"a": REAL, "b": (jnp.array(2.0),)}, (REAL, REAL)),
    (lambda z: z * z, (COMPLEX,), COMPLEX * 1j, (COMPLEX * 1j,)),
    (lambda z: z * z.conj(), (COMPLEX,), COMPLEX, (COMPLEX * 1j,)),
    (lambda z: abs(z), (COMPLEX,), jnp.array([2.0, -1.0]), (COMPLEX * 1j,)),
    (lambda x: x * (1 + 2j), (REAL,), REAL * (2 - 1j), (REAL,)),
    (lambda z: z.conj() * (3 + 1j), (COMPLEX,), COMPLEX, (COMPLEX,)),
]
# fmt: on


@pytest.mark.parametrize("function, primals, cotangents, tangents", FUNCTIONS)
def test_vjp_and_jvp_are_torch_funcs(same, function, primals, cotangents, tangents):
    output, pullback = vjp(function, *primals)
    expected, torch_pullback = torch.func.vjp(function, *to_torch(primals))
    same(output, expected)
    for _ in range(2):  # the pullback may be called again
        same(pullback(cotangents), torch_pullback(to_torch(cotangents), retain_graph=True))
    same(jvp(function, primals, tangents),
         torch.func.jvp(function, to_torch(primals), to_torch(tangents)))  # fmt: skip
    value, linear = linearize(function, *primals)
    same((value, linear(*tangents)),
         torch.func.jvp(function, to_torch(primals), to_torch(tangents)))  # fmt: skip


def test_pullback_leaves_jit_and_enters_vmap(same):
    output, pullback = jax.jit(lambda x: vjp(jnp.sin, x))(REAL)
    rows = jax.vmap(pullback)(jnp.eye(3))[0]
    np.testing.assert_allclose(rows, np.diag(np.cos(REAL)), rtol=1e-6)
    assert repr(pullback) == "Pullback(of float32[3])"


def test_cotangent_dtype_follows_the_output(same):
    output, pullback = vjp(lambda x: (x * 2, jnp.argmax(x)), REAL)
    same(pullback((np.ones(3), np.int32(7)))[0], jnp.full(3, 2.0))


def test_aux(same):
    out, pullback, aux = vjp(lambda x: (x * 2, {"k": x, "n": "t"}), REAL, has_aux=True)
    same((out, pullback(REAL), aux["k"]), (REAL * 2, (REAL * 2,), REAL))
    same(jvp(lambda x: (x * 2, {"k": x}), (REAL,), (REAL,), has_aux=True),
         torch.func.jvp(lambda x: (x * 2, {"k": x}), (to_torch(REAL),), (to_torch(REAL),),
                        has_aux=True))  # fmt: skip


N = jnp.arange(3)
# fmt: off
MISTAKES = [
    (lambda f: f.vjp(lambda x: {"a": x}, REAL)[1](REAL), RuntimeError, "Expected pytree structure of cotangents to be the same", "['a']"),
    (lambda f: f.vjp(lambda x: x, REAL)[1](REAL[:2]), RuntimeError, "Mismatch in shape: ", "cotangents has a shape of (2,)"),
    (lambda f: f.vjp(lambda x: x, COMPLEX)[1](COMPLEX.real), RuntimeError, "For complex Tensors, both grad_output and output are required to have the same dtype", "cotangents"),
    (lambda f: f.vjp(lambda x: x, REAL, has_aux=True), RuntimeError, "should be a tuple: (output, aux)", ""),
    (lambda f: f.vjp(lambda x: x, N), RuntimeError, "only Tensors of floating point dtype can require gradients", "primals[0]"),
    (lambda f: f.jvp(lambda x: x, REAL, REAL), RuntimeError, "Expected primals to be a tuple", ""),
    (lambda f: f.jvp(lambda x: x, (), ()), RuntimeError, "Expected primals to contain at least one Tensor", ""),
    (lambda f: f.jvp(lambda x: x, (REAL,), (REAL, REAL)), RuntimeError, "Expected primals and tangents to have the same python structure", "unexpected: [1]"),
    (lambda f: f.jvp(lambda x: x, (REAL,), (REAL[:2],)), RuntimeError, "different size than that of the original Tensor", "tangents[0]"),
    (lambda f: f.jvp(lambda x: x, (N,), (REAL,)), ValueError, "Expected primal to be floating point or complex", "primals[0]"),
    (lambda f: f.jvp(lambda x: x * 0 + 1 if False else 2.0, (REAL,), (REAL,)), RuntimeError, "to return only tensors, got unsupported type <class 'float'>", "output"),
    (lambda f: f.jvp(lambda x: (x, REAL), (REAL,), (REAL,), strict=True), RuntimeError, "The output of f is independent of the input", "output[1]"),
    (lambda f: f.linearize(lambda x: x, REAL)[1](REAL[:2]), RuntimeError, "in flattened pytree doesn't match the shape", "tangents[0]"),
    (lambda f: f.linearize(lambda x: x, REAL)[1]((REAL,)), RuntimeError, "to have the same argspec as the primals", ""),
    (lambda f: f.linearize(lambda x: x, REAL)[1](N), RuntimeError, "doesn't match the dtype", "tangents[0]"),
]
# fmt: on


@pytest.mark.parametrize("call, kind, phrase, remedy", MISTAKES)
def test_mistakes(error_of, call, kind, phrase, remedy):
    got, message = error_of(lambda: call(ours_module))
    assert got is kind and phrase in message and remedy in message


@pytest.mark.parametrize("call, kind, phrase", [case[:3] for case in MISTAKES[:12]])
def test_the_phrases_are_torchs(error_of, monkeypatch, call, kind, phrase):
    for name in ("REAL", "COMPLEX", "N"):
        monkeypatch.setitem(globals(), name, to_torch(globals()[name]))
    got, message = error_of(lambda: call(torch.func))
    assert got is kind and phrase.lower() in message.lower()


def test_strict_lets_dependent_outputs_pass(same):
    stopped = lambda x: x * jax.lax.stop_gradient(x)  # noqa: E731
    same(jvp(stopped, (REAL,), (REAL,), strict=True)[1], REAL * REAL)
    with pytest.raises(RuntimeError, match="independent"):
        jvp(jax.lax.stop_gradient, (REAL,), (REAL,), strict=True)


def cubic(x, y):
    return (x * x * x * y).sum()


def test_hvp_and_vhp_are_torch_autograd_functionals(same):
    primals, tangents = (REAL, REAL + 1), (REAL * 2, REAL - 1)
    torch_args = (cubic, to_torch(primals), to_torch(tangents))
    same(hvp(cubic, primals, tangents), torch.autograd.functional.hvp(*torch_args))
    same(vhp(cubic, primals, tangents), torch.autograd.functional.vhp(*torch_args))


def test_hvp_of_a_tree_and_of_a_complex_argument(same):
    tree = {"w": REAL, "b": jnp.array(2.0)}
    loss = lambda p: (jnp.sin(p["w"]) * p["b"] ** 2).sum()  # noqa: E731
    value, (product,) = hvp(loss, (tree,), (tree,))
    same((value, (product,)), vhp(loss, (tree,), (tree,)))
    assert set(product) == {"w", "b"}

    def cube(z):
        return (z * z * z).real.sum()

    expected = torch.func.jvp(
        torch.func.grad(cube), (to_torch(COMPLEX),), (to_torch(COMPLEX * 1j),)
    )
    same(hvp(cube, (COMPLEX,), (COMPLEX * 1j,))[1][0], expected[1])
    same(vhp(cube, (COMPLEX,), (COMPLEX * 1j,))[1][0], expected[1])


def test_ggnvp_is_the_matrix_it_says(same):
    def model(w):
        return jnp.stack([jnp.sin(w[0] * w[1]), w[1] * w[2], w.sum()])

    def loss(y):
        return (jnp.exp(y) + y**4).sum()

    jacobian, curvature = jax.jacobian(model)(REAL), hessian(loss)(model(REAL))
    value, (product,) = ggnvp(model, loss, (REAL,), (REAL - 2,))
    same(value, loss(model(REAL)))
    same(product, jacobian.T @ curvature @ jacobian @ (REAL - 2), rtol=1e-4)


def test_products_nest_with_jit_and_vmap(same):
    rows = jax.jit(jax.vmap(lambda v: hvp(cubic, (REAL, REAL), (v, v * 0))[1][0]))(jnp.eye(3))
    same(rows, jax.hessian(cubic)(REAL, REAL))
    same(grad(lambda x: jvp(jnp.sin, (x,), (jnp.ones(3),))[1].sum())(REAL), -jnp.sin(REAL))
