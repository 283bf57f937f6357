"""Every optimizer against its PyTorch twin, over the options that PyTorch tests it with."""

import inspect
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from funcgrad import optim

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_optimizers import optim_db

INFOS = {
    info.optim_cls.__name__: info
    for info in optim_db
    if info.optim_cls.__name__ not in ("SparseAdam", "LBFGS")
}
NAMES = sorted(INFOS)
MORE = [
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-3}),
    ("Adafactor", {"eps": (1e-6, 1e-2), "lr": 0.3, "d": 1.1}),
    ("Adafactor", {"eps": (0.9, 1e-2), "lr": 0.1}),
    ("Adagrad", {"eps": 1e-3, "lr_decay": 0.1, "maximize": True}),
    ("Adam", {"betas": (0.5, 0.9), "eps": 1e-3, "lr": 0.05}),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.3}),
    ("Adam", {"betas": (0.0, 0.0), "lr": 0.01}),
    ("AdamW", {"amsgrad": True, "betas": (0.8, 0.7), "lr": 0.1}),
    ("Adamax", {"betas": (0.5, 0.9), "eps": 1e-2}),
    ("ASGD", {"t0": 20, "lambd": 0.1, "alpha": 0.5, "weight_decay": 0.1}),
    ("Muon", {"nesterov": False, "lr": 0.1}),
    ("Muon", {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0}),
    ("Muon", {"adjust_lr_fn": "original"}),
    ("NAdam", {"betas": (0.5, 0.9), "eps": 1e-3, "lr": 0.05}),
    ("NAdam", {"maximize": True, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"betas": (0.5, 0.9), "lr": 0.05}),
    ("RAdam", {"betas": (0.9, 0.5), "lr": 0.05}),
    ("RAdam", {"betas": (0.9, 0.9999), "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RMSprop", {"alpha": 0.5, "eps": 1e-3, "momentum": 0.9}),
    ("Rprop", {"lr": 0.5, "etas": (0.3, 1.1), "step_sizes": (1e-3, 0.7)}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True, "lr": 0.05}),
]
CASES = [
    *((name, each.kwargs) for name in NAMES for each in INFOS[name].optim_inputs_func("cpu")),
    *MORE,
]
IDS = [
    f"{name}-{'-'.join(map(str, kwargs)) or 'default'}-{i}"
    for i, (name, kwargs) in enumerate(CASES)
]


def torch_optimizer(name, params, kwargs):
    return INFOS[name].optim_cls(params.values(), **kwargs)


@pytest.mark.parametrize("name, kwargs", CASES, ids=IDS)
def test_float64_trajectory(name, kwargs, x64, problem, make_ours, shapes_for, assert_close):
    task = problem(shapes_for(name))
    params = task.torch_params()
    expected = task.run_torch(torch_optimizer(name, params, kwargs), params, 200)
    optimizer = make_ours(name, **kwargs)
    params = task.jax_params()
    actual, state = task.run_jax(optimizer, params, optimizer.init(params), 200)
    assert_close(actual, expected, 1e-10, 1e-10)
    assert state.count == 200


@pytest.mark.parametrize("name, kwargs", CASES, ids=IDS)
def test_float32_updates(name, kwargs, make_ours, shapes_for):
    """Given the same gradients, 20 steps of single precision part by a few units in the last place
    of the largest value."""
    random = np.random.default_rng(1)
    shapes = shapes_for(name)
    start = {key: random.standard_normal(shape).astype("float32") for key, shape in shapes.items()}
    grads = [
        {key: np.asarray(random.standard_normal(shape), "float32") for key, shape in shapes.items()}
        for _ in range(20)
    ]
    params = {key: torch.tensor(value, requires_grad=True) for key, value in start.items()}
    twin = torch_optimizer(name, params, kwargs)
    largest = {key: np.abs(value) for key, value in start.items()}
    for each in grads:
        for key, param in params.items():
            param.grad = torch.from_numpy(each[key])
        twin.step()
        for key, param in params.items():
            largest[key] = np.maximum(largest[key], param.detach().abs().numpy())
    optimizer = make_ours(name, **kwargs)
    ours = {key: jnp.asarray(value) for key, value in start.items()}
    state, update = optimizer.init(ours), jax.jit(optimizer.update)
    for each in grads:
        updates, state = update(
            {key: jnp.asarray(value) for key, value in each.items()}, state, ours
        )
        ours = optax.apply_updates(ours, updates)
    for key, param in params.items():
        expected = param.detach().numpy()
        ulps = np.abs(np.asarray(ours[key]) - expected) / np.spacing(largest[key])
        assert ulps.max() <= 8, (key, ulps.max())


