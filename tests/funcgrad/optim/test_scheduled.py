"""Numbers of an optimizer that are schedules: the momentum of PyTorch's cycling schedulers."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from funcgrad import optim
from funcgrad.optim import schedules

STEPS = 40
CYCLES = [
    {"step_size_up": 6},
    {"step_size_up": 4, "step_size_down": 7, "mode": "triangular2"},
    {"step_size_up": 5, "mode": "exp_range", "gamma": 0.95},
    {"step_size_up": 3, "scale_fn": lambda x: 1 / (1 + x), "scale_mode": "iterations"},
]
SINGLE = [
    {"total_steps": STEPS},
    {"total_steps": STEPS + 3, "three_phase": True},
    {"epochs": 6, "steps_per_epoch": 8, "anneal_strategy": "linear", "pct_start": 0.4},
]
KINDS = [("CyclicLR", "cyclic", o) for o in CYCLES] + [
    ("OneCycleLR", "one_cycle", o) for o in SINGLE
]
OPTIMIZERS = [
    ("SGD", "sgd", {"momentum": 0.7, "nesterov": True}),
    ("RMSprop", "rmsprop", {"momentum": 0.7}),
    ("Adam", "adam", {}),
    ("NAdam", "nadam", {}),
    ("AdamW", "adamw", {"amsgrad": True}),
]


def torch_run(kind, kind_options, name, options, target):
    """Parameters and momenta of real PyTorch, step by step."""
    param = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([param], lr=0.01, **options)
    rates = {"base_lr": 0.01, "max_lr": 0.05} if kind == "CyclicLR" else {"max_lr": 0.05}
    bounds = {"base_momentum": 0.55, "max_momentum": 0.8}
    scheduler = getattr(torch.optim.lr_scheduler, kind)(
        optimizer, **rates, **bounds, **kind_options
    )
    params, momenta = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(STEPS):
            group = optimizer.param_groups[0]
            momenta.append(group["betas"][0] if "betas" in group else group["momentum"])
            optimizer.zero_grad()
            ((param - torch.from_numpy(target)) ** 2).sum().backward()
            optimizer.step()
            scheduler.step()
            params.append(param.detach().numpy().copy())
    return np.array(params), np.array(momenta)


def ours(kind, kind_options, name, options):
    rates = {"base_lr": 0.01, "max_lr": 0.05} if kind == "cyclic" else {"max_lr": 0.05}
    lr = getattr(schedules, f"{kind}_lr")(**rates, **kind_options)
    momentum = getattr(schedules, f"{kind}_momentum")(
        base_momentum=0.55, max_momentum=0.8, **kind_options
    )
    options = {key: value for key, value in options.items() if key != "momentum"}
    betas = {"momentum": momentum} if name in ("sgd", "rmsprop") else {"betas": (momentum, 0.999)}
    return getattr(optim, name)(lr, **options, **betas), momentum


CASES = [(kind, OPTIMIZERS[0]) for kind in KINDS] + [
    (kind, optimizer) for kind in (KINDS[1], KINDS[-1]) for optimizer in OPTIMIZERS[1:]
]


def named(part):
    return f"{part[1]}{KINDS.index(part) if part in KINDS else ''}"


@pytest.mark.parametrize("kind, case", CASES, ids=named)
def test_momentum_cycles_with_the_rate(kind, case, x64):
    theirs, mine, kind_options = kind
    target = np.array([1.0, -2.0, 0.3])
    expected, momenta = torch_run(theirs, kind_options, case[0], case[2], target)
    assert len(set(momenta.tolist())) > 3
    optimizer, momentum = ours(mine, kind_options, case[1], case[2])
    given = jax.jit(jax.vmap(momentum))(jnp.arange(STEPS))
    np.testing.assert_allclose(given, momenta, 1e-11, 1e-15)

    @jax.jit
    def run(param):
        def body(carry, _):
            param, state = carry
            updates, state = optimizer.update(2 * (param - target), state, param)
            param = optax.apply_updates(param, updates)
            return (param, state), param

        return jax.lax.scan(body, (param, optimizer.init(param)), length=STEPS)[1]

    np.testing.assert_allclose(run(jnp.zeros(3)), expected, 1e-10, 1e-13)


def test_state_dict_has_the_present_values(x64):
    momentum = schedules.cyclic_momentum(0.5, 1.0, step_size_up=4)
    optimizer = optim.adam(schedules.cyclic_lr(0.0, 1.0, step_size_up=4), betas=(momentum, 0.99))
    params = jnp.ones(2)
    state = optimizer.init(params)
    for _ in range(3):
        _, state = optimizer.update(params, state, params)
    (group,) = optim.to_torch_state_dict(optimizer, state, params)["param_groups"]
    assert group["lr"] == 0.75 and group["betas"] == (0.625, 0.99)


def test_errors_name_what_was_passed():
    with pytest.raises(ValueError, match="mode is invalid"):
        schedules.cyclic_momentum(mode="square")
    with pytest.raises(ValueError, match="either total_steps OR"):
        schedules.one_cycle_momentum()
    with pytest.raises(ValueError, match="Invalid momentum value: -0.5"):
        optim.sgd(0.1, momentum=lambda count: -0.5)
    with pytest.raises(TypeError, match="momenta"):
        optim.sgd(0.1, momenta=0.5)
