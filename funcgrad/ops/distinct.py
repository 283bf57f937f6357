"""Distinct elements. Their number depends on values, so nothing here can be traced."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .. import types
from ..composite import composite
from ..op import op


def _indices(found, wanted: bool):
    """What was not asked for comes back empty, as in ATen."""
    return jnp.asarray(found if wanted else (), types.index_dtype())


@op("_unique2", face="private", outputs=("output", "inverse_indices", "counts"))
def _unique2(self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False):
    """The distinct elements in order."""
    x = np.asarray(self)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, equal_nan=False)
    inverse = _indices(inverse.reshape(x.shape), return_inverse or return_counts)
    return jnp.asarray(values), inverse, _indices(counts, return_counts)


@op("unique_dim", face="private", outputs=("output", "inverse_indices", "counts"))
def _unique_dim(
    self, dim: int, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
):
    """The distinct slices along ``dim`` in order."""
    x = np.asarray(self)
    values, inverse, counts = np.unique(x, axis=dim, return_inverse=True, return_counts=True)
    return jnp.asarray(values), _indices(inverse.reshape(-1), True), _indices(counts, True)


@op("unique_consecutive", face="private", outputs=("output", "inverse_indices", "counts"))
def _unique_consecutive(
    self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
):
    """The first of every run of equal elements or slices."""
    x = np.asarray(self)
    flat = x.reshape(-1) if dim is None else np.moveaxis(x, dim, 0)
    rows = flat.reshape(flat.shape[0], -1)
    starts = np.ones(flat.shape[0], bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(1)
    values = flat[starts] if dim is None else np.moveaxis(flat[starts], 0, dim)
    inverse = (np.cumsum(starts) - 1).reshape(x.shape if dim is None else -1)
    counts = np.diff(np.append(np.flatnonzero(starts), starts.size))
    return jnp.asarray(values), _indices(inverse, return_inverse), _indices(counts, return_counts)


def _asked(outputs, return_inverse: bool, return_counts: bool):
    """The values alone, or a tuple of them and what was asked for."""
    values, inverse, counts = outputs
    rest = [x for x, wanted in ((inverse, return_inverse), (counts, return_counts)) if wanted]
    return (values, *rest) if rest else values


@composite()
def unique(self, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements (slices along ``dim``) in order, where each is, how many there are.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unique(jnp.array([3, 1, 3]), return_counts=True)
    (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    if dim is None:
        outputs = _unique2(self, sorted, return_inverse, return_counts)
    else:
        outputs = _unique_dim(self, dim, sorted, return_inverse, return_counts)
    return _asked(outputs, return_inverse, return_counts)


@composite()
def unique_consecutive(self, return_inverse=False, return_counts=False, dim=None):
    """The first of every run of equal elements (slices along ``dim``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unique_consecutive(jnp.array([3, 3, 1, 3]))
    Array([3, 1, 3], dtype=int32)
    """
    outputs = _unique_consecutive(self, return_inverse, return_counts, dim)
    return _asked(outputs, return_inverse, return_counts)
