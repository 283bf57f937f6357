"""Covariances, histograms, membership, combinations."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Number
from ..signature import dtype as as_dtype
from .arithmetic import reciprocal
from .choose import clamp, where
from .complexes import is_complex, real
from .creation import new_ones
from .dims import wrap_dim
from .index import index_select
from .join import stack
from .known import holds
from .matmul import mm
from .norm import Order, _norm_self, linalg_vector_norm
from .places import diagonal
from .placing import copy_to_slice
from .powers import exp2, sqrt
from .rearrange import flip
from .reduce import sum as sum_
from .reduce import sum_dim
from .scan import cumprod
from .slicing import slice_tensor
from .view import reshape, squeeze_all, t, unsqueeze, view_size
from .with_number import mul_number


@composite()
def cov(self, *, correction=1, fweights=None, aweights=None):
    """The covariances of variables, one in each row, over observations, one in each column.

    ``fweights`` counts how often each observation was made, ``aweights`` how much it weighs.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cov(jnp.array([[0.0, 2.0], [1.0, 5.0]]))
    Array([[2., 4.],
           [4., 8.]], dtype=float32)
    """
    if self.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    x = reshape(self, (1, -1)) if self.ndim < 2 else self
    weights = fweights
    if aweights is not None:
        weights = aweights if fweights is None else fweights * aweights
    count = x.shape[1] if weights is None else sum_(weights)
    total = sum_(x, 1) if weights is None else sum_(x * weights, 1)
    centred = x - unsqueeze(total / count, 1)
    if weights is None or aweights is None or not correction:
        norm = count - correction if correction else count
    else:
        norm = count - mul_number(sum_(weights * aweights), correction) / count
    other = centred if weights is None else centred * weights
    return squeeze_all(mm(centred, t(other).conj()) / _degrees(norm))


def _degrees(count):
    """``count``, or 0 where it is less: only what is not known to be positive is clamped."""
    if isinstance(count, int | float):
        return max(count, 0)
    return count if holds(count > 0) else clamp(count, 0)


@composite()
def corrcoef(self):
    """The correlations of variables, one in each row.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.corrcoef(jnp.array([[0.0, 1.0], [1.0, 0.0]]))[0].round(3)
    Array([ 1., -1.], dtype=float32)
    """
    if self.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    c = cov(self)
    if not c.ndim:
        return c / c
    spread = sqrt(diagonal(c))
    found = c / view_size(spread, (-1, 1)) / view_size(spread, (1, -1))
    return found if is_complex(found) else clamp(found, -1, 1)


@op("_histogram_counts", face="private")
def _counts(self, weight, low, high, bins: int, density: bool):
    """How many elements are in each of ``bins`` equal parts of [low, high]."""
    flat = self.reshape(-1)
    inside = (flat >= low) & (flat <= high)
    place = ((flat - low) / (high - low) * bins).astype(jnp.int32)
    place = jnp.clip(place, 0, bins - 1)
    amount = inside if weight is None else jnp.where(inside, weight.reshape(-1), 0)
    counts = jnp.zeros(bins, self.dtype).at[place].add(amount.astype(self.dtype))
    if density:
        counts = counts / counts.sum() / ((high - low) / bins)
    return counts.astype(self.dtype)


def _bounds(self, low: float, high: float) -> tuple[float, float]:
    """The least and greatest element if both are equal; a little apart if these are equal too."""
    if low == high and 0 not in tuple(self.shape):
        low, high = float(self.min()), float(self.max())
    return (low - 1, high + 1) if low == high else (low, high)


@composite()
def histc(self, bins=100, min=0, max=0):
    """How many elements are in each of ``bins`` equal parts of [min, max]; of all if both are 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.histc(jnp.array([1.0, 2.0, 1.0]), 4, 0, 3)
    Array([0., 2., 1., 0.], dtype=float32)
    """
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    if not types.is_floating(np.dtype(self.dtype)):
        raise RuntimeError(f'"histogram_cpu" not implemented for {self.dtype}')
    if max < min:
        raise RuntimeError("max must be larger than min")
    low, high = _bounds(self, float(min), float(max))
    return _counts(self, None, low, high, bins, False)


@op("isin.Tensor_Tensor", face="private")
def isin_arrays(elements, test_elements, *, assume_unique: bool = False, invert: bool = False):
    """Whether each element is one of ``test_elements``."""
    return jnp.isin(elements, test_elements, invert=invert)


@composite(face="torch")
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each of ``elements`` is one of ``test_elements``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.isin(jnp.array([1, 2, 3]), jnp.array([2]))
    Array([False,  True, False], dtype=bool)
    """
    if isinstance(test_elements, int | float):
        return elements != test_elements if invert else elements == test_elements
    if isinstance(elements, int | float):
        same = test_elements == elements
        return ~same.any() if invert else same.any()
    return isin_arrays(elements, test_elements, invert=invert)


