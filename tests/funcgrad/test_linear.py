"""Second and third derivatives: the formulas of ops that are linear in a gradient are used, too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad

PROBABILITIES = np.array([0.0, 0.0, 0.5, 1.0, 1.0])
TARGETS = np.array([0.0, 1.0, 0.3, 1.0, 0.0])


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def entropy(p):
    return funcgrad.binary_cross_entropy(p, jnp.asarray(TARGETS))


def slope(p):
    return funcgrad.grad(entropy)(p).sum()


def scanned(p):
    return jax.lax.scan(lambda _, q: (None, funcgrad.grad(slope)(q)), None, p[None])[1][0]


def torch_derivatives(order):
    p = torch.tensor(PROBABILITIES, requires_grad=True)
    value = torch.nn.functional.binary_cross_entropy(p, torch.tensor(TARGETS))
    for _ in range(order):
        (value,) = torch.autograd.grad(value.sum(), p, create_graph=True)
    return value.detach().numpy()


SECOND = {
    "reverse over reverse": funcgrad.grad(slope),
    "jitted": jax.jit(funcgrad.grad(slope)),
    "forward over reverse": lambda p: jax.jvp(funcgrad.grad(entropy), (p,), (jnp.ones(5),))[1],
    "reverse over forward": jax.grad(lambda p: jax.jvp(entropy, (p,), (jnp.ones(5),))[1]),
    "forward over forward": lambda p: jnp.diagonal(jax.jacfwd(jax.jacfwd(entropy))(p)),
    "checkpointed": funcgrad.grad(lambda p: funcgrad.grad(jax.checkpoint(entropy))(p).sum()),
    "scanned": scanned,
    "mapped": lambda p: jax.vmap(funcgrad.grad(slope))(jnp.stack([p, p]))[1],
}


@pytest.mark.parametrize("how", SECOND)
def test_at_the_bounds_of_a_cross_entropy(how):
    """JAX's derivative of the division would be 2e11 where PyTorch's formula says 2e23."""
    expected = torch_derivatives(2)
    assert expected.max() > 1e23
    np.testing.assert_allclose(SECOND[how](jnp.asarray(PROBABILITIES)), expected, 1e-12)


def test_third_derivative_inside():
    p = np.array([0.2, 0.4, 0.5, 0.7, 0.9])
    leaf = torch.tensor(p, requires_grad=True)
    value = torch.nn.functional.binary_cross_entropy(leaf, torch.tensor(TARGETS))
    for _ in range(3):
        (value,) = torch.autograd.grad(value.sum(), leaf, create_graph=True)
    third = funcgrad.grad(lambda p: funcgrad.grad(slope)(p).sum())
    np.testing.assert_allclose(third(jnp.asarray(p)), value.detach().numpy(), 1e-9)


@pytest.mark.parametrize("batched", [(0, None), (None, 0), (0, 0), (1, 0)])
def test_mapped_products(batched):
    """One side of a product alone may be mapped, along any axis."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(3, 3)), random.normal(size=(3, 3))

    def both(a, b):
        return funcgrad.tanh(funcgrad.mul(a, b)).sum()

    def mixed(a, b):
        return jax.grad(lambda b: jax.grad(both)(a, b).sum())(b)

    for function in (jax.grad(both), mixed):
        found = jax.vmap(function, batched)(first, second)
        rows = [
            function(*(x if d is None else np.moveaxis(x, d, 0)[i] for x, d in zip(
                (first, second), batched, strict=True)))
            for i in range(3)
        ]  # fmt: skip
        np.testing.assert_allclose(found, np.stack(rows), 1e-12)


def test_complex_derivatives_of_second_order():
    z = np.array([0.3 + 0.4j, -1.0 + 0.2j])

    def torch_second():
        leaf = torch.tensor(z, requires_grad=True)
        loss = (leaf * leaf.exp()).abs().sum()
        (slope,) = torch.autograd.grad(loss, leaf, create_graph=True)
        return torch.autograd.grad(slope.real.pow(2).sum(), leaf)[0].numpy()

    def loss(z):
        return abs(funcgrad.mul(z, funcgrad.exp(z))).sum()

    found = funcgrad.grad(lambda z: (funcgrad.grad(loss)(z).real ** 2).sum())(jnp.asarray(z))
    np.testing.assert_allclose(found, torch_second(), 1e-12)


def test_a_program_with_derivatives_is_exported():
    exported = jax.export.export(jax.jit(funcgrad.grad(slope)))(jnp.asarray(PROBABILITIES))
    found = exported.call(jnp.asarray(PROBABILITIES))
    np.testing.assert_allclose(found, torch_derivatives(2), 1e-12)
