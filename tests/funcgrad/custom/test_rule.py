"""Declared rules against JAX, against torch.autograd.Function, and in every mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.custom import (
    Rule,
    check_rule,
    clip_gradient,
    clip_gradient_norm,
    relu,
    reverse_gradient,
    rule,
    scale_gradient,
    straight_through,
)
from funcgrad.errors import DeclarationError
from funcgrad.transforms import grad, jvp

X = jnp.array([-1.5, 0.0, 2.0])


def declare_mul(**flags):
    @rule(vjp=dict(a=lambda grad, b: grad * b.conj(), b=lambda grad, a: grad * a.conj()), **flags)
    def mul(a, b):
        return a * b

    return mul


@pytest.mark.parametrize("forward_mode", [False, True])
def test_broadcast_and_dtype_are_not_the_formulas_business(forward_mode):
    mul = declare_mul(forward_mode=forward_mode)
    for a, b in [(X, 3.0), (jnp.ones((2, 1, 3)), jnp.ones((4, 1))), (X, jnp.array([1 + 2j]))]:
        check_rule(mul, a, b)
        ours = jax.grad(lambda a, b: mul(a, b).real.sum(), (0, 1))(a, b)  # noqa: B023
        plain = jax.grad(lambda a, b: (a * b).real.sum(), (0, 1))(a, b)
        for one, other in zip(ours, plain, strict=True):
            np.testing.assert_allclose(one, other)
            assert one.dtype == other.dtype


def test_formulas_compute_pytorchs_complex_gradient():
    z = jnp.array([1 + 2j, 3 - 1j])
    leaf = torch.tensor(np.asarray(z), requires_grad=True)
    (leaf * leaf * (1 + 1j)).real.sum().backward()
    ours = grad(lambda z: declare_mul()(declare_mul()(z, z), 1 + 1j).real.sum())(z)
    np.testing.assert_allclose(ours, leaf.grad.numpy())


def test_only_what_a_formula_names_is_saved():
    mul = declare_mul()
    constant = jnp.ones((7, 3))
    _, pullback = jax.vjp(lambda a: mul(a, constant), jnp.ones((1, 3)))
    shapes = sorted(leaf.shape for leaf in jax.tree.leaves(pullback))
    assert shapes == [(7, 3)]


def test_sizes_outputs_and_named_gradients():
    @rule(
        outputs=("values", "indices"),
        vjp=dict(
            input=lambda grad_values, indices, input_sym_sizes: (
                jnp.zeros(input_sym_sizes, grad_values.dtype).at[indices].set(grad_values)
            )
        ),
    )
    def largest(input):
        return jnp.max(input), jnp.argmax(input)

    np.testing.assert_allclose(jax.grad(lambda x: 3 * largest(x)[0])(X), [0, 0, 3])
    np.testing.assert_allclose(jax.jit(jax.grad(lambda x: largest(x)[0] ** 2))(X), [0, 0, 4])


def test_static_arguments_are_part_of_the_program():
    seen = []

    @rule(vjp=dict(input=lambda grad, power, input: power * grad * input ** (power - 1)))
    def to_the(input, power: int, name: str = "n"):
        seen.append((power, name))
        return input**power

    assert isinstance(to_the, Rule)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda x: to_the(x, 3, name="k")))(2.0), 12.0)
    assert seen[0] == (3, "k")
    check_rule(to_the, X, 4)


def test_jvp_rules_work_both_ways():
    @rule(jvp=dict(a=lambda tangent, b: tangent * b, b=lambda tangent, a: tangent * a))
    def mul(a, b):
        return a * b

    check_rule(mul, X, X + 2)
    check_rule(mul, X, 2.0)
    np.testing.assert_allclose(jax.hessian(lambda x: mul(x, mul(x, x)).sum())(2.0), 12.0)
    np.testing.assert_allclose(jax.vmap(jax.grad(lambda x: mul(x, x)))(X), 2 * X)


def test_second_order_and_transforms():
    @rule(vjp=dict(input=lambda grad, result: grad * result), forward_mode=True)
    def exponential(input):
        return jnp.exp(input)

    check_rule(exponential, X)
    check_rule(jax.grad(lambda x: exponential(x).sum()), X, forward_mode=True)
    _, tangent = jvp(exponential, (X,), (X,))
    np.testing.assert_allclose(tangent, X * np.exp(X), rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(vjp=dict(x=lambda grad: grad)), "no such array input"),
        (dict(vjp=dict(input=lambda grad, wrong: grad)), r"names \['wrong'\]; it may name"),
        (dict(jvp=dict(input=lambda grad: grad)), r"names \['grad'\]; it may name \['tangent'"),
        (dict(), "give vjp or jvp"),
        (dict(vjp={}, jvp={}), "give vjp or jvp"),
        (dict(vjp=dict(n=lambda grad: grad)), "no such array input"),
    ],
)
def test_wrong_declarations_fail_at_once(arguments, message):
    def function(input, n: int = 2):
        return input

    with pytest.raises(DeclarationError, match=message):
        rule(**arguments)(function)


def test_a_gradient_that_does_not_fit_is_named():
    wrong = rule(vjp=dict(input=lambda grad: jnp.ones(2)))(lambda input: input)
    with pytest.raises(ValueError, match=r"formula of 'input' returned float32\[2\]"):
        jax.grad(lambda x: wrong(x).sum())(X)


class TorchReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


def test_relu_is_the_autograd_function():
    values = jnp.array([-1.0, -0.0, 0.0, 2.0, jnp.nan])
    leaf = torch.tensor(np.asarray(values), requires_grad=True)
    output = TorchReLU.apply(leaf)
    output.backward(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    ours, pullback = jax.vjp(relu, values)
    np.testing.assert_array_equal(ours, output.detach().numpy())
    np.testing.assert_array_equal(pullback(jnp.arange(1.0, 6.0))[0], leaf.grad.numpy())
    own = torch.tensor(np.asarray(X), requires_grad=True)
    torch.relu(own).sum().backward()
    np.testing.assert_array_equal(jax.grad(lambda x: relu(x, 0.0).sum())(X), own.grad.numpy())


def test_edited_gradients():
    loss = lambda edit: jax.grad(lambda x: (edit(x) ** 2).sum())(X)  # noqa: E731
    np.testing.assert_allclose(loss(lambda x: scale_gradient(x, 0.5)), X)
    np.testing.assert_allclose(loss(lambda x: reverse_gradient(x, 2.0)), -4 * X)
    np.testing.assert_allclose(loss(lambda x: clip_gradient(x, -1.0)), [-1, 0, 4])
    np.testing.assert_allclose(loss(lambda x: clip_gradient_norm(x, 1.0)),
                               2 * X / np.linalg.norm(2 * X), rtol=1e-5)  # fmt: skip
    np.testing.assert_allclose(loss(straight_through(jnp.sign)), 2 * np.sign(X))
    tree = {"a": X, "b": (X,)}
    both = jax.grad(lambda t: sum(leaf.sum() for leaf in jax.tree.leaves(reverse_gradient(t))))
    assert jax.tree.all(jax.tree.map(lambda leaf: (leaf == -1).all(), both(tree)))


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_a_subgradient_passes_the_check(at_zero):
    check_rule(relu, X, at_zero)


def test_the_check_names_the_wrong_entry():
    entry = r"relu: reverse mode is wrong in 1 of 12 entries.*d output\[1\] / d args\[0\]\[1\]"
    with pytest.raises(AssertionError, match=entry + " is 2.0 .*a kink: 0.0 from the left"):
        check_rule(relu, X, 2.0)

    @rule(vjp=dict(tree=lambda grad, tree: {"w": grad * 2 * tree["w"], "b": grad * 7}))
    def function(tree):
        return tree["w"] ** 2 + tree["b"]

    with pytest.raises(AssertionError, match=r"d output / d args\[0\]\['b'\] is 7.0 .* and 1.0"):
        check_rule(function, {"w": 3.0, "b": 1.0})


def test_the_check_sees_complex_parts_and_leaves_jax_alone():
    wrong = rule(vjp=dict(z=lambda grad, z: grad * 2 * z))(lambda z: z * z)
    with pytest.raises(AssertionError, match=r"d output\.\w+ / d args\[0\]\.\w+ is -?4"):
        check_rule(wrong, 1 + 2j)
    check_rule(rule(vjp=dict(z=lambda grad, z: grad * 2 * z.conj()))(lambda z: z * z), 1 + 2j)
    assert jnp.ones(1).dtype == jnp.float32
