"""Attention as one op: PyTorch's kernel for the CPU, which cannot be differentiated again.

Weights are not kept: the backward pass finds them again from the logarithm of their sums. Half
precision is computed in float32.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..op import op
from ..together import together
from ..underivable import NODE, underivable

NAME = "_scaled_dot_product_flash_attention_for_cpu"


def _wide(x):
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def _scores(query, key, is_causal, attn_mask, scale):
    """``(B, H, L, S)`` scores; a head of keys may serve several heads of queries."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    found = jnp.matmul(query, jnp.swapaxes(key, -2, -1)) * jnp.asarray(scale, query.dtype)
    if attn_mask is not None:
        found = found + attn_mask.astype(found.dtype)
    if is_causal:
        found = jnp.where(jnp.tril(jnp.ones(found.shape[-2:], bool)), found, -jnp.inf)
    return found


def _for_heads(x, heads: int):
    """Every head as often as ``heads`` asks for."""
    return jnp.repeat(x, heads // x.shape[1], axis=1) if x.shape[1] != heads else x


def _over_heads(x, heads: int):
    """The adjoint of `_for_heads`."""
    if x.shape[1] == heads:
        return x
    return x.reshape(x.shape[0], heads, -1, *x.shape[2:]).sum(2, dtype=x.dtype)


@op("_flash_attention_gradient", grad_fn=NODE, face="private",
    outputs=("grad_query", "grad_key", "grad_value"),
    vjp=underivable(f"{NAME}_backward", ("grad_out", "query", "key", "value", "out")))  # fmt: skip
def _flash_backward(
    grad_out, query, key, value, out, logsumexp, dropout_p: float, is_causal: bool, *,
    attn_mask=None, scale: float | None = None,
):  # fmt: skip
    """The gradients of `flash_attention`."""
    heads, groups = query.shape[1], key.shape[1]
    kinds = [x.dtype for x in (query, key, value)]
    grad, query, out = map(_wide, (grad_out, query, out))
    key, value = (_for_heads(_wide(x), heads) for x in (key, value))
    sums = logsumexp[..., None].astype(query.dtype)
    scores = _scores(query, key, is_causal, attn_mask, scale)
    weights = jnp.exp(scores - jnp.where(sums == -jnp.inf, jnp.inf, sums))
    of_weights = jnp.matmul(grad, jnp.swapaxes(value, -2, -1))
    of_scores = weights * (of_weights - jnp.sum(grad * out, -1, keepdims=True))
    of_scores *= jnp.asarray(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    of_query = jnp.matmul(of_scores, key)
    of_key = jnp.matmul(jnp.swapaxes(of_scores, -2, -1), query)
    of_value = jnp.matmul(jnp.swapaxes(weights, -2, -1), grad)
    found = of_query, _over_heads(of_key, groups), _over_heads(of_value, groups)
    return tuple(x.astype(kind) for x, kind in zip(found, kinds, strict=True))


def _gradients(
    mask, grad_output, query, key, value, output, logsumexp, dropout_p, is_causal, attn_mask, scale
):
    return _flash_backward(
        grad_output, query, key, value, output, logsumexp, dropout_p, is_causal,
        attn_mask=attn_mask, scale=scale,
    )  # fmt: skip


@op(NAME, grad_fn="ScaledDotProductFlashAttentionForCpuBackward0", face="private",
    outputs=("output", "logsumexp"),
    vjp=together(_gradients, "query", "key", "value"))  # fmt: skip
def flash_attention(
    query, key, value, dropout_p: float = 0.0, is_causal: bool = False, *, attn_mask=None,
    scale: float | None = None,
):  # fmt: skip
    """``softmax(query @ key.T * scale + attn_mask) @ value`` of ``(B, H, L, E)`` tensors.

    Beside it the logarithms of the sums of the weights, ``(B, H, L)``, -inf for a row that may look
    at nothing: its output is 0.
    """
    key, value = (_for_heads(_wide(x), query.shape[1]) for x in (key, value))
    scores = _scores(_wide(query), key, is_causal, attn_mask, scale)
    top = jnp.max(scores, -1, keepdims=True)
    top = jnp.where(top == -jnp.inf, 0, top)
    powers = jnp.exp(scores - top)
    total = jnp.sum(powers, -1, keepdims=True)
    output = jnp.matmul(powers / jnp.where(total == 0, 1, total), value).astype(query.dtype)
    return output, jnp.squeeze(top + jnp.log(total), -1)
