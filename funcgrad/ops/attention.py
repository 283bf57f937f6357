"""Attention, written in other ops as PyTorch's own reference is."""

from __future__ import annotations

import math

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType
from .arithmetic import add
from .compare import logical_not
from .creation import zeros_like
from .dropout import dropout
from .mask import masked_fill
from .matmul import matmul
from .rearrange import repeat_each
from .softmax import _softmax_backward_data
from .view import transpose
from .with_number import mul_number


def _safe_softmax_self(grad, result, dim):
    return _softmax_backward_data(grad, result, dim, result.dtype)


@op("_safe_softmax", grad_fn="SafeSoftmaxBackward0", face="private",
    vjp=dict(self=_safe_softmax_self))  # fmt: skip
def _safe_softmax(self, dim: int, dtype: DType | None = None):
    """The softmax, but 0 where everything is -inf: a row that may look at nothing."""
    self = self if dtype is None else types.cast(self, dtype)
    top = jnp.max(self, dim, keepdims=True, initial=-jnp.inf)
    nothing = top == -jnp.inf
    powers = jnp.exp(self - jnp.where(nothing, 0, top))
    return powers / jnp.where(nothing, 1, jnp.sum(powers, dim, keepdims=True))


@op("_causal_mask", face="private")
def _causal_mask(query, key):
    """Which keys a query may see: those not behind it."""
    return jnp.tril(jnp.ones((query.shape[-2], key.shape[-2]), bool))


def bias_of(mask, like):
    """A mask as what is added to the scores: -inf where a boolean one is false."""
    if jnp.dtype(mask.dtype) != jnp.bool_:
        return mask
    return masked_fill(add(zeros_like(mask, dtype=like.dtype), 0), logical_not(mask), -math.inf)


@composite(face="nn")
def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
    enable_gqa=False, *, kept=None,
):  # fmt: skip
    """``softmax(query @ key.T * scale + mask) @ value`` over the last two dimensions.

    ``scale`` is one over the root of the last dimension of ``query`` unless given. A boolean mask
    is true where a key takes part; a row with no key gives zeros. ``enable_gqa`` repeats heads of
    keys and values. ``kept`` is the mask of the `dropout` of the weights.

    >>> import jax.numpy as jnp, funcgrad
    >>> x = jnp.eye(2)[None]
    >>> funcgrad.scaled_dot_product_attention(x, x, x, is_causal=True)[0, 0]
    Array([1., 0.], dtype=float32)
    """
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
                "is_causal=True"
            )
        attn_mask = _causal_mask(query, key)
    if enable_gqa:
        times = query.shape[-3] // key.shape[-3], query.shape[-3] // value.shape[-3]
        key, value = repeat_each(key, times[0], -3), repeat_each(value, times[1], -3)
    factor = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else abs(scale))
    sign = -1.0 if scale is not None and scale < 0 else 1.0
    scores = matmul(mul_number(query, factor * sign), mul_number(transpose(key, -2, -1), factor))
    if attn_mask is not None:
        scores = add(scores, bias_of(attn_mask, query))
    weights = _safe_softmax(scores, -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p, True, kept=kept)
    return matmul(weights, value)
