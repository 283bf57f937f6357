"""Attention with several heads and its projections, the function of `MultiheadAttention`."""

from __future__ import annotations

import functools
import math

import jax.numpy as jnp

from .. import types
from ..composite import composite
from .arithmetic import mul
from .attention import scaled_dot_product_attention
from .creation import new_zeros, zeros_like
from .dropout import dropout
from .join import cat
from .mask import masked_fill
from .matmul import bmm, linear
from .pad import pad
from .products import baddbmm
from .rearrange import repeat
from .reduce import mean
from .shape import unflatten
from .slicing import select
from .softmax import softmax
from .split import chunk, split
from .view import expand, in_order, permute, reshape, squeeze, transpose, unsqueeze, view


def _require(condition: bool, message: str) -> None:
    """PyTorch asserts its arguments here."""
    if not condition:
        raise AssertionError(message)


def _check_ranks(query, key, value, key_padding_mask, attn_mask) -> bool:
    """Whether there is a batch dimension."""
    rank = query.ndim
    _require(
        rank in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor",
    )
    _require(
        key.ndim == value.ndim == rank,
        f"For {rank}-D `query`, expected `key` and `value` to be {rank}-D but found {key.ndim}-D "
        f"and {value.ndim}-D tensors respectively",
    )
    _require(
        key_padding_mask is None or key_padding_mask.ndim == rank - 1,
        f"For {rank}-D `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D",
    )
    _require(
        attn_mask is None or attn_mask.ndim in (2, 3),
        f"For {rank}-D `query`, expected `attn_mask` to be `None`, 2-D or 3-D",
    )
    return rank == 3


def _as_bias(mask, name: str, like):
    """A boolean mask, true where a key is left out, as -inf there."""
    if mask is None:
        return None
    dtype = jnp.dtype(mask.dtype)
    _require(
        dtype == jnp.bool_ or types.is_floating(dtype),
        f"only bool and floating types of {name} are supported",
    )
    if dtype != jnp.bool_:
        return mask
    return masked_fill(zeros_like(mask, dtype=like.dtype), mask, -math.inf)


# -- projections -----------------------------------------------------------------------------------


def _apart(projected, count: int, size: int):
    """The parts of a packed projection, each of its own."""
    parts = unsqueeze(unflatten(projected, -1, (count, size)), 0)
    parts = in_order(squeeze(transpose(parts, 0, -2), -2))
    return [select(parts, 0, i) for i in range(count)]


def _projected_packed(query, key, value, weight, bias):
    """One product for what is the same tensor, as PyTorch."""
    size = query.shape[-1]
    if key is value and query is key:
        return _apart(linear(query, weight, bias), 3, size)
    if key is value:
        first, rest = split(weight, [size, 2 * size])
        biases = (None, None) if bias is None else split(bias, [size, 2 * size])
        both = linear(key, rest, biases[1])
        return [linear(query, first, biases[0]), *_apart(both, 2, size)]
    return _projected(query, key, value, chunk(weight, 3), bias)


def _projected(query, key, value, weights, bias):
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]


# -- masks -----------------------------------------------------------------------------------------


def _check_mask(mask, batch: int, heads: int, targets: int, sources: int):
    """The mask with a leading dimension: 1, or one for each example and head."""
    if mask is None:
        return None
    wanted = (targets, sources) if mask.ndim == 2 else (batch * heads, targets, sources)
    if tuple(mask.shape) != wanted:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {wanted}."
        )
    return unsqueeze(mask, 0) if mask.ndim == 2 else mask


def _merged(mask, padding, batch: int, heads: int, sources: int):
    """Both masks in one."""
    if padding is None:
        return mask
    _require(
        tuple(padding.shape) == (batch, sources),
        f"key_padding_mask should have shape {(batch, sources)}, but got {padding.shape}",
    )
    padding = expand(view(padding, (batch, 1, 1, sources)), (-1, heads, -1, -1))
    padding = reshape(padding, (batch * heads, 1, sources))
    return padding if mask is None else mask + padding


# -- the function ----------------------------------------------------------------------------------


