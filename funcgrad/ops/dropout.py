"""Dropout as a pure function of what was kept: the random draw is an argument."""

from __future__ import annotations

import math
import warnings

import numpy as np

from .. import types
from ..composite import composite
from ..op import op
from ..unsupported import check_draw, type_name
from .arithmetic import add, div, mul
from .choose import where
from .creation import new_zeros, ones_like, zeros_like
from .view import squeeze, unsqueeze

_SELU_ALPHA = 1.7580993408473766
"""The negative saturation value of SELU, ``scale * alpha`` (Klambauer et al., 2017)."""


def check_probability(p) -> None:
    """Raise ValueError for a ``p`` outside [0, 1]."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def check_noise(dtype) -> None:
    """Raise if what is kept of numbers of ``dtype`` cannot be divided by its probability."""
    check_draw("bernoulli_scalar_cpu_", dtype)
    if not types.is_floating(dtype):
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {type_name(dtype)}: "
            "dropout needs floating-point numbers"
        )


def check_slopes(dtype, lower, upper, training) -> None:
    """Raise if `rrelu` has no slopes between these bounds, or none for numbers of ``dtype``."""
    if training and not math.isfinite(lower):
        raise RuntimeError(f"rrelu: lower bound must be finite, got {lower}")
    if training and not math.isfinite(upper):
        raise RuntimeError(f"rrelu: upper bound must be finite, got {upper}")
    if lower > upper:
        raise RuntimeError(
            "Lower bound should be less than or equal to the upper bound, but they are "
            f"{lower} and {upper}"
        )
    name = "rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu"
    check_draw(name, np.dtype(dtype), real=True)


def _drawn(input, kept):
    """``kept``, or what it gives for a shape if it is a function."""
    if callable(kept):
        return kept(tuple(input.shape))
    if kept is None:
        raise TypeError(
            "dropout() in training mode is random: pass kept=, an array of ones and zeros, each "
            "one with probability 1 - p (or use stateful, which draws it)"
        )
    return kept


def noise_of(input, kept, p):
    """What dropout multiplies ``input`` with: the kept elements over their probability."""
    return new_zeros(input, ()) if p == 1 else div(_drawn(input, kept), 1 - p)


def alpha_noise_of(input, kept, p):
    """What alpha dropout multiplies with and adds: dropped elements become SELU's lowest value."""
    slope = 1.0 / math.sqrt((_SELU_ALPHA * _SELU_ALPHA * p + 1) * (1 - p))
    kept = _drawn(input, kept)
    shift = add(mul(add(kept, -1), _SELU_ALPHA * slope), _SELU_ALPHA * slope * p)
    return mul(kept, slope), shift


def _scaled(input, kept, p):
    return mul(input, noise_of(input, kept, p))


def _shifted(input, kept, p):
    if p == 1:
        return _scaled(input, kept, p)
    noise, shift = alpha_noise_of(input, kept, p)
    return add(mul(input, noise), shift)


def is_identity(input, p, training) -> bool:
    """Whether nothing is dropped, and so nothing drawn."""
    return p == 0 or not training or 0 in tuple(input.shape)


@composite(face="nn")
def dropout(input, p=0.5, training=True, inplace=False, *, kept=None):
    """``input`` with elements set to 0 where ``kept`` is 0, the others divided by ``1 - p``.

    ``kept`` has the shape and dtype of ``input``: ones and zeros, a zero with probability ``p``;
    or it is a function that makes one of a shape.
    Without training, or for ``p = 0``, ``input`` itself. ``inplace`` means nothing to an array.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dropout(jnp.ones(2), 0.5, kept=jnp.array([1.0, 0.0]))
    Array([2., 0.], dtype=float32)
    """
    check_probability(p)
    return input if is_identity(input, p, training) else _scaled(input, kept, p)


@composite(face="nn")
def alpha_dropout(input, p=0.5, training=False, inplace=False, *, kept=None):
    """Dropout for `selu`: keeps mean and variance. ``kept`` as for `dropout`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.alpha_dropout(jnp.ones(2), 0.5)
    Array([1., 1.], dtype=float32)
    """
    check_probability(p)
    return input if is_identity(input, p, training) else _shifted(input, kept, p)


