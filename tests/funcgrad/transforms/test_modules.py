"""functional_call and stack_module_state beside torch's, and checkpoint."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad.transforms as ours_module
from funcgrad.transforms import (
    checkpoint,
    functional_call,
    grad,
    named_parameters,
    stack_module_state,
    stop_gradient,
    vmap,
)

from .conftest import to_torch


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Linear:
    weight: jax.Array
    bias: jax.Array

    def __call__(self, x):
        return x @ self.weight.T + self.bias


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Net:
    layers: list

    def __call__(self, x):
        for layer in self.layers:
            x = jnp.tanh(layer(x))
        return x


def make(seed=0):
    keys = jax.random.split(jax.random.key(seed), 2)
    return Net([Linear(jax.random.normal(k, (3, 3)), jnp.full(3, 0.1)) for k in keys])


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


def test_names_are_those_of_a_torch_module():
    assert set(named_parameters(make())) == set(TorchNet().state_dict())


def test_functional_call_is_torch_funcs(same):
    x, values = jnp.ones((2, 3)), {k: v * 2 for k, v in named_parameters(make()).items()}
    expected = torch.func.functional_call(TorchNet(), to_torch(values), (to_torch(x),))
    same(functional_call(make(), values, (x,)), expected)
    same(functional_call(make(), [values], x), expected)
    same(functional_call(make(), values, kwargs={"x": x}, strict=True), expected)
    partly = {"layers.0.bias": values["layers.0.bias"]}
    assert not np.allclose(functional_call(make(), partly, x), expected.detach().numpy())


def test_tied_weights(same):
    shared = Linear(jnp.eye(3), jnp.zeros(3))
    tied, x, new = Net([shared, shared]), jnp.ones(3), {"layers.0.weight": 2 * jnp.eye(3)}
    both = jnp.tanh(2 * jnp.tanh(2 * x))
    same(functional_call(tied, new, x), both)
    same(functional_call(tied, new, x, tie_weights=False), jnp.tanh(jnp.tanh(2 * x)))


def test_an_ensemble(same):
    models, x = [make(seed) for seed in range(3)], jnp.ones((2, 3))
    params, buffers = stack_module_state(models)
    together = vmap(lambda p: functional_call(models[0], p, x))(params)
    same(together, jnp.stack([model(x) for model in models]), rtol=1e-5)
    assert buffers == {}
    assert stack_module_state([{"n": jnp.arange(2)}] * 2)[1]["n"].shape == (2, 2)


def ours_and_torch(name, call):
    return pytest.param(call, ours_module, make, id=f"{name}-funcgrad"), pytest.param(
        call, torch.func, TorchNet, id=f"{name}-torch"
    )


MISTAKES = [
    (lambda f, net: f.functional_call(net(), {}, (1,), strict=True), RuntimeError, "Missing key"),
    (lambda f, net: f.functional_call(net(), [{"a": 1}, {"a": 1}], (1,)), ValueError,
     "['a'] appeared in multiple dictionaries; behavior of functional call is ambiguous"),
    (lambda f, net: f.functional_call(net(), 3, (1,)), ValueError,
     "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got"),
    (lambda f, net: f.stack_module_state([]), RuntimeError, "Expected at least one model, got 0."),
]  # fmt: skip


@pytest.mark.parametrize("call, kind, phrase", MISTAKES)
@pytest.mark.parametrize("module, net", [(ours_module, make), (torch.func, TorchNet)])
def test_mistakes(error_of, module, net, call, kind, phrase):
    got, message = error_of(lambda: call(module, net))
    assert got is kind and phrase in message


def test_unexpected_keys_and_unlike_models():
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'k'"):
        functional_call(make(), {**named_parameters(make()), "k": 1}, jnp.ones(3), strict=True)
    with pytest.raises(RuntimeError, match="to be of the same class"):
        stack_module_state([make(), {}])
    with pytest.raises(RuntimeError, match=r"'w' of shape \(2,\), models\[1\] has shape \(3,\)"):
        stack_module_state([{"w": jnp.ones(2)}, {"w": jnp.ones(3)}])


def test_checkpoint_keeps_the_gradient_and_saves_less(same):
    def deep(x):
        for _ in range(4):
            x = jnp.sin(x)
        return x.sum()

    x = jnp.array([1.0, 2.0])
    same(grad(checkpoint(deep))(x), grad(deep)(x))
    saved = [str(jax.make_jaxpr(grad(f))(x)).count("cos") for f in (deep, checkpoint(deep))]
    assert "remat" in str(jax.make_jaxpr(grad(checkpoint(deep)))(x)) and saved[0] == 4


def test_stop_gradient_of_a_tree():
    tree = {"a": jnp.array(2.0), "name": "text"}
    assert stop_gradient(tree)["name"] == "text"
    assert float(grad(lambda x: x * stop_gradient({"a": x})["a"])(3.0)) == 3.0
