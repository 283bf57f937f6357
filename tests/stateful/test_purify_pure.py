"""`purify`: the pure function of a step under `jit`, `vmap`, `scan`, `export` and on a mesh."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import stateful as torch
from stateful.purify import DataDependentError, PurifyError

SEEDS = 32


def task(optimizer="Adam", **options):
    model = torch.nn.Linear(3, 2)
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), **(options or {"lr": 0.05}))

    def step(x, y):
        optimizer.zero_grad()
        noisy = x + 0.1 * torch.randn(4, 3)
        loss = ((model(noisy) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


def batches(count):
    torch.manual_seed(11)
    return torch.randn(count, 4, 3), torch.randn(count, 4, 2)


def seeded(model, seed):
    torch.manual_seed(seed)
    model.reset_parameters()


def loop(seed, count, **options):
    """Losses, parameters and the next random number of a plain loop."""
    x, y = batches(count)
    model, _, step = task(**options)
    seeded(model, seed)
    losses = [step(x[i], y[i]).item() for i in range(count)]
    return np.array(losses), model.weight.detach().numpy(), torch.rand(1).item()


def close(first, second):
    return np.allclose(first, second, rtol=1e-5, atol=1e-6)


def test_the_state_is_what_the_step_touches():
    model, _, step = task()
    unused = [torch.ones(2) for _ in range(3)]
    x, y = batches(1)

    def touching(x, y):
        _ = unused
        return step(x, y)

    pure = torch.purify(touching, x[0], y[0])
    assert list(pure.state()) == [
        "model.weight", "model.bias", "optimizer.param_groups[0].lr",
        "optimizer.param_groups[0].betas[0]", "optimizer.param_groups[0].betas[1]",
        "optimizer.param_groups[0].eps", "random",
    ]  # fmt: skip
    assert "unused[1]" in torch.purify(touching).state()
    assert "model.weight: float32[2, 3]" in repr(pure.state())


def test_pure_steps_are_the_loop():
    losses, weight, following = loop(0, 4)
    x, y = batches(4)
    model, optimizer, step = task()
    seeded(model, 0)
    pure = torch.purify(step, x[0], y[0])
    before = model.weight.detach().numpy()
    jitted, state, got = jax.jit(pure), pure.state(), []
    for i in range(4):
        state, loss = jitted(state, x[i]._array, y[i]._array)
        got.append(float(loss))
    assert close(got, losses) and jitted._cache_size() == 2
    assert np.array_equal(model.weight.detach().numpy(), before)  # the model is as it was
    assert model.weight.grad is None and not optimizer.state
    pure.load(state)
    assert close(model.weight.detach().numpy(), weight)
    assert torch.rand(1).item() == following
    assert optimizer.state[model.weight]["step"].item() == 4
    step(x[0], y[0])  # and the loop goes on


def test_thirty_two_seeds_at_once():
    x, y = batches(3)
    model, _, step = task()
    pure = torch.purify(step, x[0], y[0])
    states = []
    for seed in range(SEEDS):
        seeded(model, seed)
        states.append(pure.state())
    state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    many, losses = jax.jit(jax.vmap(pure, in_axes=(0, None, None))), []
    for i in range(3):
        state, loss = many(state, x[i]._array, y[i]._array)
        losses.append(loss)
    losses = np.stack(losses, axis=1)
    for seed in (0, 7, 31):
        wanted, weight, _ = loop(seed, 3)
        assert close(losses[seed], wanted)
        assert close(state["model.weight"][seed], weight)
    with pytest.raises(ValueError, match="'model.weight' has shape"):
        pure.load(state)


def test_under_scan():
    losses, weight, _ = loop(1, 6)
    x, y = batches(6)
    model, _, step = task()
    seeded(model, 1)
    pure = torch.purify(step, x[0], y[0])
    state, first = jax.jit(pure)(pure.state(), x[0]._array, y[0]._array)
    state, rest = jax.lax.scan(lambda s, b: pure(s, *b), state, (x[1:]._array, y[1:]._array))
    assert close([float(first), *rest], losses)
    assert close(state["model.weight"], weight)


def test_as_stablehlo():
    x, y = batches(2)
    _, _, step = task()
    pure = torch.purify(step, x[0], y[0])
    state, _ = jax.jit(pure)(dict(pure.state()), x[0]._array, y[0]._array)
    assert type(state) is dict
    exported = jax.export.export(jax.jit(pure))(state, x[1]._array, y[1]._array)
    assert "stablehlo" in exported.mlir_module()
    there, loss = exported.call(state, x[1]._array, y[1]._array)
    here, wanted = pure(state, x[1]._array, y[1]._array)
    assert close(loss, wanted) and close(there["model.weight"], here["model.weight"])


def test_rates_are_data():
    x, y = batches(1)
    model, _, step = task("SGD", lr=0.1)
    pure = torch.purify(step, x[0], y[0])
    state = pure.state()
    rates = jnp.array([0.0, 0.1])
    name = "optimizer.param_groups[0].lr"

    def at(rate):
        return pure(state.replace(**{name: rate}), x[0]._array, y[0]._array)[0]

    after = jax.vmap(at)(rates)
    assert close(after["model.weight"][0], model.weight.detach().numpy())
    assert not close(after["model.weight"][0], after["model.weight"][1])
    with pytest.raises(KeyError, match="no"):
        state.replace(nothing=1)


def test_a_state_remembers_the_python_side():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Dropout(0.5))
    x, pure = torch.ones(2, 3), torch.purify(model, torch.ones(2, 3))
    jitted = jax.jit(pure)
    training = pure.state()
    _, noisy = jitted(training, x._array)
    model.eval()
    _, clean = jitted(pure.state(), x._array)
    assert close(clean, model(x).detach().numpy()) and not close(clean, noisy)
    assert close(jitted(training, x._array)[1], noisy)


def test_errors():
    def looks(x):
        return x if x.sum() > 0 else -x

    with pytest.raises(DataDependentError, match="return x if x.sum"):
        torch.purify(looks, torch.ones(2))
    kept = []

    def grows(x):
        kept.append(x * 2)

    pure = torch.purify(grows, torch.ones(2))
    state, _ = pure(pure.state(), torch.ones(2))
    assert not kept and list(state) == ["kept[0]", "random"]
    with pytest.raises(PurifyError, match=r"appears after the first step.*kept\[1\]"):
        pure(state, torch.ones(2))
    with pytest.raises(PurifyError, match="no state of this step"):
        pure({"something": jnp.ones(2)}, torch.ones(2))


MESH = """
import jax, numpy as np
import stateful as torch
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
def step(x, y):
    optimizer.zero_grad()
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss
x, y = torch.randn(16, 4), torch.randn(16, 2)
pure = torch.purify(step, x, y)
mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("data", "model"))
def place(name, leaf):
    cut = name.startswith("model.0.weight") and name != "random"
    return jax.device_put(leaf, NamedSharding(mesh, P("model") if cut else P()))
state = pure.state()
state = state.replace(**{name: place(name, leaf) for name, leaf in state.items()})
data = NamedSharding(mesh, P("data"))
jitted = jax.jit(pure)
for _ in range(3):
    state, loss = jitted(state, jax.device_put(x._array, data), jax.device_put(y._array, data))
assert len(state["model.0.weight"].sharding.device_set) == 8, state["model.0.weight"].sharding
assert not state["model.0.weight"].sharding.is_fully_replicated
losses = [step(x, y).item() for _ in range(3)]
np.testing.assert_allclose(float(loss), losses[-1], rtol=1e-5)
np.testing.assert_allclose(state["model.0.weight.grad"], model[0].weight.grad.numpy(), atol=1e-6)
np.testing.assert_allclose(state["model.0.weight"], model[0].weight.detach().numpy(), atol=1e-5)
"""


def test_on_a_mesh_of_eight_devices():
    flags = "--xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", MESH]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