def channel_shape(input) -> tuple[int, ...]:
    """The shape of ``kept`` where whole channels are dropped: ``(N, C, 1, ...)``."""
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*tuple(input.shape[:2]), *(1,) * (input.ndim - 2))


@composite(face="nn")
def feature_alpha_dropout(input, p=0.5, training=False, inplace=False, *, kept=None):
    """`alpha_dropout` of whole channels; ``kept`` has shape ``(N, C, 1, ...)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.feature_alpha_dropout(jnp.ones((1, 2)), 0.5)
    Array([[1., 1.]], dtype=float32)
    """
    check_probability(p)
    return input if is_identity(input, p, training) else _shifted(input, kept, p)


def _channels(input, p, training, kept, batched: bool):
    """Dropout of channels of one image or a batch of them."""
    check_probability(p)
    if not batched:
        input = unsqueeze(input, 0)
    if not is_identity(input, p, training):
        input = _scaled(input, kept, p)
    return input if batched else squeeze(input, 0)


@composite(face="nn")
def dropout1d(input, p=0.5, training=True, inplace=False, *, kept=None):
    """`dropout` of whole channels of ``(N, C, L)`` or ``(C, L)``; ``kept`` has shape ``(N, C, 1)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dropout1d(jnp.ones((2, 1)), kept=jnp.array([[[1.0], [0.0]]]))
    Array([[2.],
           [0.]], dtype=float32)
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channels(input, p, training, kept, input.ndim == 3)


@composite(face="nn")
def dropout2d(input, p=0.5, training=True, inplace=False, *, kept=None):
    """`dropout` of whole channels of ``(N, C, H, W)``; ``kept`` has shape ``(N, C, 1, 1)``.

    Dimensions after the second are one channel, whatever their number.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dropout2d(jnp.ones((1, 1, 1, 1)), kept=jnp.ones((1, 1, 1, 1)))
    Array([[[[2.]]]], dtype=float32)
    """
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence this "
            "warning, please use dropout instead.",
            stacklevel=3,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. Please switch to dropout1d instead.",
            stacklevel=3,
        )
    return _channels(input, p, training, kept, True)


@composite(face="nn")
def dropout3d(input, p=0.5, training=True, inplace=False, *, kept=None):
    """`dropout` of whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dropout3d(jnp.ones((1, 1, 1, 1, 1)), 0.0)
    Array([[[[[1.]]]]], dtype=float32)
    """
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence this "
            "warning, please use dropout instead.",
            stacklevel=3,
        )
    return _channels(input, p, training, kept, input.ndim != 4)


def _slopes(self, noise, lower, upper, training):
    """Drawn in training, else the middle one where ``self`` is not positive."""
    return noise if training else where(self > 0, ones_like(noise), (lower + upper) / 2)


@op(
    "_rrelu_with_noise_backward", grad_fn="RreluWithNoiseBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, self, noise, lower, upper, training: (
            grad * _slopes(self, noise, lower, upper, training)),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def _rrelu_backward(grad_output, self, noise, lower: float, upper: float, training: bool):
    """The gradient of `rrelu_with_noise`."""
    return grad_output * _slopes(self, noise, lower, upper, training)


def _rrelu_self(grad, self, noise, lower, upper, training):
    return _rrelu_backward(grad, self, noise, lower, upper, training)


@op("_rrelu_with_drawn_noise.in_place", grad_fn="RreluWithNoiseBackward1", face="private",
    vjp=dict(self=_rrelu_self))  # fmt: skip
def rrelu_with_noise_in_place(self, noise, lower: float, upper: float, training: bool):
    """`rrelu_with_noise`, under the name that PyTorch gives its node."""
    return self * _slopes(self, noise, lower, upper, training)


@op("_rrelu_with_drawn_noise", grad_fn="RreluWithNoiseBackward0", face="private",
    vjp=dict(self=_rrelu_self))  # fmt: skip
def rrelu_with_noise(self, noise, lower: float, upper: float, training: bool):
    """`leaky_relu` with random slopes: ``noise`` holds them, and 1 where ``self`` is positive."""
    return self * _slopes(self, noise, lower, upper, training)
