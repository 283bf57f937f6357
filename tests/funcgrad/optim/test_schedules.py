"""Every schedule against its PyTorch scheduler for 60 steps."""

import math
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.optim import schedules

STEPS = 60
lr_scheduler = torch.optim.lr_scheduler


def cosine_lambda(count):
    return 1.0 / (1.0 + 0.1 * count)


def readable(parameter) -> str:
    """A name for a case that is the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(parameter))


CASES = [
    ("LambdaLR", "lambda_lr", {"lr_lambda": cosine_lambda}),
    ("MultiplicativeLR", "multiplicative_lr", {"lr_lambda": cosine_lambda}),
    ("StepLR", "step_lr", {"step_size": 7}),
    ("StepLR", "step_lr", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", "multi_step_lr", {"milestones": [30, 3, 3, 17], "gamma": 0.3}),
    ("ConstantLR", "constant_lr", {}),
    ("ConstantLR", "constant_lr", {"factor": 0.25, "total_iters": 0}),
    ("LinearLR", "linear_lr", {}),
    ("LinearLR", "linear_lr", {"total_iters": 0}),
    ("LinearLR", "linear_lr", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 40}),
    ("ExponentialLR", "exponential_lr", {"gamma": 0.93}),
    ("PolynomialLR", "polynomial_lr", {}),
    ("PolynomialLR", "polynomial_lr", {"total_iters": 0}),
    ("PolynomialLR", "polynomial_lr", {"total_iters": 31, "power": 2.5}),
    ("CosineAnnealingLR", "cosine_annealing_lr", {"T_max": 13}),
    ("CosineAnnealingLR", "cosine_annealing_lr", {"T_max": 8, "eta_min": 0.02}),
    ("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", {"T_0": 9, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", {"T_0": 3, "T_mult": 2}),
    ("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", {"T_0": 1, "T_mult": 3}),
    ("CyclicLR", "cyclic_lr", {"max_lr": 0.9, "step_size_up": 6}),
    (
        "CyclicLR",
        "cyclic_lr",
        {"max_lr": 0.9, "step_size_up": 4, "step_size_down": 7, "mode": "triangular2"},
    ),
    (
        "CyclicLR",
        "cyclic_lr",
        {"max_lr": 0.9, "step_size_up": 5, "mode": "exp_range", "gamma": 0.95},
    ),
    ("CyclicLR", "cyclic_lr", {"max_lr": 0.9, "step_size_up": 5, "scale_fn": lambda x: 1 / x}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 0.9, "total_steps": 60}),
    (
        "OneCycleLR",
        "one_cycle_lr",
        {"max_lr": 0.9, "epochs": 7, "steps_per_epoch": 9, "three_phase": True},
    ),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 0.9, "total_steps": 61, "anneal_strategy": "linear"}),
    (
        "OneCycleLR",
        "one_cycle_lr",
        {"max_lr": 0.9, "total_steps": 77, "pct_start": 0.0, "div_factor": 3.0},
    ),
]
BASE = 0.3


def make_theirs(name, optimizer, options):
    options = (
        {"cycle_momentum": False, **options} if name in ("CyclicLR", "OneCycleLR") else options
    )
    options = {"base_lr": BASE, **options} if name == "CyclicLR" else options
    return getattr(lr_scheduler, name)(optimizer, **options)


def make_mine(name, options, base=BASE):
    options = options if name == "one_cycle_lr" else {"base_lr": base, **options}
    return getattr(schedules, name)(**options)


def torch_optimizer():
    return torch.optim.SGD([torch.zeros(1)], lr=BASE)


def torch_values(optimizer, scheduler, steps=STEPS):
    values = [scheduler.get_last_lr()[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
            values.append(scheduler.get_last_lr()[0])
    return np.array(values)


def jax_values(schedule, steps=STEPS):
    """Inside of a scan, and one by one; both must agree."""
    counts = jnp.arange(steps + 1)
    scanned = jax.jit(
        lambda: jax.lax.scan(lambda _, count: (None, schedule(count)), None, counts)[1]
    )()
    single = jax.jit(schedule)
    np.testing.assert_allclose([single(7), schedule(7)], scanned[jnp.array([7, 7])], 1e-6, 1e-7)
    assert scanned.dtype == jnp.asarray(0.0).dtype
    return scanned


@pytest.mark.parametrize("theirs, mine, options", CASES, ids=readable)
def test_schedule(theirs, mine, options, x64):
    optimizer = torch_optimizer()
    scheduler = make_theirs(theirs, optimizer, options)
    expected = torch_values(optimizer, scheduler)
    np.testing.assert_allclose(jax_values(make_mine(mine, options)), expected, 1e-11, 1e-15)


@pytest.mark.parametrize("theirs, mine, options", CASES, ids=readable)
def test_schedule_in_single_precision(theirs, mine, options):
    optimizer = torch_optimizer()
    scheduler = make_theirs(theirs, optimizer, options)
    expected = torch_values(optimizer, scheduler)
    scale = expected.max()
    np.testing.assert_allclose(jax_values(make_mine(mine, options)), expected, 1e-5, 1e-6 * scale)


def test_traced_numbers(x64):
    @jax.jit
    def value(base, gamma, count):
        return schedules.step_lr(base, 2, gamma)(count) + schedules.linear_lr(base, gamma)(count)

    expected = 0.3 * 0.5**2 + 0.3 * (0.5 + 0.5 * 4 / 5)
    np.testing.assert_allclose(value(0.3, 0.5, 4), expected)


CHAINS = [
    [("ConstantLR", "constant_lr", {}), ("ExponentialLR", "exponential_lr", {"gamma": 0.9})],
    [
        ("LinearLR", "linear_lr", {}),
        ("StepLR", "step_lr", {"step_size": 5}),
        ("PolynomialLR", "polynomial_lr", {"total_iters": 40}),
    ],
    [
        ("CosineAnnealingLR", "cosine_annealing_lr", {"T_max": 11, "eta_min": 0.01}),
        ("ExponentialLR", "exponential_lr", {"gamma": 0.9}),
    ],
    [
        ("ExponentialLR", "exponential_lr", {"gamma": 0.97}),
        ("CosineAnnealingLR", "cosine_annealing_lr", {"T_max": 70}),
    ],
    [
        ("LambdaLR", "lambda_lr", {"lr_lambda": cosine_lambda}),
        ("ExponentialLR", "exponential_lr", {"gamma": 0.9}),
    ],
    [
        ("ConstantLR", "constant_lr", {}),
        ("MultiplicativeLR", "multiplicative_lr", {"lr_lambda": cosine_lambda}),
    ],
]


@pytest.mark.parametrize("parts", CHAINS, ids=readable)
def test_chained(parts, x64):
    optimizer = torch_optimizer()
    chain = lr_scheduler.ChainedScheduler(
        [make_theirs(name, optimizer, opts) for name, _, opts in parts]
    )
    expected = torch_values(optimizer, chain)
    mine = schedules.chained_scheduler([make_mine(name, options) for _, name, options in parts])
    np.testing.assert_allclose(jax_values(mine), expected, 1e-11, 1e-15)


FIRST = {mine: (theirs, mine, options) for theirs, mine, options in reversed(CASES)}
SEQUENCES = [
    (["constant_lr", "exponential_lr"], [20]),
    (["linear_lr", "cosine_annealing_lr", "step_lr"], [5, 33]),
    (["lambda_lr", "multiplicative_lr", "polynomial_lr"], [10, 25]),
    (["multi_step_lr", "cosine_annealing_warm_restarts"], [12]),
    (["cyclic_lr", "lambda_lr"], [1]),
]


@pytest.mark.parametrize("names, milestones", SEQUENCES, ids=readable)
def test_sequential(names, milestones, x64):
    parts = [FIRST[name] for name in names]
    optimizer = torch_optimizer()
    sequence = lr_scheduler.SequentialLR(
        optimizer, [make_theirs(name, optimizer, opts) for name, _, opts in parts], milestones
    )
    expected = torch_values(optimizer, sequence)
    mine = schedules.sequential_lr([make_mine(name, opts) for _, name, opts in parts], milestones)
    np.testing.assert_allclose(jax_values(mine), expected, 1e-11, 1e-15)


PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5, "cooldown": 3},
    {"mode": "max", "patience": 1, "min_lr": 0.05},
    {"mode": "max", "threshold_mode": "abs", "patience": 0, "threshold": 0.2, "eps": 1e-3},
    {"threshold_mode": "abs", "patience": 3, "threshold": 0.5},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=readable)
def test_plateau(options, x64):
    metrics = np.round(np.cumsum(np.random.default_rng(3).standard_normal(STEPS)), 1)
    optimizer = torch_optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    expected = []
    for metric in metrics:
        scheduler.step(metric)
        expected.append(scheduler.get_last_lr()[0])
    plateau = schedules.reduce_lr_on_plateau(BASE, **options)

    def body(state, metric):
        state = plateau.update(state, metric)
        return state, state.lr

    _, values = jax.lax.scan(body, plateau.init(), jnp.asarray(metrics))
    np.testing.assert_allclose(values, expected, 1e-14)
    assert len(set(expected)) > 1


ERRORS = [
    ("ConstantLR", "constant_lr", {"factor": 2.0}),
    ("ConstantLR", "constant_lr", {"factor": -0.1}),
    ("LinearLR", "linear_lr", {"start_factor": 0.0}),
    ("LinearLR", "linear_lr", {"end_factor": 1.5}),
    ("MultiplicativeLR", "multiplicative_lr", {"lr_lambda": 3}),
    ("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", {"T_0": 0}),
    ("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", {"T_0": 2, "T_mult": 1.5}),
    ("CyclicLR", "cyclic_lr", {"max_lr": 1.0, "mode": "square"}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 1.0}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 1.0, "total_steps": -3}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 1.0, "epochs": 0, "steps_per_epoch": 3}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 1.0, "total_steps": 9, "pct_start": 2}),
    ("OneCycleLR", "one_cycle_lr", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "exp"}),
    ("ReduceLROnPlateau", "reduce_lr_on_plateau", {"factor": 1.0}),
    ("ReduceLROnPlateau", "reduce_lr_on_plateau", {"mode": "best"}),
    ("ReduceLROnPlateau", "reduce_lr_on_plateau", {"threshold_mode": "best"}),
]


@pytest.mark.parametrize("theirs, mine, options", ERRORS, ids=readable)
def test_errors_have_torchs_phrase(theirs, mine, options):
    with pytest.raises((ValueError, TypeError)) as expected:
        make_theirs(theirs, torch_optimizer(), options)
    with pytest.raises(expected.type) as error:
        make_mine(mine, options)
    assert str(error.value).startswith(str(expected.value).rstrip("."))


def test_errors_of_combinations():
    step = schedules.step_lr(0.1, 2)
    with pytest.raises(ValueError, match="at least one scheduler"):
        schedules.chained_scheduler([])
    with pytest.raises(ValueError, match="at least one scheduler"):
        schedules.sequential_lr([], [])
    with pytest.raises(
        ValueError, match="number of schedulers 2 and the number of milestones to be equal to 0"
    ):
        schedules.sequential_lr([step, step], [])
    with pytest.raises(TypeError, match="at index 1"):
        schedules.chained_scheduler([step, lambda count: 0.1])
    with pytest.raises(
        ValueError, match="Tried to step 10 times. The specified number of total steps is 9"
    ):
        schedules.one_cycle_lr(1.0, total_steps=9)(10)


def test_warm_restarts_are_exact_at_large_counts():
    schedule = schedules.cosine_annealing_warm_restarts(1.0, T_0=1, T_mult=2)
    for power in (10, 20, 29):
        assert float(schedule(2**power - 1)) == 1.0
        assert math.isclose(float(schedule(2**power - 2)), 0.0, abs_tol=1e-5)
