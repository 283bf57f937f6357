"""Runs of the same optimization under `torch.optim` and under `funcgrad.optim`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from funcgrad import optim

SHAPES = {"matrix": (4, 3), "scalar": (), "stack": (2, 3, 2), "vector": (5,)}
# Muon multiplies in bfloat16, where the order of a sum decides a rounding now and then: short sums.
MATRICES = {"square": (3, 3), "tall": (4, 2), "wide": (2, 3)}


class Problem:
    """Gradients of a smooth function of some arrays, computable by NumPy, torch and JAX alike."""

    def __init__(self, shapes=None, dtype="float64", seed=0):
        random = np.random.default_rng(seed)
        shapes = SHAPES if shapes is None else shapes

        def draw(shape):
            values = random.standard_normal(shape)
            if dtype.startswith("complex"):
                values = values + 1j * random.standard_normal(shape)
            return np.asarray(values, dtype)

        self.start = {name: draw(shape) for name, shape in shapes.items()}
        self.target = {name: draw(shape) for name, shape in shapes.items()}

    def torch_params(self):
        return {name: torch.tensor(value, requires_grad=True) for name, value in self.start.items()}

    def jax_params(self):
        return {name: jnp.asarray(value) for name, value in self.start.items()}

    def gradient(self, params, sin, convert, number):
        """`(p - target) + 0.3 sin(3 p)`, turned a bit from step to step."""
        turn = 1.0 + 0.1 * ((number % 7) - 3)
        return {
            name: turn * (p - convert(self.target[name])) + 0.3 * sin(3 * p)
            for name, p in params.items()
        }

    def run_torch(self, optimizer, params, steps, first=0, each=None):
        for number in range(first, first + steps):
            with torch.no_grad():
                grads = self.gradient(params, torch.sin, torch.from_numpy, number)
            for name, param in params.items():
                param.grad = grads[name]
            optimizer.step()
            if each is not None:
                each()
        return {name: param.detach().numpy().copy() for name, param in params.items()}

    def run_jax(self, optimizer, params, state, steps, first=0):
        def body(carry, number):
            params, state = carry
            grads = self.gradient(params, jnp.sin, jnp.asarray, number)
            updates, state = optimizer.update(grads, state, params)
            return (optax.apply_updates(params, updates), state), None

        numbers = jnp.arange(first, first + steps)
        (params, state), _ = jax.jit(lambda *carry: jax.lax.scan(body, carry, numbers))(
            params, state
        )
        return params, state


def close(actual, expected, rtol, atol):
    """Compare dictionaries of arrays, naming the one that differs."""
    assert actual.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], rtol, atol, err_msg=name)


def ours(name, **options):
    """The optimizer of `funcgrad.optim` for the name of one of torch's."""
    options = {key: _to_jax(value) for key, value in options.items()}
    return getattr(optim, name.lower())(**options)


def _to_jax(value):
    if isinstance(value, tuple):
        return tuple(_to_jax(item) for item in value)
    return jnp.asarray(value.numpy()) if isinstance(value, torch.Tensor) else value


@pytest.fixture
def x64():
    """64-bit types for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def problem():
    """The class `Problem`."""
    return Problem


@pytest.fixture
def assert_close():
    """The function `close`."""
    return close


@pytest.fixture
def make_ours():
    """The function `ours`."""
    return ours


@pytest.fixture
def shapes_for():
    """The shapes an optimizer is tried on."""
    return lambda name: MATRICES if name == "Muon" else SHAPES
