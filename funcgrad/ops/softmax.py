"""Softmax, its logarithm, and the logarithm of a sum of exponentials."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType, Size
from .copying import to_dtype
from .dims import wrap_dim
from .powers import exp
from .reduce import dims_of, restore, sum_dim


@op(
    "_softmax_backward_data", grad_fn="SoftmaxBackwardDataBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, output, dim, input_dtype: (
            _softmax_backward_data(grad, output, dim, input_dtype)
        ),
        output=lambda grad, grad_output, dim, output: (
            grad_output * grad
            - sum_dim(output * grad_output, dim, True) * grad
            - grad_output * sum_dim(output * grad, dim, True)
        ),
    ),
)  # fmt: skip
def _softmax_backward_data(grad_output, output, dim: int, input_dtype: DType):
    """The gradient of softmax from its result."""
    product = grad_output * output
    return product - output * _sum(product, dim)


def _sum(x, dim):
    return jnp.sum(x, dims_of(dim, x.ndim), keepdims=True)


def _dtype_of(x):
    return x.dtype


@op("_softmax", grad_fn="SoftmaxBackward0", face="private",
    vjp=dict(self=lambda grad, result, dim: (
        _softmax_backward_data(grad, result, dim, _dtype_of(result))
    )))  # fmt: skip
def _softmax(self, dim: int, half_to_float: bool):
    """Softmax over one dimension."""
    _check_floating("softmax", self)
    shifted, _ = _shifted(self, dim)
    return shifted / _sum(shifted, dim)


def _shifted(self, dim):
    """``exp(self - max)`` over ``dim``, and the maximum."""
    wrap_dim(dim, self.ndim)
    if not self.size:
        return self, self
    top = jnp.max(self, dims_of(dim, self.ndim), keepdims=True)
    return jnp.exp(self - top), top


def _check_floating(name: str, self) -> None:
    if not types.is_floating(self.dtype):
        raise NotImplementedError(f'"{name}_lastdim_kernel_impl" not implemented for {self.dtype}')


@op(
    "_log_softmax_backward_data", grad_fn="LogSoftmaxBackwardDataBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, output, dim: grad - sum_dim(grad * exp(output), dim, True),
        output=lambda grad, grad_output, output, dim: (
            -sum_dim(grad_output, dim, True) * exp(output) * grad
        ),
    ),
)  # fmt: skip
def _log_softmax_backward_data(grad_output, output, dim: int, input_dtype: DType):
    """The gradient of the logarithm of softmax from its result."""
    return grad_output - jnp.exp(output) * _sum(grad_output, dim)


@op("_log_softmax", grad_fn="LogSoftmaxBackward0", face="private",
    vjp=dict(self=lambda grad, result, dim: (
        _log_softmax_backward_data(grad, result, dim, _dtype_of(result))
    )))  # fmt: skip
def _log_softmax(self, dim: int, half_to_float: bool):
    """The logarithm of softmax over one dimension."""
    _check_floating("log_softmax", self)
    shifted, top = _shifted(self, dim)
    return (self - top) - jnp.log(_sum(shifted, dim)) if self.size else self


@composite()
def softmax(self, dim, dtype=None):
    """``exp(self)`` over its sum along ``dim``, in ``dtype`` if given.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.softmax(jnp.zeros(2), 0)
    Array([0.5, 0.5], dtype=float32)
    """
    return _softmax(to_dtype(self, dtype), dim, False)


@composite()
def log_softmax(self, dim, dtype=None):
    """The logarithm of `softmax`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.log_softmax(jnp.zeros(2), 0)
    Array([-0.6931472, -0.6931472], dtype=float32)
    """
    return _log_softmax(to_dtype(self, dtype), dim, False)


@composite(face="nn")
def softmin(input, dim, dtype=None):
    """`softmax` of ``-input``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.softmin(jnp.zeros(2), 0)
    Array([0.5, 0.5], dtype=float32)
    """
    return softmax(-input, dim, dtype)


def _logsumexp_self(grad, self, result, dim, keepdim):
    grad, result = restore(grad, dim, keepdim, self.ndim), restore(result, dim, keepdim, self.ndim)
    return grad * exp(self - result).conj()


@op("logsumexp", grad_fn="LogsumexpBackward0", promotes="float", vjp=dict(self=_logsumexp_self))
def logsumexp(self, dim: Size, keepdim: bool = False):
    """The logarithm of the sum of exponentials over some dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logsumexp(jnp.zeros(2), 0)
    Array(0.6931472, dtype=float32)
    """
    dims = dims_of(dim, self.ndim)
    if not self.size:
        return jnp.log(jnp.sum(jnp.exp(self), dims, keepdims=keepdim))
    return jax.scipy.special.logsumexp(self, axis=dims, keepdims=keepdim)
