"""The traced samplers against the host ones."""

import jax
import numpy as np
import pytest

from funcgrad import random as R

N = 700
EXACT = {
    "uniform": lambda s: R.uniform(s, (N,)),
    "uniform float64": lambda s: R.uniform(s, (N,), np.float64),
    "uniform bounds": lambda s: R.uniform(s, (N,), np.float32, -0.3, 1.7),
    "uniform bounds float64": lambda s: R.uniform(s, (N,), np.float64, -0.3, 1.7),
    "normal": lambda s: R.normal(s, (N,)),
    "normal float16": lambda s: R.normal(s, (N + 5,), np.float16, 0.3, 1.7),
    "normal mean std": lambda s: R.normal(s, (N + 1,), np.float32, 0.3, 1.7),
    "exponential": lambda s: R.exponential(s, (N,)),
    "bernoulli": lambda s: R.bernoulli(s, (N,), np.bool_, 0.3),
    "dropout": lambda s: R.dropout_mask(s, (N,), np.float32, 0.3),
    "randint": lambda s: R.randint(s, (N,), -3, 50),
    "randint wide": lambda s: R.randint(s, (N,), -3, 2**40),
    "random": lambda s: R.random(s, (N,)),
    "randperm": lambda s: R.randperm(s, N),
    "geometric": lambda s: R.geometric(s, (N,), np.int64, 0.2),
    "trunc_normal": lambda s: R.trunc_normal(s, (N,)),
    "multinomial": lambda s: R.multinomial(s, np.arange(1.0, 9, dtype=np.float32), 5),
    "multinomial rows": lambda s: R.multinomial(s, np.arange(1.0, 9).reshape(2, 4), 50, True),
}


@pytest.mark.parametrize("name", EXACT)
def test_bits_are_those_of_the_host(name):
    state = R.normal(R.seed(1), (3,))[1]
    expected, after = EXACT[name](state)
    value, traced = jax.jit(EXACT[name])(R.to_traced(state))
    assert value.dtype == expected.dtype
    assert np.asarray(value).tobytes() == expected.tobytes()
    assert np.array_equal(R.to_bytes(traced), R.to_bytes(after))


@pytest.mark.parametrize("sampler", [R.normal, R.exponential])
def test_float64_is_within_one_unit_in_the_last_place(sampler):
    """XLA's logarithm, sine and cosine are not always the C library's."""
    expected, _ = sampler(R.seed(2), (N,), np.float64)
    traced = R.to_traced(R.seed(2))
    value = np.asarray(jax.jit(lambda s: sampler(s, (N,), np.float64))(traced)[0])
    assert np.all(np.abs(value - expected) <= np.spacing(np.abs(expected)))


def test_the_kept_normal_travels_through_scan():
    def step(state, _):
        value, state = R.normal(state, (3,))
        return state, value

    state, values = jax.lax.scan(step, R.to_traced(R.seed(3)), None, length=301)
    host = R.seed(3)
    for value in values:
        expected, host = R.normal(host, (3,))
        assert np.array_equal(value, expected)
    assert R.to_host(state).position == host.position
    assert bool(state.has_next_normal) is host.has_next_normal is True


def test_vmap_over_seeds():
    states = [R.to_traced(R.seed(s)) for s in range(4)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *states)
    with jax.enable_x64():
        values, _ = jax.vmap(lambda s: R.uniform(s, (5,)))(jax.tree.map(jax.numpy.asarray, stacked))
    for s in range(4):
        assert np.array_equal(values[s], R.uniform(R.seed(s), (5,))[0])


def test_no_64_bit_setting_leaks():
    jax.jit(lambda s: R.normal(s, (20,), np.float64))(R.to_traced(R.seed(0)))
    assert jax.numpy.ones(3).dtype == np.float32