@composite(face="nn")
def multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v,
    add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None,
    need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None,
    k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None,
    average_attn_weights=True, is_causal=False, *, kept=None, attention=None,
):  # fmt: skip
    """Attention of ``(L, N, E)`` or ``(L, E)`` with ``num_heads`` heads; and its weights or None.

    Boolean masks are true where a key is left out. ``kept`` is the mask of the `dropout` of the
    weights, or a function that makes one of a shape; ``attention`` is what is called for the output
    alone, in place of `scaled_dot_product_attention`.

    >>> import jax.numpy as jnp, funcgrad
    >>> x, w = jnp.ones((1, 1, 2)), jnp.concatenate([jnp.eye(2)] * 3)
    >>> arguments = (2, 1, w, None, None, None, False, 0.0, jnp.eye(2), None)
    >>> funcgrad.multi_head_attention_forward(x, x, x, *arguments)[0]
    Array([[[1., 1.]]], dtype=float32)
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask)
    if not batched:
        query, key, value = _with_batch(query, key, value)
        key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    targets, batch, size = query.shape
    head = size // num_heads
    _require(
        size == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}",
    )
    _require(head * num_heads == size, f"embed_dim {size} not divisible by num_heads {num_heads}")
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    padding = _as_bias(key_padding_mask, "key_padding_mask", query)
    if is_causal and padding is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _as_bias(attn_mask, "attn_mask", query)
        is_causal = is_causal and padding is None
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        q, k, v = _projected(query, key, value, weights, in_proj_bias)
    else:
        _require(
            tuple(key.shape) == tuple(value.shape),
            f"key shape {key.shape} does not match value shape {value.shape}",
        )
        q, k, v = _projected_packed(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _check_mask(attn_mask, batch, num_heads, targets, key.shape[0])

    def one_more(mask):
        return None if mask is None else pad(mask, (0, 1))

    _require((bias_k is None) == (bias_v is None), "bias_k and bias_v go together")
    if bias_k is not None:
        k, v = (cat([x, repeat(b, (1, batch, 1))]) for x, b in ((k, bias_k), (v, bias_v)))
        attn_mask, padding = one_more(attn_mask), one_more(padding)

    def by_head(x):
        return transpose(view(x, (x.shape[0], batch * num_heads, head)), 0, 1)

    q = by_head(q)
    k = by_head(k) if static_k is None else static_k
    v = by_head(v) if static_v is None else static_v
    if add_zero_attn:
        k, v = (cat([x, new_zeros(x, (batch * num_heads, 1, head))], 1) for x in (k, v))
        attn_mask, padding = one_more(attn_mask), one_more(padding)
    sources = k.shape[1]
    attn_mask = _merged(attn_mask, padding, batch, num_heads, sources)
    dropout_p = dropout_p if training else 0.0
    shape, shown = (batch, num_heads, targets, sources), None
    if need_weights:
        out, shown = _attend_and_show(q, k, v, attn_mask, dropout_p, kept, shape)
    else:
        attention = attention or functools.partial(scaled_dot_product_attention, kept=kept)
        out = _attend(attention, q, k, v, attn_mask, dropout_p, is_causal, shape)
    out = linear(reshape(out, (targets * batch, size)), out_proj_weight, out_proj_bias)
    out = view(out, (targets, batch, out.shape[1]))
    if shown is not None and average_attn_weights:
        shown = mean(shown, 1)
    if batched:
        return out, shown
    return squeeze(out, 1), None if shown is None else squeeze(shown, 0)


def _with_batch(query, key, value):
    """With a batch dimension; what is the same tensor stays the same one."""
    wide = {id(x): unsqueeze(x, 1) for x in (query, key, value)}
    return wide[id(query)], wide[id(key)], wide[id(value)]


def _attend_and_show(q, k, v, mask, dropout_p, kept, shape):
    """The attention, ``(L, N * heads, E)``, and its weights for each head."""
    scaled = mul(q, math.sqrt(1.0 / q.shape[-1]))
    keys = transpose(k, -2, -1)
    scores = bmm(scaled, keys) if mask is None else baddbmm(mask, scaled, keys)
    weights = softmax(scores, -1)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p, kept=kept)
    return transpose(bmm(weights, v), 0, 1), view(weights, shape)


def _attend(attention, q, k, v, mask, dropout_p, is_causal, shape):
    """The attention, ``(L, N, heads, E)``, without its weights."""
    batch, heads, targets, sources = shape
    if mask is not None:
        one = mask.shape[0] == 1
        mask = unsqueeze(mask, 0) if one else view(mask, (batch, heads, -1, sources))
    q = view(q, (batch, heads, targets, -1))
    k, v = (view(x, (batch, heads, sources, -1)) for x in (k, v))
    out = attention(q, k, v, mask, dropout_p, is_causal)
    return permute(out, (2, 0, 1, 3))
