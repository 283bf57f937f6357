"""Every workload of the benchmarks trains in the same way under torch, stateful and JAX."""

from functools import cache

import jax
import numpy as np
import pytest
import torch

import stateful
from benchmarks import workloads_jax, workloads_torch
from benchmarks.columns import COLUMNS, IMPORTS
from benchmarks.rows import ROWS, chosen
from benchmarks.targets import verdicts

SIZES = {
    "tiny_mlp": {},
    "two_layer": {"batch": 3, "inputs": 6, "hidden": 5, "outputs": 2},
    "polynomial": {"points": 8},
    "recurrent": {"steps": 3, "batch": 2, "inputs": 3, "hidden": 4},
    "transformer": {"layers": 1, "width": 8, "tokens": 4, "batch": 2, "heads": 2},
    "convolutional": {"batch": 2, "size": 8, "channels": 2, "classes": 3},
    "gradient_penalty": {"batch": 3, "inputs": 4, "hidden": 5},
    "pointwise": {"ops": 10, "elements": 4},
    "matmul": {"size": 5},
}
STEPS = 3


@cache
def expected(name: str) -> np.ndarray:
    step = getattr(workloads_torch, name)(torch, **SIZES[name])
    return np.array([step().item() for _ in range(STEPS)])


def test_every_workload_is_tested():
    assert {row.workload for row in ROWS.values()} == set(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_stateful_trains_as_torch(name):
    step = getattr(workloads_torch, name)(stateful, **SIZES[name])
    losses = [step().item() for _ in range(STEPS)]
    np.testing.assert_allclose(losses, expected(name), rtol=2e-5)


@pytest.mark.parametrize("name", SIZES)
def test_jax_trains_as_torch(name):
    workload = getattr(workloads_jax, name)(**SIZES[name])
    batches = [workload.batch] * STEPS
    if workload.sample is not None:  # another generator: give JAX the batches that torch draws
        torch.manual_seed(0)
        points = SIZES[name]["points"]
        batches = [{"x": (torch.rand(points) * 6 - 3).numpy()} for _ in range(STEPS)]
        workload = workload._replace(sample=None)
    state, losses, step = workload.start(), [], jax.jit(workloads_jax.update(workload))
    for batch in batches:
        state, loss = step(state, batch)
        losses.append(float(loss))
    np.testing.assert_allclose(losses, expected(name), rtol=2e-5)


def test_losses_fall_or_move():
    assert all(len(set(expected(name))) == STEPS for name in SIZES)


def test_a_letter_stands_for_all_its_sizes():
    names = [row.name for row in chosen(["a", "h", "i8"])]
    assert names == ["a", "h10", "h100", "h1000", "h10000", "i8"]
    with pytest.raises(ValueError, match="unknown row 'z'"):
        chosen(["z"])


def test_every_column_names_its_imports():
    assert set(COLUMNS) == set(IMPORTS)


def test_verdicts():
    """Row b is held against torch, or against JAX where that is slower than torch."""

    def cells(stateful_time, jax_time):
        times = {"torch": 100.0, "stateful": stateful_time, "jax": jax_time}
        return {"b": {column: {"microseconds": time} for column, time in times.items()}}

    (fast,) = verdicts(cells(90.0, 50.0))
    assert (fast.found, fast.limit, fast.is_met) == (0.9, 1.0, True)
    (slow,) = verdicts(cells(120.0, 110.0))
    assert slow.limit == 1.1 and slow.is_met
    (missed,) = verdicts(cells(130.0, 110.0))
    assert not missed.is_met
