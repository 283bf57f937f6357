"""L-BFGS against `torch.optim.LBFGS`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from torch.testing._internal.common_optimizers import optim_inputs_func_lbfgs

from funcgrad import optim

MATRIX = np.random.default_rng(0).standard_normal((12, 6))
TARGET = np.random.default_rng(1).standard_normal(12)


def bowl(params, xp):
    """Well conditioned: no step multiplies the rounding errors of the step before."""
    x, y = params["x"], params["y"]
    return (2.0 * (x - 0.3) ** 2).sum() + ((y - x) ** 2).sum() + 0.2 * xp.sin(x + 2 * y).sum()


def regression(params, xp):
    """A fit with a curved model."""
    known = (MATRIX, TARGET) if xp is jnp else (torch.from_numpy(MATRIX), torch.from_numpy(TARGET))
    matrix, target = known
    x = xp.concatenate([params["x"], params["y"]])
    return ((xp.tanh(matrix @ x) - target) ** 2).sum() + 0.1 * (x**2).sum()


def rosenbrock(params, xp):
    """A bent valley."""
    x, y = params["x"], params["y"]
    return (100.0 * (y - x**2) ** 2 + (1.0 - x) ** 2).sum()


START = {"x": np.array([-1.2, 0.5, 2.0]), "y": np.array([1.0, -0.7, 0.3])}
MORE = [
    {"max_iter": 4, "history_size": 3, "lr": 0.1},
    {"max_iter": 1, "lr": 0.01},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 5},
    {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-3},
    {"tolerance_grad": 0.5, "lr": 0.1},
]
CASES = [each.kwargs for each in optim_inputs_func_lbfgs("cpu")] + MORE


def torch_path(function, kwargs, steps):
    params = {name: torch.tensor(value, requires_grad=True) for name, value in START.items()}
    optimizer = torch.optim.LBFGS(params.values(), **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = function(params, torch)
        loss.backward()
        return loss

    path = []
    for _ in range(steps):
        optimizer.step(closure)
        path.append({name: param.detach().numpy().copy() for name, param in params.items()})
    return path, optimizer


def jax_step(optimizer, function):
    value_and_grad = jax.value_and_grad(lambda params: function(params, jnp))

    @jax.jit
    def step(params, state):
        value, grads = value_and_grad(params)
        updates, state = optimizer.update(
            grads, state, params, value=value, value_and_grad_fn=value_and_grad
        )
        return optax.apply_updates(params, updates), state

    return step


def compare(function, kwargs, steps):
    options = {key: float(v) if isinstance(v, torch.Tensor) else v for key, v in kwargs.items()}
    path, twin = torch_path(function, options, steps)
    optimizer = optim.lbfgs(**options)
    params = {name: jnp.asarray(value) for name, value in START.items()}
    state, step = optimizer.init(params), jax_step(optimizer, function)
    for expected in path:
        params, state = step(params, state)
        for name in expected:
            np.testing.assert_allclose(params[name], expected[name], 1e-10, 1e-10)
    theirs = twin.state_dict()["state"][0]
    assert (int(state.func_evals), int(state.n_iter)) == (theirs["func_evals"], theirs["n_iter"])


@pytest.mark.parametrize("kwargs", CASES, ids=str)
def test_trajectory(kwargs, x64):
    compare(bowl, kwargs, 200)


@pytest.mark.parametrize("kwargs", [case for case in CASES if "line_search_fn" in case], ids=str)
def test_line_search_on_a_curved_model(kwargs, x64):
    compare(regression, kwargs, 200)


def test_line_search_in_a_bent_valley(x64):
    """As long as the valley, which multiplies rounding errors, lets two programs agree."""
    compare(rosenbrock, {"line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 2}, 5)
    compare(rosenbrock, {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 0.5}, 10)


def test_traced_numbers_and_complex_parameters(x64):
    def loss(z):
        return (jnp.abs(z - (1 + 2j)) ** 2).sum()

    @jax.jit
    def step(lr, z):
        optimizer = optim.lbfgs(lr=lr, tolerance_grad=lr * 1e-9)
        function = jax.value_and_grad(loss)

        def conjugated(z):
            value, grad = function(z)
            return value, grad.conj()

        value, grad = conjugated(z)
        updates, _ = optimizer.update(
            grad, optimizer.init(z), z, value=value, value_and_grad_fn=conjugated
        )
        return z + updates

    np.testing.assert_allclose(step(1.0, jnp.zeros(2, complex)), [1 + 2j] * 2, rtol=1e-8)


def test_errors():
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.lbfgs(lr=-1)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optim.lbfgs(line_search_fn="armijo")
    with pytest.raises(ValueError, match="at least 1"):
        optim.lbfgs(max_iter=0)
    optimizer = optim.lbfgs()
    with pytest.raises(ValueError, match="value_and_grad_fn"):
        optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)), jnp.ones(2))
