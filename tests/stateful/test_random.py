"""`Generator` and the default generator against PyTorch's."""

import copy
import pickle

import jax
import numpy as np
import pytest
import torch

import stateful
from funcgrad import random as pure
from stateful import random


def test_a_generator_draws_what_pytorch_draws():
    ours, theirs = random.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    for n in (3, 100, 5, 40):
        assert np.array_equal(
            ours.draw(pure.normal, (n,)), torch.randn(n, generator=theirs).numpy()
        )
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    assert ours.initial_seed() == theirs.initial_seed() == 5


def test_the_state_is_a_tensor_that_goes_both_ways():
    ours, theirs = stateful.manual_seed(7), torch.manual_seed(7)
    assert isinstance(stateful.get_rng_state(), stateful.Tensor)
    assert stateful.get_rng_state().tolist() == torch.get_rng_state().tolist()
    assert ours.get_state().dtype is stateful.uint8
    before = stateful.get_rng_state()
    first = stateful.rand(5)
    stateful.set_rng_state(before.clone())
    assert stateful.rand(5).tolist() == first.tolist() == torch.rand(5, generator=theirs).tolist()


def test_a_new_generator_has_pytorchs_seed():
    assert random.Generator().initial_seed() == torch.Generator().initial_seed()


def test_state_of_pytorch_is_accepted():
    theirs = torch.Generator().manual_seed(1)
    torch.rand(10, generator=theirs)
    ours = random.Generator()
    ours.set_state(theirs.get_state())
    assert np.array_equal(ours.draw(pure.uniform, (4,)), torch.rand(4, generator=theirs).numpy())


@pytest.mark.parametrize(
    "duplicate",
    [random.Generator.clone_state, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))],
)
def test_copies_are_independent(duplicate):
    one = random.Generator().manual_seed(2)
    other = duplicate(one)
    first = one.draw(pure.uniform, (4,))
    assert np.array_equal(first, other.draw(pure.uniform, (4,)))
    one.draw(pure.uniform, (4,))
    assert one.state.position != other.state.position


def test_a_traced_state_carries_a_jitted_step():
    generator = random.Generator().manual_seed(7)

    @jax.jit
    def step(state):
        generator.state = state
        value = generator.draw(pure.normal, (3,)) + generator.draw(pure.uniform, (3,))
        return value, generator.state

    state = pure.to_traced(generator.state)
    for _ in range(3):
        value, state = step(state)
    generator.state = state
    theirs = torch.Generator().manual_seed(7)
    for _ in range(3):
        expected = torch.randn(3, generator=theirs) + torch.rand(3, generator=theirs)
    assert np.array_equal(value, expected.numpy())
    state = pure.from_bytes(theirs.get_state())
    assert np.array_equal(generator.state.block, state.block)
    assert generator.state.position == state.position
    # float64: XLA's logarithm and C's log1p may differ in the last place.
    assert np.isclose(generator.state.next_normal, state.next_normal, rtol=1e-15, atol=0)


def test_fork_rng_restores_unless_disabled():
    random.manual_seed(3)
    with random.fork_rng():
        inside = random.default_generator.draw(pure.uniform, (2,))
    assert np.array_equal(inside, random.default_generator.draw(pure.uniform, (2,)))
    with random.fork_rng(enabled=False):
        random.manual_seed(9)
    assert random.initial_seed() == 9


def test_seed_cannot_be_foreseen():
    assert random.seed() != random.seed()


def test_wrong_arguments():
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got float"):
        random.Generator().manual_seed(2.5)
    with pytest.raises(RuntimeError, match="Cannot get a generator for 'cuda'"):
        random.Generator("cuda")
