"""One rounding, against exact rational arithmetic, where two would show."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import torch

from funcgrad.random.draws import cast
from funcgrad.random.rounding import fma32, fma64


def _nearest32(exact: Fraction) -> np.float32:
    """The nearest float32, ties to even, by comparing the neighbours of a guess exactly."""
    guess = np.float32(float(exact))
    around = (
        np.nextafter(guess, np.float32(-np.inf)),
        guess,
        np.nextafter(guess, np.float32(np.inf)),
    )
    return min(around, key=lambda x: (abs(Fraction(float(x)) - exact), int(x.view(np.uint32)) & 1))


def test_fma32_on_sums_next_to_the_middle_of_two_values():
    """1 + 2**-24 is a middle; a product of 2**-24 + 2**-54 lies above it, unseen."""
    a = np.float32([2**-24, 2**-24 + 2**-47, 2**-24 - 2**-47, 3 * 2**-24, -(2**-24) - 2**-47])
    for b in (1.0, 1 + 2**-23, 1 - 2**-24, 1 + 2**-20):
        for c in (1.0, 1 + 2**-23, -1.0):
            scale = np.float32(2**-7)
            expected = [
                _nearest32(Fraction(float(x)) * Fraction(b) + Fraction(c)) for x in a * scale
            ]
            assert fma32(np, a * scale, b, c).tolist() == [float(x) for x in expected]
            exact = [_nearest32(Fraction(float(x)) * Fraction(b) + Fraction(c)) for x in a]
            assert fma32(np, a, b, c).tolist() == [float(x) for x in exact]
            with jax.enable_x64():
                traced = jax.jit(lambda x, b=b, c=c: fma32(jnp, x, b, c))(a)
            assert traced.tolist() == [float(x) for x in exact]


def test_fma32_differs_from_two_roundings_somewhere():
    a, b = np.float32([2**-24 + 2**-47]), 1 - 2**-23 + 2**-24
    total = a.astype(np.float64) * np.float64(np.float32(b)) + 1.0
    exact = Fraction(float(a[0])) * Fraction(float(np.float32(b))) + 1
    assert fma32(np, a, b, 1.0)[0] == _nearest32(exact) and total[0] != exact


def test_fma64_on_random_and_on_hard_arguments():
    random = np.random.RandomState(0)
    a = random.rand(500)
    cases = [(a, *random.randn(2)) for _ in range(4)]
    # a * b is just off half a unit of c: only its last bits decide.
    cases.append((np.array([1 + 2**-52, 1 - 2**-53]), 2**-53 * (1 + 2**-52), 1.0))
    cases.append((np.array([1 + 2**-52, 1 - 2**-53]), 2**-53 * (1 - 2**-53), 1 + 2**-52))
    for a, b, c in cases:
        exact = [float(Fraction(x) * Fraction(b) + Fraction(c)) for x in a.tolist()]
        assert fma64(np, a, b, c).tolist() == exact
        with jax.enable_x64():
            traced = jax.jit(lambda x, b=b, c=c: fma64(jnp, x, b, c))(a)
        assert traced.tolist() == exact


def test_a_16_bit_value_is_rounded_by_way_of_float32():
    values = 1 + 2.0**-11 + np.array([2.0**-40, -(2.0**-40), 0])
    expected = torch.tensor(values).to(torch.float16)
    assert cast(values, np.dtype(np.float16)).tolist() == expected.tolist()
    assert cast(values, np.dtype(np.float16)).tolist() != values.astype(np.float16).tolist()
