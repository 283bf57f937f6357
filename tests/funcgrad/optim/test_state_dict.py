"""State that goes from PyTorch to funcgrad and back in the middle of a training."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from funcgrad import optim

NAMES = {
    "Adadelta": {"weight_decay": 0.1},
    "Adafactor": {},
    "Adagrad": {"initial_accumulator_value": 0.1},
    "Adam": {"amsgrad": True, "lr": 0.01},
    "AdamW": {"lr": 0.01},
    "Adamax": {},
    "ASGD": {"t0": 5},
    "Muon": {},
    "NAdam": {},
    "RAdam": {},
    "RMSprop": {"centered": True, "momentum": 0.9, "lr": 1e-3},
    "Rprop": {},
    "SGD": {"momentum": 0.9, "dampening": 0.5},
}


def tensors(tree):
    """NumPy arrays as tensors, everywhere in a state_dict."""
    if isinstance(tree, dict):
        return {key: tensors(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [tensors(value) for value in tree]
    return torch.from_numpy(tree.copy()) if isinstance(tree, np.ndarray) else tree


def torch_twin(name, params):
    return getattr(torch.optim, name)(params.values(), **NAMES[name])


@pytest.mark.parametrize("name", NAMES)
def test_training_continues_on_the_other_side(
    name, x64, problem, make_ours, shapes_for, assert_close
):
    """10 steps under torch, 10 under funcgrad, 10 under torch: as 30 under torch."""
    task = problem(shapes_for(name))
    params = task.torch_params()
    expected = task.run_torch(torch_twin(name, params), params, 30)

    params = task.torch_params()
    twin = torch_twin(name, params)
    task.run_torch(twin, params, 10)
    optimizer = make_ours(name, **NAMES[name])
    ours = {key: jnp.asarray(param.detach().numpy()) for key, param in params.items()}
    state = optim.from_torch_state_dict(optimizer, twin.state_dict(), ours)
    ours, state = task.run_jax(optimizer, ours, state, 10, first=10)

    state_dict = tensors(optim.to_torch_state_dict(optimizer, state, ours))
    params = {key: torch.tensor(np.asarray(v), requires_grad=True) for key, v in ours.items()}
    twin = torch_twin(name, params)
    twin.load_state_dict(state_dict)
    assert_close(task.run_torch(twin, params, 10, first=20), expected, 1e-10, 1e-10)


@pytest.mark.parametrize("steps", [0, 9])
@pytest.mark.parametrize("name", NAMES)
def test_same_keys_dtypes_and_values_as_torch(name, steps, x64, problem, make_ours, shapes_for):
    task = problem(shapes_for(name))
    params = task.torch_params()
    twin = torch_twin(name, params)
    task.run_torch(twin, params, steps)
    optimizer = make_ours(name, **NAMES[name])
    ours = task.jax_params()
    ours, state = task.run_jax(optimizer, ours, optimizer.init(ours), steps)
    mine, theirs = optim.to_torch_state_dict(optimizer, state, ours), twin.state_dict()
    assert mine["state"].keys() == theirs["state"].keys()
    for index, row in theirs["state"].items():
        for key, value in row.items():
            other = mine["state"][index].pop(key)
            np.testing.assert_allclose(other, value.numpy(), 1e-10, 1e-10, err_msg=key)
            assert (other.shape, str(other.dtype)) == (tuple(value.shape), str(value.dtype)[6:]), (
                key
            )
        assert not mine["state"][index]
    assert mine["param_groups"] == theirs["param_groups"]


def test_lbfgs_continues_on_the_other_side(x64):
    target = np.array([0.3, -1.0, 2.0])
    options = {"lr": 0.5, "max_iter": 2, "history_size": 3}

    def run_torch(start, state_dict, steps):
        param = torch.tensor(start, requires_grad=True)
        twin = torch.optim.LBFGS([param], **options)
        if state_dict is not None:
            twin.load_state_dict(state_dict)

        def closure():
            twin.zero_grad()
            loss = ((param - torch.from_numpy(target)) ** 4).sum() + (param**2).sum()
            loss.backward()
            return loss

        for _ in range(steps):
            twin.step(closure)
        return param.detach().numpy().copy(), twin.state_dict()

    start = np.array([1.0, 1.0, 1.0])
    expected, whole = run_torch(start, None, 9)
    values, state_dict = run_torch(start, None, 3)
    optimizer, params = optim.lbfgs(**options), jnp.asarray(values)
    state = optim.from_torch_state_dict(optimizer, state_dict, params)
    function = jax.value_and_grad(lambda x: ((x - target) ** 4).sum() + (x**2).sum())
    for _ in range(3):
        value, grad = function(params)
        updates, state = optimizer.update(
            grad, state, params, value=value, value_and_grad_fn=function
        )
        params = params + updates
    state_dict = tensors(optim.to_torch_state_dict(optimizer, state, params))
    assert state_dict["param_groups"] == whole["param_groups"]
    assert state_dict["state"][0].keys() == whole["state"][0].keys()
    actual, _ = run_torch(np.array(params), state_dict, 3)
    np.testing.assert_allclose(actual, expected, 1e-10)


def test_fresh_lbfgs_is_empty():
    optimizer, params = optim.lbfgs(), jnp.ones(2)
    state_dict = optim.to_torch_state_dict(optimizer, optimizer.init(params), params)
    assert state_dict["state"] == {}
    state = optim.from_torch_state_dict(optimizer, state_dict, params)
    assert int(state.count) == 0


def test_a_schedule_gives_its_present_value():
    optimizer = optim.sgd(lr=optim.schedules.exponential_lr(1.0, 0.5), momentum=0.5)
    params = jnp.ones(2)
    state = optim.from_torch_state_dict(
        optimizer,
        {
            "state": {0: {"momentum_buffer": np.ones(2, "float32")}},
            "param_groups": [{"params": [0]}],
        },
        params,
        count=3,
    )
    assert optim.to_torch_state_dict(optimizer, state, params)["param_groups"][0]["lr"] == 0.125


def test_errors():
    optimizer, params = optim.adam(), {"bias": jnp.ones(2), "weight": jnp.ones(3)}
    chain = optax.chain(optim.clip_grad_norm(1.0), optimizer)
    with pytest.raises(TypeError, match="Pass the optimizer itself"):
        optim.to_torch_state_dict(chain, chain.init(params), params)
    twin = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
    theirs = torch.optim.Adam(twin)
    for param in twin:
        param.grad = torch.ones_like(param)
        theirs.step()
    with pytest.raises(ValueError, match="2 steps for .*'bias'.* and 1 for .*'weight'"):
        optim.from_torch_state_dict(optimizer, theirs.state_dict(), params)
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optim.from_torch_state_dict(optimizer, theirs.state_dict(), jnp.ones(2))
    state = theirs.state_dict()
    state["state"][1]["step"] = state["state"][0]["step"]
    with pytest.raises(ValueError, match=r"shape \(2,\) for 'exp_avg' of .*'bias'"):
        optim.from_torch_state_dict(optimizer, state, {"bias": jnp.ones(4), "weight": jnp.ones(3)})
    with pytest.raises(ValueError, match="no 'max_exp_avg_sq' for .*'bias'"):
        optim.from_torch_state_dict(optim.adam(amsgrad=True), state, params)
