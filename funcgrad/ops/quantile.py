"""Quantiles, composed of a sort, two gathers and an interpolation, as in ATen."""

from __future__ import annotations

import numpy as np

from ..composite import composite
from .blend import lerp_tensor
from .compare import isnan, logical_not
from .copying import to_dtype
from .creation import full_like, scalar_tensor
from .dims import wrap_dim
from .extrema import any_dim
from .mask import masked_fill
from .reduce import sum_dim
from .rounding import ceil, floor, round_whole
from .scatter import gather
from .shape import broadcast_tensors, flatten
from .sort import sort_default
from .view import (
    _squeeze_result,
    _transpose_result,
    _unsqueeze_result,
    transpose,
    unsqueeze,
    view_size,
)
from .with_number import mul_number


def _ranks(ranked, q, skip_nan: bool):
    """Where the quantiles lie in the last dimension; on the nan if there is one."""
    last, missing = ranked.shape[-1] - 1, isnan(ranked)
    if skip_nan:
        ranks = q * (sum_dim(logical_not(missing), -1, True) - 1)
        return masked_fill(ranks, ranks < 0, 0)
    ranks, missing = broadcast_tensors(mul_number(q, last), any_dim(missing, -1, True))
    return masked_fill(ranks, missing, last)


def _interpolated(ranked, ranks, interpolation: str):
    """The elements at ``ranks``, or what lies between their neighbours."""
    if interpolation in _ROUNDING:
        ranks = _ROUNDING[interpolation](ranks)

    def at(places):
        return gather(ranked, -1, places)

    below = to_dtype(ranks, np.int64)
    low = at(below)
    if interpolation in _ROUNDING:
        return low
    weight = full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
    return lerp_tensor(low, at(to_dtype(ceil(ranks), np.int64)), weight)


_ROUNDING = {"lower": floor, "higher": ceil, "nearest": round_whole}


def _quantile(name: str, self, q, dim, keepdim: bool, interpolation: str, skip_nan: bool):
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if 0 in self.shape:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if isinstance(q, float | int):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = scalar_tensor(q, dtype=self.dtype)
    rank = self.ndim
    if dim is None:
        ranked, shape = flatten(self), (1,) * (rank if keepdim else 0)
    else:
        dim = wrap_dim(dim, rank)
        kept = (1,) if keepdim and rank else ()
        shape = (*self.shape[:dim], *kept, *self.shape[dim + 1 :])
        ranked = self if dim == rank - 1 else transpose(unsqueeze(self, -1), dim, -1)
    ranked = sort_default(ranked, -1)[0]
    ranked = view_size(ranked, (*shape, ranked.shape[-1]))
    found = _interpolated(ranked, _ranks(ranked, q, skip_nan), interpolation)
    if not q.ndim:
        return _squeeze_result(found, -1)
    return _squeeze_result(_transpose_result(_unsqueeze_result(found, 0), 0, -1), -1)


@composite()
def quantile(self, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The ``q``-th quantiles along ``dim`` (None: of all elements); nan if there is a nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.quantile(jnp.array([1.0, 2.0, 4.0]), 0.75)
    Array(3., dtype=float32)
    """
    return _quantile("quantile", self, q, dim, keepdim, interpolation, False)


@composite()
def nanquantile(self, q, dim=None, keepdim=False, *, interpolation="linear"):
    """`quantile` of the elements that are not nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nanquantile(jnp.array([1.0, jnp.nan, 3.0]), 0.5)
    Array(2., dtype=float32)
    """
    return _quantile("nanquantile", self, q, dim, keepdim, interpolation, True)
