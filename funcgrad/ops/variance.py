"""Variance and standard deviation."""

from __future__ import annotations

import math
import warnings

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Scalar, Size
from .choose import masked_fill_scalar, where
from .reduce import dims_of, mean_all, mean_dim, mean_of, restore


def _degrees(shape, dim, correction):
    """How many elements count, less the correction (1 if None)."""
    count = math.prod(shape[i] for i in dims_of(dim, len(shape)))
    return count - (1 if correction is None else correction)


def _var_self(grad, self, dim, correction, keepdim):
    """Without degrees of freedom the gradient is nan at the mean and infinite elsewhere.

    Over all elements it is so below zero degrees too, and infinite with the sign of ``grad``.
    """
    degrees = _degrees(self.shape, dim, correction)
    known = isinstance(degrees, int | float)
    slope = math.inf if known and degrees == 0 else 2.0 / degrees
    if dim is not None:
        grad = restore(grad, dim, keepdim, self.ndim) if self.ndim > 1 else grad
        return slope * grad * (self - mean_dim(self, dim, True))
    distance = self - mean_all(self)
    if known and degrees > 0:
        return slope * grad * distance
    steep = masked_fill_scalar(grad * math.inf * (distance == distance), distance == 0, math.nan)
    return steep if known else where(degrees <= 0, steep, slope * grad * distance)


def _moments(self, dim, correction, keepdim):
    """The variance and the mean over some dimensions."""
    if not types.is_differentiable(self.dtype):
        raise RuntimeError(
            f"std and var only support floating point and complex dtypes, got {self.dtype}"
        )
    dims = dims_of(dim, self.ndim)
    count = math.prod(self.shape[i] for i in dims)
    mean = jnp.sum(self, dims, keepdims=True) / count
    distance = self - mean
    square = jnp.real(distance * jnp.conj(distance))
    degrees = jnp.maximum(_degrees(self.shape, dim, correction), 0)
    variance = jnp.sum(square, dims, keepdims=keepdim) / degrees.astype(square.dtype)
    return variance, mean if keepdim else jnp.squeeze(mean, dims)


@op("var.correction", grad_fn="VarBackward0", face="private", vjp=dict(self=_var_self))
def var_correction(
    self, dim: Size | None = None, *, correction: Scalar | None = None, keepdim: bool = False
):
    """The variance over some dimensions."""
    return _moments(self, dim, correction, keepdim)[0]


def _std_self(result, grad, self, dim, correction, keepdim):
    """0 where the deviation is 0."""
    grad = masked_fill_scalar(grad / (result * 2), result == 0, 0)
    return _var_self(grad, self, dim, correction, keepdim)


@op("std.correction", grad_fn="StdBackward0", face="private", vjp=dict(self=_std_self))
def std_correction(
    self, dim: Size | None = None, *, correction: Scalar | None = None, keepdim: bool = False
):
    """The standard deviation over some dimensions."""
    return jnp.sqrt(_moments(self, dim, correction, keepdim)[0])


@op(
    "var_mean.correction", grad_fn="VarMeanBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad_result0, grad_result1, self, dim, correction, keepdim: (
        _var_self(grad_result0, self, dim, correction, keepdim)
        + mean_of(grad_result1, self.shape, dim, keepdim)
    )),
)  # fmt: skip
def var_mean_correction(
    self, dim: Size | None = None, *, correction: Scalar | None = None, keepdim: bool = False
):
    """The variance and the mean over some dimensions."""
    return _moments(self, dim, correction, keepdim)


@op(
    "std_mean.correction", grad_fn="StdMeanBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad_result0, grad_result1, self, result0, dim, correction, keepdim: (
        _std_self(result0, grad_result0, self, dim, correction, keepdim)
        + mean_of(grad_result1, self.shape, dim, keepdim)
    )),
)  # fmt: skip
def std_mean_correction(
    self, dim: Size | None = None, *, correction: Scalar | None = None, keepdim: bool = False
):
    """The standard deviation and the mean over some dimensions."""
    variance, mean = _moments(self, dim, correction, keepdim)
    return jnp.sqrt(variance), mean


def _arguments(dim, unbiased, keepdim, correction):
    """PyTorch's three signatures as one; ``var(x, False)`` means ``unbiased=False``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    elif dim is not None and correction is None:
        correction = 1  # the signature with a dimension has a number, and nodes show it
    return dim, dict(correction=correction, keepdim=keepdim)


def _warn_of_degrees(name, self, dim, correction, keepdim):
    """Warn where nothing is left to divide by; for the two parts of complex numbers apart."""
    degrees = _degrees(self.shape, dim, correction) if math.prod(self.shape) else 0
    if isinstance(degrees, int | float) and degrees <= 0:
        for _ in range(2 if types.is_complex(self.dtype) else 1):
            warnings.warn(
                f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than "
                "the reduction factor (input numel divided by output numel).",
                stacklevel=4,
            )


@composite()
def var(self, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance over ``dim`` (None: all), divided by the count less ``correction`` (1).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.var(jnp.array([1.0, 3.0]))
    Array(2., dtype=float32)
    """
    dim, rest = _arguments(dim, unbiased, keepdim, correction)
    result = var_correction(self, dim, **rest)
    _warn_of_degrees("var", self, dim, **rest)
    return result


@composite()
def std(self, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation over ``dim`` (None: all); see `var`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.std(jnp.array([1.0, 3.0]), correction=0)
    Array(1., dtype=float32)
    """
    dim, rest = _arguments(dim, unbiased, keepdim, correction)
    result = std_correction(self, dim, **rest)
    _warn_of_degrees("std", self, dim, **rest)
    return result


@composite(face="torch")
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance and the mean over ``dim`` (None: all); see `var`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.var_mean(jnp.array([1.0, 3.0]))
    (Array(2., dtype=float32), Array(2., dtype=float32))
    """
    dim, rest = _arguments(dim, unbiased, keepdim, correction)
    result = var_mean_correction(input, dim, **rest)
    _warn_of_degrees("var_mean", input, dim, **rest)
    return result


@composite(face="torch")
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation and the mean over ``dim`` (None: all); see `var`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.std_mean(jnp.array([1.0, 3.0]), correction=0)
    (Array(1., dtype=float32), Array(2., dtype=float32))
    """
    dim, rest = _arguments(dim, unbiased, keepdim, correction)
    result = std_mean_correction(input, dim, **rest)
    _warn_of_degrees("std_mean", input, dim, **rest)
    return result
