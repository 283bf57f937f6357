"""The Newton-Schulz iteration of Muon."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.optim._muon import _zeropower_via_newtonschulz

from funcgrad import optim
from funcgrad.optim._muon import orthogonalize

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (2, 6)])
def test_small_matrices_equal_torchs_bit_for_bit(shape):
    run = jax.jit(lambda matrix: orthogonalize(matrix, COEFFICIENTS, 5, 1e-7).astype("float32"))
    for seed in range(20):
        matrix = np.random.default_rng(seed).standard_normal(shape).astype("float32")
        theirs = _zeropower_via_newtonschulz(torch.from_numpy(matrix), COEFFICIENTS, 5, 1e-7)
        np.testing.assert_array_equal(run(jnp.asarray(matrix)), theirs.float().numpy())


def test_larger_matrices_differ_where_the_order_of_a_sum_decides_a_rounding():
    matrix = np.random.default_rng(0).standard_normal((64, 32)).astype("float32")
    theirs = _zeropower_via_newtonschulz(torch.from_numpy(matrix), COEFFICIENTS, 5, 1e-7)
    ours = np.asarray(orthogonalize(jnp.asarray(matrix), COEFFICIENTS, 5, 1e-7).astype("float32"))
    difference = np.abs(ours - theirs.float().numpy())
    assert (difference == 0).mean() > 0.5
    assert difference.max() < 2.0**-6


def test_a_zero_matrix_stays_zero():
    assert not np.any(orthogonalize(jnp.zeros((3, 2)), COEFFICIENTS, 5, 1e-7))


def test_bad_iterations():
    with pytest.raises(ValueError, match="Number of steps must be less than 100"):
        optim.muon(ns_steps=100)
    with pytest.raises(ValueError, match="exactly 3 values"):
        optim.muon(ns_coefficients=(1.0, 2.0))
