"""The host samplers against PyTorch, bit for bit, and the state after every draw."""

import numpy as np
import pytest
import torch

from funcgrad import random as R

from .oracle import filling, functions, multinomials, same_bits, same_state


@pytest.mark.parametrize("n", [*range(34), 99, 100, 101, 624, 1000])
def test_a_sequence_of_all_samplers(n):
    torch.manual_seed(n)
    state = R.seed(n)
    for name, reference, ours in (*filling(n), *functions(n)):
        expected = reference()
        value, state = ours(state)
        assert same_bits(expected, value), name
        assert same_state(state), f"state after {name}"


@pytest.mark.parametrize(
    "name, dtype",
    [("rand", "float32"), ("rand", "float64"), ("randn", "float32"), ("randn", "float64")],
)
def test_a_million_values(name, dtype):
    sampler = {"rand": R.uniform, "randn": R.normal}[name]
    torch.manual_seed(11)
    expected = getattr(torch, name)(2**20 + 3, dtype=getattr(torch, dtype))
    value, state = sampler(R.seed(11), (2**20 + 3,), dtype)
    assert same_bits(expected, value) and same_state(state)


def test_a_long_permutation():
    torch.manual_seed(12)
    expected = torch.randperm(2**18)
    value, state = R.randperm(R.seed(12), 2**18)
    assert same_bits(expected, value) and same_state(state)


@pytest.mark.parametrize("seed", [0, 1, -1, 2**32, 2**32 + 1, -(2**63), 2**64 - 1, 123456789012345])
def test_seeds(seed):
    torch.manual_seed(seed)
    state = R.seed(seed)
    assert same_state(state)
    assert same_bits(torch.randn(700), R.normal(state, (700,))[0])


def test_small_draws_cross_blocks_exactly():
    torch.manual_seed(2)
    state = R.seed(2)
    for n in np.random.RandomState(0).randint(0, 300, 200).tolist():
        value, state = R.uniform(state, (n,))
        assert same_bits(torch.rand(n), value)
    assert same_state(state)


def test_an_old_state_still_gives_its_numbers():
    state = R.uniform(R.seed(5), (100,))[1]
    first, _ = R.uniform(state, (1000,))
    R.uniform(R.uniform(state, (20,))[1], (3000,))
    assert np.array_equal(first, R.uniform(state, (1000,))[0])


def test_normal_of_a_layout_that_is_not_contiguous():
    torch.manual_seed(3)
    expected = torch.empty(2, 3, 4, 5).to(memory_format=torch.channels_last).normal_()
    value, state = R.normal(R.seed(3), (2, 4, 5, 3), contiguous=False)
    assert same_bits(expected.permute(0, 2, 3, 1), value) and same_state(state)


def test_multinomial_rows():
    w = np.random.RandomState(0).rand(5, 30)
    for replace in (True, False):
        torch.manual_seed(4)
        expected = torch.multinomial(torch.tensor(w), 9, replace)
        value, state = R.multinomial(R.seed(4), w, 9, replace)
        assert same_bits(expected, value) and same_state(state)
    assert len(list(multinomials(3))) == 6


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_dropout_that_draws_nothing(p):
    mask, state = R.dropout_mask(R.seed(0), (3,), p=p)
    assert mask.tolist() == [1 - p] * 3 and state.position == 0


def test_fma_rounds_once_on_hard_cases():
    """With 1 in the float64 tail decided by the lost part, either side of the float32 middle."""
    for b in (1.7, 1e-3, 3.3e7):
        torch.manual_seed(9)
        expected = torch.empty(2**18).uniform_(-0.123, b)
        assert same_bits(expected, R.uniform(R.seed(9), (2**18,), low=-0.123, high=b)[0])


@pytest.mark.parametrize(
    "call, error, phrase",
    [
        (lambda s: R.uniform(s, (3,), low=2, high=1), RuntimeError, r"uniform_ expects to return"),
        (lambda s: R.uniform(s, (3,), np.int64), NotImplementedError, "not implemented for int64"),
        (lambda s: R.normal(s, (3,), std=-1), RuntimeError, "normal expects std >= 0.0"),
        (lambda s: R.exponential(s, (3,), rate=0), RuntimeError, "exponential_ expects lambda > 0"),
        (lambda s: R.cauchy(s, (3,), sigma=0), RuntimeError, "cauchy_ expects sigma > 0.0"),
        (lambda s: R.log_normal(s, (3,), std=0), RuntimeError, "log_normal_ expects std > 0.0"),
        (lambda s: R.geometric(s, (3,), p=0), RuntimeError, r"geometric_ expects p to be in"),
        (lambda s: R.bernoulli(s, (3,), p=2), RuntimeError, r"bernoulli_ expects p to be in"),
        (lambda s: R.dropout_mask(s, (3,), p=2), RuntimeError, "dropout probability has to be"),
        (lambda s: R.randint(s, (3,), 3, 3), RuntimeError, "expects 'from' to be less than 'to'"),
        (lambda s: R.randint(s, (3,), 0, 300, np.uint8), RuntimeError, "to - 1 is out of bounds"),
        (lambda s: R.random(s, (3,), np.uint16), NotImplementedError, "random_kernel_cpu"),
        (lambda s: R.randperm(s, -1), RuntimeError, "negative dimension -1"),
        (lambda s: R.multinomial(s, np.ones(3), 0), RuntimeError, "cannot sample n_sample <= 0"),
        (lambda s: R.multinomial(s, np.ones(3), 4), RuntimeError, "without replacement"),
        (lambda s: R.multinomial(s, np.zeros(3), 1), RuntimeError, "invalid multinomial"),
        (lambda s: R.multinomial(s, -np.ones(3), 1), RuntimeError, "element < 0"),
        (lambda s: R.multinomial(s, np.ones(3, int), 1), RuntimeError, "floating-point dtypes"),
    ],
)
def test_errors(call, error, phrase):
    with pytest.raises(error, match=phrase):
        call(R.seed(0))
