"""Run one transform under torch.func and under funcgrad and compare everything that comes out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch


def to_torch(tree):
    """Arrays to tensors; the rest stays."""
    if isinstance(tree, dict):
        return {key: to_torch(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(to_torch(value) for value in tree)
    if isinstance(tree, np.ndarray | jax.Array):
        return torch.tensor(np.asarray(tree))
    return tree


def to_numpy(tree):
    """Tensors and JAX arrays to numpy; the rest stays."""
    if isinstance(tree, dict):
        return {key: to_numpy(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(to_numpy(value) for value in tree)
    if isinstance(tree, torch.Tensor):
        return tree.detach().resolve_conj().numpy()
    return np.asarray(tree) if isinstance(tree, jax.Array) else tree


@pytest.fixture
def same():
    def check(ours, theirs, rtol=1e-5, atol=1e-6):
        ours, theirs = to_numpy(ours), to_numpy(theirs)
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        for mine, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
            assert np.shape(mine) == np.shape(other)
            assert np.asarray(mine).dtype == np.asarray(other).dtype
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=atol)

    return check


@pytest.fixture
def error_of():
    def message(call):
        with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)) as caught:
            call()
        return caught.type, str(caught.value)

    return message


@pytest.fixture
def real():
    return jnp.array([1.0, 2.0, 3.0])


@pytest.fixture
def complex_():
    return jnp.array([1 + 2j, 3 - 1j], jnp.complex64)
