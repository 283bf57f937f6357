"""The 5056 bytes, both ways, and the two forms of a state."""

import jax
import numpy as np
import pytest
import torch

from funcgrad import random as R


def test_bytes_with_a_kept_normal_go_both_ways():
    torch.manual_seed(6)
    torch.rand(1000)
    torch.randn(3)
    expected = torch.get_rng_state().numpy()
    state = R.from_bytes(expected)
    assert state.has_next_normal
    assert np.array_equal(R.to_bytes(state), expected)
    value, state = R.log_normal(state, (3,))
    assert np.array_equal(torch.empty(3).log_normal_().numpy(), value)
    torch.set_rng_state(torch.from_numpy(R.to_bytes(state)))
    assert np.array_equal(torch.randn(50).numpy(), R.normal(state, (50,))[0])


@pytest.mark.parametrize("draws", [0, 1, 623, 624, 625, 1248])
def test_bytes_at_the_edges_of_a_block(draws):
    torch.manual_seed(8)
    torch.rand(draws)
    state = R.uniform(R.seed(8), (draws,))[1]
    assert np.array_equal(R.to_bytes(state), torch.get_rng_state().numpy())
    again = R.to_host(R.to_traced(R.from_bytes(R.to_bytes(state))))
    assert np.array_equal(R.to_bytes(again), R.to_bytes(state))


@pytest.mark.parametrize(
    "data, error, phrase",
    [
        (np.zeros(5, np.uint8), RuntimeError, "of size 5056 but found .* size to be 5"),
        (np.zeros(5056, np.uint8), RuntimeError, "Invalid mt19937 state"),
        (np.zeros(5056, np.float32), TypeError, "must be a torch.ByteTensor"),
    ],
)
def test_wrong_bytes(data, error, phrase):
    with pytest.raises(error, match=phrase):
        R.from_bytes(data)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_that_is_too_large(seed):
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        R.seed(seed)


def test_a_block_cannot_be_written():
    state = R.uniform(R.seed(0), (5,))[1]
    for one in (R.seed(0), state, R.to_host(R.to_traced(state))):
        with pytest.raises(ValueError, match="read-only"):
            one.block[0] = 1


def test_a_state_is_a_pytree_of_five():
    assert len(jax.tree.leaves(R.to_traced(R.seed(2**64 - 1)))) == 5
    assert R.to_host(R.to_traced(R.seed(2**64 - 1))).seed == 2**64 - 1
