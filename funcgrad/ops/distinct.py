"""Distinct elements.

Everything is a question about the rows of a matrix: an element is a row of one, a slice is a row of
many. How many rows are distinct depends on values, so that number is asked for first.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Size
from ..signature import dtype as as_dtype
from .dims import wrap_dim
from .reduce import sum_all
from .shape import movedim
from .view import reshape


@op("_row_order", face="private")
def _row_order(rows):
    """The places of ``rows`` in lexicographic order: sorted by the last column first, stably."""

    def by_column(order, column):
        return order[jnp.argsort(column[order], stable=True)], None

    order = jnp.arange(rows.shape[0], dtype=types.index_dtype())
    return lax.scan(by_column, order, rows.T, reverse=True)[0]


@op("_run_starts", face="private")
def _run_starts(rows):
    """Whether a row differs from the one before it; every nan differs."""
    changed = (rows[1:] != rows[:-1]).any(1)
    return jnp.concatenate([jnp.ones(min(rows.shape[0], 1), bool), changed])


@op("_take_rows", face="private")
def _take_rows(rows, order):
    """The ``rows`` at ``order``."""
    return rows[order]


@op("_runs", face="private", outputs=("output", "inverse_indices", "counts"))
def _runs(rows, starts, count: int, dim: int, shape: Size, placed: Size, order=None):
    """The first row of each of ``count`` runs, the run of every row, and how long the runs are.

    ``order`` says where a row was before sorting. A row is a slice of ``shape`` along ``dim``; the
    runs of the rows have the shape ``placed``.
    """
    first = jnp.nonzero(starts, size=count)[0]
    run = (jnp.cumsum(starts) - 1).astype(types.index_dtype())
    inverse = run if order is None else jnp.zeros_like(run).at[order].set(run)
    counts = jnp.diff(first, append=rows.shape[0]).astype(types.index_dtype())
    found = jnp.moveaxis(rows[first].reshape(count, *shape), 0, dim)
    return found, inverse.reshape(placed), counts


def _distinct(input, dim, return_inverse: bool, return_counts: bool, in_order: bool):
    """The values alone, or a tuple of them and what was asked for."""
    if in_order and as_dtype(input.dtype).kind == "c":
        raise NotImplementedError(f"\"unique\" not implemented for '{input.dtype}': no order")
    if dim is None:
        rows = reshape(input, (math.prod(input.shape), 1))
        layout = 0, (), tuple(input.shape)
    else:
        if not input.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        dim = wrap_dim(dim, input.ndim)
        front = movedim(input, dim, 0)
        rest = math.prod(front.shape[1:])
        if not rest:
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be "
                f"applied: dim={dim} of shape {list(input.shape)}"
            )
        rows = reshape(front, (front.shape[0], rest))
        layout = dim, tuple(front.shape[1:]), (front.shape[0],)
    order = _row_order(rows) if in_order else None
    rows = rows if order is None else _take_rows(rows, order)
    starts = _run_starts(rows)
    values, inverse, counts = _runs(rows, starts, int(sum_all(starts)), *layout, order)
    rest = [x for x, wanted in ((inverse, return_inverse), (counts, return_counts)) if wanted]
    return (values, *rest) if rest else values


@composite()
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements (slices along ``dim``) in order, where each is, how many there are.

    They are in order also if not ``sorted``; the number of them needs values.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unique(jnp.array([3, 1, 3]), return_counts=True)
    (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    return _distinct(input, dim, return_inverse, return_counts, in_order=True)


@composite()
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The first of every run of equal elements (slices along ``dim``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unique_consecutive(jnp.array([3, 3, 1, 3]))
    Array([3, 1, 3], dtype=int32)
    """
    return _distinct(input, dim, return_inverse, return_counts, in_order=False)
