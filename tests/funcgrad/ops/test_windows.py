"""Windows have no samples in PyTorch's tables, so they are compared here."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad

NAMES = ["bartlett", "blackman", "hamming", "hann", "kaiser"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, 33])
@pytest.mark.parametrize("periodic", [True, False])
def test_as_torch(name, length, periodic):
    name = f"{name}_window"
    expected = getattr(torch, name)(length, periodic=periodic, dtype=torch.float32)
    found = getattr(funcgrad, name)(length, periodic=periodic, dtype=jnp.float32)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_parameters():
    found = funcgrad.hamming_window(9, False, 0.6, 0.4, dtype=jnp.float32)
    np.testing.assert_allclose(found, torch.hamming_window(9, False, 0.6, 0.4), atol=1e-6)
    found = funcgrad.kaiser_window(9, False, 5.0, dtype=jnp.float32)
    np.testing.assert_allclose(found, torch.kaiser_window(9, False, 5.0), rtol=1e-5, atol=1e-6)