@op("signbit")
def signbit(self):
    """Whether the sign is negative; true of -0.0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.signbit(jnp.array([-0.0, 1.0]))
    Array([ True, False], dtype=bool)
    """
    if types.is_floating(self.dtype):
        return jnp.signbit(self)
    return jnp.zeros(self.shape, bool) if self.dtype == jnp.bool_ else self < 0


@composite(face="torch")
def combinations(input, r=2, with_replacement=False):
    """All choices of ``r`` elements of a vector, in order, one in each row.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.combinations(jnp.array([1, 2, 3]))
    Array([[1, 2],
           [1, 3],
           [2, 3]], dtype=int32)
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    columns = [index_select(input, 0, jnp.asarray(places[:, i])) for i in range(r)]
    return stack(columns, 1) if columns else reshape(input[:0], (0,))


@composite(face="torch")
def vander(x, N=None, increasing=False):
    """The powers of each element, from the highest down unless ``increasing``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.vander(jnp.array([2, 3]))
    Array([[2, 1],
           [3, 1]], dtype=int32)
    """
    count = x.shape[0] if N is None else N
    dtype = types.promote_types(as_dtype(x.dtype), np.int64)
    powers = new_ones(x, (x.shape[0], count), dtype=dtype)
    if count > 1:
        powers = copy_to_slice(powers, unsqueeze(x, 1), 1, 1, count - 1)
        product = cumprod(slice_tensor(powers, 1, 1), 1)
        powers = copy_to_slice(powers, product, 1, 1)
    return powers if increasing else flip(powers, (1,))


@composite(face="torch")
def unravel_index(indices, shape):
    """The coordinates of flat indices into an array of ``shape``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unravel_index(jnp.array([5]), (2, 3))
    (Array([1], dtype=int32), Array([2], dtype=int32))
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    found = []
    for size in reversed(sizes):
        found.append(indices % size)
        indices = indices // size
    return tuple(reversed(found))


def _renorm_self(grad, self, p, dim, maxnorm):
    """A slice that is not scaled down passes its gradient on."""
    others = [d for d in range(self.ndim) if d != wrap_dim(dim, self.ndim)]
    norm = linalg_vector_norm(self, p, others, True)
    scaled = norm > maxnorm
    self, norm = where(scaled, self, 0.0), where(scaled, norm, 1.0)
    along = sum_dim(real(self.conj() * grad), others, True)
    slope = _norm_self(along, self, p, others, True, norm)
    inverse = reciprocal(norm + 1e-7)
    return where(scaled, inverse * maxnorm * (grad - inverse * slope), grad)


@op("renorm", grad_fn="RenormBackward0", inplace=True, vjp=dict(self=_renorm_self))
def renorm(self, p: Order, dim: int, maxnorm: Number):
    """Each slice along ``dim`` scaled down to a norm of at most ``maxnorm``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.renorm(jnp.array([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1.0).round(3)
    Array([[0.6, 0.8],
           [0. , 1. ]], dtype=float32)
    """
    if p <= 0:
        raise RuntimeError("non-positive-norm not supported")
    if self.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {self.ndim} dimensions")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    others = [d for d in range(self.ndim) if d != wrap_dim(dim, self.ndim)]
    norms = linalg_vector_norm.fn(self, p, others, True)
    scale = jnp.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)
    return self * scale.astype(self.dtype)


def _frexp_self(grad_mantissa, exponent):
    return grad_mantissa / exp2(exponent)


@op("frexp.Tensor", grad_fn="FrexpBackward0", outputs=("mantissa", "exponent"),
    vjp=dict(self=_frexp_self))  # fmt: skip
def frexp(self):
    """``self = mantissa * 2 ** exponent`` with mantissas from 0.5 to 1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.frexp(jnp.array([6.0]))
    (Array([0.75], dtype=float32), Array([3], dtype=int32))
    """
    if not types.is_floating(self.dtype):
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return tuple(jnp.frexp(self))