def is_number(value):
    return isinstance(value, float | int) and not isinstance(value, bool)


def split(options):
    """The numbers of some options as a tree, and everything else."""
    numbers = {
        key: value
        for key, value in options.items()
        if is_number(value) or (isinstance(value, tuple) and all(map(is_number, value)))
    }
    numbers.pop("ns_steps", None)
    return numbers, {key: value for key, value in options.items() if key not in numbers}


@pytest.mark.parametrize("name, kwargs", [case for case in CASES if split(case[1])[0]])
def test_traced_hyperparameters(name, kwargs, x64, problem, make_ours, shapes_for, assert_close):
    """All numbers as inputs of one compiled step, which changed numbers do not compile again."""
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(getattr(optim, name.lower())).parameters.items()
    }
    task = problem(shapes_for(name))
    numbers, rest = split(defaults | kwargs)
    state = make_ours(name, **defaults | kwargs)
    params = task.jax_params()
    if kwargs.get("momentum", 1) != 0 and name in ("SGD", "RMSprop"):
        numbers["momentum"] = (defaults | kwargs)["momentum"] or 1e-300
    state = make_ours(name, **numbers, **rest).init(params)
    traces = []

    @jax.jit
    def step(numbers, grads, state, params):
        traces.append(1)
        optimizer = make_ours(name, **numbers, **rest)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    theirs = task.torch_params()
    twin = torch_optimizer(name, theirs, kwargs)
    for number in range(8):
        lr = float((defaults | kwargs)["lr"]) * (1 + 0.1 * number)
        for group in twin.param_groups:
            group["lr"] = lr
        expected = task.run_torch(twin, theirs, 1, number)
        if "lr" not in numbers:
            break
        grads = task.gradient(params, jnp.sin, jnp.asarray, number)
        params, state = step({**numbers, "lr": lr}, grads, state, params)
    else:
        assert_close(params, expected, 1e-10, 1e-10)
        assert len(traces) == 1


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"Adafactor", "Muon"}))
def test_complex_parameters(name, x64, problem, make_ours, assert_close):
    task = problem(dtype="complex128")
    options = {} if name == "Rprop" else {"weight_decay": 0.1}
    params = task.torch_params()
    expected = task.run_torch(torch_optimizer(name, params, options), params, 30)
    optimizer = make_ours(name, **options)
    params = task.jax_params()
    actual, _ = task.run_jax(optimizer, params, optimizer.init(params), 30)
    assert_close(actual, expected, 1e-10, 1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_schedule_as_learning_rate(name, x64, problem, make_ours, shapes_for, assert_close):
    task = problem(shapes_for(name))
    params = task.torch_params()
    twin = torch_optimizer(name, params, {"lr": 0.1})
    scheduler = torch.optim.lr_scheduler.StepLR(twin, 3, 0.5)
    expected = task.run_torch(twin, params, 12, each=scheduler.step)
    optimizer = make_ours(name, lr=optim.schedules.step_lr(0.1, 3, 0.5))
    params = task.jax_params()
    actual, _ = task.run_jax(optimizer, params, optimizer.init(params), 12)
    assert_close(actual, expected, 1e-10, 1e-10)


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_signature_is_torchs(name):
    how = {"params", "foreach", "fused", "capturable", "differentiable"}
    theirs = inspect.signature(getattr(torch.optim, name).__init__).parameters
    theirs = {key: value.default for key, value in theirs.items() if key not in how | {"self"}}
    parameters = inspect.signature(getattr(optim, name.lower())).parameters
    assert {key: value.default for key, value in parameters.items()} == theirs


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_printing_names_the_optimizer_and_its_numbers(name):
    assert repr(getattr(optim, name.lower())(lr=0.5)).startswith(f"{name}(lr=0.5")


ERRORS = [
    *((name, {"lr": -0.5}) for name in NAMES),
    *((name, {"lr": float("nan")}) for name in NAMES if name != "SGD"),
    *((name, {"weight_decay": -1.0}) for name in NAMES if name != "Rprop"),
    *((name, {"betas": (1.0, 0.5)}) for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")),
    *((name, {"betas": (0.5, 1.0)}) for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")),
    *(
        (name, {"eps": -1.0})
        for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "NAdam", "RAdam", "RMSprop")
    ),
    ("Adadelta", {"rho": 1.1}),
    ("Adafactor", {"eps": (-1.0, 1.0)}),
    ("Adafactor", {"eps": (None, -1.0)}),
    ("Adafactor", {"d": 0.0}),
    ("Adafactor", {"beta2_decay": 0.8}),
    ("Adagrad", {"lr_decay": -0.5}),
    ("Adagrad", {"initial_accumulator_value": -0.5}),
    ("Muon", {"momentum": -1.0}),
    ("Muon", {"adjust_lr_fn": "arbitrary"}),
    ("NAdam", {"momentum_decay": -0.2}),
    ("RMSprop", {"momentum": -1.0}),
    ("RMSprop", {"alpha": -1.0}),
    ("Rprop", {"etas": (1.0, 0.5)}),
    ("SGD", {"momentum": -0.5}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.5}),
]


@pytest.mark.parametrize("name, kwargs", ERRORS)
def test_bad_numbers_raise_torchs_phrase(name, kwargs):
    with pytest.raises(ValueError) as theirs:
        getattr(torch.optim, name)([torch.zeros(2, 2)], **kwargs)
    with pytest.raises(ValueError) as mine:
        getattr(optim, name.lower())(**kwargs)
    assert str(mine.value).startswith(str(theirs.value))


def test_parameters_that_an_optimizer_cannot_take():
    with pytest.raises(ValueError, match="Muon only supports 2D parameters.*'bias'"):
        optim.muon().init({"bias": jnp.ones(3), "weight": jnp.ones((3, 2))})
    with pytest.raises(RuntimeError, match="Muon does not support complex parameters"):
        optim.muon().init(jnp.ones((3, 2), complex))
    with pytest.raises(RuntimeError, match="Adafactor does not support complex parameters.*'a'"):
        optim.adafactor().init({"a": jnp.ones((3, 2), complex)})


def test_trees_that_do_not_match_are_named():
    optimizer, params = optim.adam(), {"layer": {"weight": jnp.ones((3, 2)), "bias": jnp.ones(2)}}
    state = optimizer.init(params)
    with pytest.raises(ValueError, match="no parameters"):
        optimizer.update(params, state)
    with pytest.raises(ValueError, match="gradients have no leaf.*'bias'"):
        optimizer.update({"layer": {"weight": jnp.ones((3, 2))}}, state, params)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) at .*'weight'.*\(3, 2\)"):
        optimizer.update(
            {"layer": {"weight": jnp.ones((2, 3)), "bias": jnp.ones(2)}}, state, params
        )


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_are_kept(name, x64, make_ours):
    """Under 64 bits float32 parameters, their updates and state stay float32, also with traced
    numbers."""
    params = {"a": jnp.ones((3, 2), "float32")}
    optimizer = make_ours(name, lr=jnp.float64(0.1))
    updates, state = jax.jit(optimizer.update)(params, optimizer.init(params), params)
    assert {leaf.dtype for leaf in jax.tree.leaves((updates, state.slots))} == {
        jnp.dtype("float32")
    }


def test_an_empty_tree_is_fine():
    optimizer = optim.adam()
    updates, state = optimizer.update({}, optimizer.init({}), {})
    assert updates == {} and state.count == 1
