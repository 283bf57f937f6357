"""Quantiles, composed of a sort, two gathers and an interpolation, as in ATen."""

from __future__ import annotations

from .. import types
from ..composite import composite
from .blend import lerp_tensor
from .choose import where
from .compare import isnan
from .copying import to_dtype
from .creation import scalar_tensor
from .dims import wrap_dim
from .extrema import any_dim
from .reduce import sum_dim
from .rounding import ceil, floor, round_whole
from .scatter import gather
from .shape import movedim
from .sort import sort_default
from .view import expand, reshape, squeeze_dim, unsqueeze


def _ranks(ranked, q, skip_nan: bool):
    """Where the quantiles lie in the last dimension; on the nan if there is one."""
    count = ranked.shape[-1]
    missing = isnan(ranked)
    if skip_nan:
        numbers = to_dtype(sum_dim(~missing, -1, True), ranked.dtype)
        ranks = q * (numbers - 1)
        return where(ranks < 0, 0.0, ranks)
    return where(any_dim(missing, -1, True), float(count - 1), q * (count - 1))


def _interpolated(ranked, ranks, interpolation: str):
    """The elements at ``ranks``, or what lies between their neighbours."""
    if interpolation == "nearest":
        ranks = round_whole(ranks)

    def at(ranks):
        return gather(ranked, ranked.ndim - 1, to_dtype(ranks, types.index_dtype()))

    low, high = at(floor(ranks)), at(ceil(ranks))
    if interpolation in ("lower", "nearest"):
        return low
    if interpolation == "higher":
        return high
    weight = ranks - floor(ranks)
    return lerp_tensor(low, high, weight * 0 + 0.5 if interpolation == "midpoint" else weight)


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
    if dim is None or not rank:
        x = reshape(self, (-1,))
    else:
        dim = wrap_dim(dim, rank)
        x = movedim(self, dim, -1)
    ranked = sort_default(x, -1)[0]
    ranks = _ranks(ranked, reshape(q, (-1,)), skip_nan)
    ranks = expand(ranks, (*x.shape[:-1], ranks.shape[-1]))
    result = movedim(_interpolated(ranked, ranks, interpolation), -1, 0)
    if keepdim and rank:
        ones = (1,) * rank
        result = unsqueeze(result, dim + 1) if dim is not None else reshape(result, (-1, *ones))
    return result if q.ndim else squeeze_dim(result, 0)


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
