"""grad, grad_and_value, value_and_grad and backward against torch.func and torch.autograd."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.transforms import backward, grad, grad_and_value, value_and_grad

from .conftest import to_torch

# fmt: off
SCALAR = [  # (name, the function written for both, argnums, arguments)
    ("square", lambda x: (x * x).sum(), 0, ([1.0, 2.0],)),
    ("second", lambda x, y: (x * y).sum(), 1, ([1.0, 2.0], [3.0, 4.0])),
    ("last", lambda x, y: (x * y).sum(), -1, ([1.0, 2.0], [3.0, 4.0])),
    ("both", lambda x, y: (x * y * y).sum(), (0, 1), ([1.0, 2.0], [3.0, 4.0])),
    ("swapped", lambda x, y: (x * y * y).sum(), (1, 0), ([1.0, 2.0], [3.0, 4.0])),
    ("single tuple", lambda x: (x * x).sum(), (0,), ([1.0, 2.0],)),
    ("unused", lambda x, y: x.sum(), (0, 1), ([1.0, 2.0], [3.0])),
    ("complex modulus", lambda z: (z * z.conj()).real.sum(), 0, ([1 + 2j, 3 - 1j],)),
    ("complex power", lambda z: ((z * z * z) * (1 + 2j)).imag.sum(), 0, ([1 + 2j, 3 - 1j],)),
    ("real through complex", lambda x: ((x * (1 + 2j)) * (x * (1 + 2j))).sum().real, 0,
     ([1.0, 2.0],)),
    ("complex and real", lambda z, x: ((z * x) * z).real.sum(), (0, 1), ([1 + 2j], [3.0])),
]
# fmt: on


def arrays(arguments):
    return [jnp.asarray(np.asarray(a)) for a in arguments]


@pytest.mark.parametrize("function, argnums, arguments", [c[1:] for c in SCALAR],
                         ids=[c[0] for c in SCALAR])  # fmt: skip
def test_gradients_are_torch_funcs(same, function, argnums, arguments):
    ours = arrays(arguments)
    theirs = [to_torch(a) for a in ours]
    expected = torch.func.grad_and_value(function, argnums)(*theirs)
    same(grad_and_value(function, argnums)(*ours), expected)
    same(value_and_grad(function, argnums)(*ours), expected[::-1])
    same(grad(function, argnums)(*ours), expected[0])
    same(jax.jit(grad(function, argnums))(*ours), expected[0])


def test_pytrees_and_aux(same, real):
    def function(tree, scale):
        return (tree["a"] * tree["b"][0] * scale).sum(), {"k": tree["a"] + 1}

    tree = {"a": real, "b": [real * 2]}
    for transform in ("grad", "grad_and_value"):
        expected = getattr(torch.func, transform)(function, has_aux=True)(to_torch(tree), 3.0)
        same({"grad": grad, "grad_and_value": grad_and_value}[transform](function, has_aux=True)(
            tree, 3.0), expected)  # fmt: skip
    (value, aux), gradient = value_and_grad(function, has_aux=True)(tree, 3.0)
    assert float(value) == 84.0 and set(aux) == {"k"} and set(gradient) == {"a", "b"}


def test_aux_may_hold_anything(real):
    gradient, aux = grad(lambda x: (x.sum(), {"name": "text", "x": x, "n": 3}), has_aux=True)(real)
    assert aux["name"] == "text" and aux["n"] == 3
    np.testing.assert_array_equal(aux["x"], real)


def test_nested_gradients(same, complex_):
    third = grad(grad(grad(lambda x: x**5)))(2.0)
    assert float(third) == pytest.approx(60 * 4)

    def penalty(gradient_of):
        return lambda z: abs(gradient_of(lambda w: ((w * w * w).real).sum())(z) ** 2).sum()

    same(grad(penalty(grad))(complex_),
         torch.func.grad(penalty(torch.func.grad))(to_torch(complex_)))  # fmt: skip


def test_integer_output_has_gradient_zero(same, real):
    ours = grad(lambda x: x.sum().astype(jnp.int32))(real)
    same(ours, torch.func.grad(lambda x: x.sum().long())(to_torch(real)))


X = jnp.array([1.0, 2.0, 3.0])
N = jnp.arange(3)
# fmt: off
MISTAKES = [  # (the call, torch's exception, torch's phrase, our own words)
    (lambda g: g(lambda x: x * 2)(X), RuntimeError, "to return a scalar Tensor, got tensor with 1 dims", "vjp"),
    (lambda g: g(lambda x: (x.sum(), x))(X), RuntimeError, "to return a Tensor, got <class 'tuple'>", "has_aux"),
    (lambda g: g(lambda x: 1.0)(X), RuntimeError, "to return a Tensor, got <class 'float'>", ""),
    (lambda g: g(lambda x: x.sum(), has_aux=True)(X), RuntimeError, "should be a tuple: (output, aux)", ""),
    (lambda g: g(lambda x: (x.sum(), 1, 2), has_aux=True)(X), RuntimeError, "should be a tuple: (output, aux)", ""),
    (lambda g: g(lambda x: (x * 1j).sum())(X), RuntimeError, "only for real scalar outputs but got", ".real"),
    (lambda g: g(lambda x: x.sum())(N), RuntimeError, "only Tensors of floating point dtype can require gradients", "args[0]"),
    (lambda g: g(lambda d: d["a"].sum())({"a": X, "n": N}), RuntimeError, "only Tensors of floating point dtype can require gradients", "args[0]['n'] is int"),
    (lambda g: g(lambda d: d["a"].sum())({"a": X, "n": "t"}), ValueError, "Thing passed to transform API must be Tensor, got <class 'str'>", "args[0]['n']"),
    (lambda g: g(lambda x: x.sum(), argnums=1)(X), RuntimeError, "Got argnum=1, but only 1 positional inputs", ""),
    (lambda g: g(lambda x, y: x.sum(), argnums=-3)(X, X), RuntimeError, "Got argnum=-3, but only 2 positional inputs", ""),
    (lambda g: g(lambda x, y: x.sum(), argnums=(0, 0))(X, X), RuntimeError, "argnums elements must be unique", ""),
    (lambda g: g(lambda x, y: x.sum(), argnums=())(X, X), RuntimeError, "argnums must be non-empty", ""),
    (lambda g: g(lambda x, y: x.sum(), argnums="a")(X, X), RuntimeError, "argnums must be int or Tuple[int, ...], got: <class 'str'>", ""),
]
# fmt: on


@pytest.mark.parametrize("call, kind, phrase, remedy", MISTAKES)
@pytest.mark.parametrize("transform", [grad, grad_and_value, value_and_grad])
def test_mistakes_say_what_torch_says_and_more(error_of, transform, call, kind, phrase, remedy):
    got, message = error_of(lambda: call(transform))
    assert got is kind and phrase in message and remedy in message


@pytest.mark.parametrize("mistake", [case[:3] for case in MISTAKES if case[3] != "args[0]"])
def test_the_phrases_are_torchs(error_of, monkeypatch, mistake):
    call, kind, phrase = mistake
    monkeypatch.setitem(globals(), "X", to_torch(X))
    monkeypatch.setitem(globals(), "N", to_torch(N))
    got, message = error_of(lambda: call(torch.func.grad))
    assert got is kind and phrase in message


def test_backward_is_autograd_backward(same, real):
    def losses(x):
        return (x * x, x.sum())

    leaf = to_torch(real).requires_grad_()
    torch.autograd.backward(losses(leaf), (torch.tensor([1.0, 10.0, 100.0]), None))
    same(backward(losses, grad_tensors=(jnp.array([1.0, 10.0, 100.0]), None))(real), leaf.grad)
    same(backward(lambda x: {"one": x.sum()})(real), to_torch(jnp.ones(3)))


def test_backward_asks_for_what_it_cannot_create(real):
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"
                                           r": output\[0\] is float32\[3\]"):  # fmt: skip
        backward(lambda x: (x * x, x.sum()))(real)
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        backward(lambda x: (x * x, x.sum()), grad_tensors=(real,))(real)
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: cotangents\[0\]"):
        backward(lambda x: (x * x, x.sum()), grad_tensors=(jnp.ones(2), None))(real)
