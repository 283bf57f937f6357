"""`MultiheadAttention` (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

from ...dtypes import bool as bool_dtype
from ...methods import FUNCTIONS
from .. import functional as F
from .. import init
from .linear import Linear, empty
from .module import Module

_torch = FUNCTIONS["torch"]
_cat = _torch["cat"]


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch prints."""


class MultiheadAttention(Module):
    """Attention of several heads: query (L, N, E), key (S, N, K), value (S, N, V).

    Returns the output and the weights, the latter None unless ``need_weights``.

    >>> import stateful as torch
    >>> x = torch.zeros(5, 2, 8)
    >>> output, weights = torch.nn.MultiheadAttention(8, 2)(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False,
        kdim=None, vdim=None, batch_first=False, device=None, dtype=None,
    ):  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        sizes = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = empty(3 * embed_dim, embed_dim, **made)
            for name in sizes:
                self.register_parameter(name, None)
        else:
            for name, size in sizes.items():
                self.register_parameter(name, empty(embed_dim, size, **made))
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", empty(3 * embed_dim, **made) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **made)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, empty(1, 1, embed_dim, **made) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
        average_attn_weights=True, is_causal=False,
    ):  # fmt: skip
        if is_causal and attn_mask is None:
            raise RuntimeError(
                "Need attn_mask if specifying the is_causal hint: pass the mask as well"
            )
        batched = query.dim() == 3
        if not batched:
            query, key, value = (x.unsqueeze(1) for x in (query, key, value))
            if key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        out, weights = self._attend(query, key, value, _additive(key_padding_mask, query),
                                    _additive(attn_mask, query), need_weights)  # fmt: skip
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return out.squeeze(1), None if weights is None else weights.squeeze(0)
        return out.transpose(0, 1) if self.batch_first else out, weights

    def _project(self, query, key, value) -> list:
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        return [F.linear(x, w, b) for x, w, b in
                zip((query, key, value), weights, biases, strict=True)]  # fmt: skip

    def _attend(self, query, key, value, padding, mask, need_weights):
        length, batch, _ = query.shape
        q, k, v = self._project(query, key, value)
        extra = 0
        if self.bias_k is not None:
            k, v = (_cat([x, b.repeat(1, batch, 1)]) for x, b in
                    ((k, self.bias_k), (v, self.bias_v)))  # fmt: skip
            extra += 1
        q, k, v = (self._heads(x, batch) for x in (q, k, v))
        if self.add_zero_attn:
            k, v = (_cat([x, x.new_zeros((batch, self.num_heads, 1, self.head_dim))], 2)
                    for x in (k, v))  # fmt: skip
            extra += 1
        mask = self._merged(padding, mask, batch, length, extra)
        chance = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = (q * math.sqrt(1.0 / self.head_dim)) @ k.transpose(-2, -1)
            weights = F.softmax(scores if mask is None else scores + mask, -1)
            if chance > 0.0:
                weights = F.dropout(weights, chance)
            out = weights @ v
        else:
            out = F.scaled_dot_product_attention(q, k, v, mask, chance)
        out = out.permute(2, 0, 1, 3).reshape(length, batch, self.embed_dim)
        return self.out_proj(out), weights

    def _heads(self, x, batch: int):
        """(time, batch, embedding) as (batch, head, time, part)."""
        return x.reshape(x.size(0), batch, self.num_heads, self.head_dim).permute(1, 2, 0, 3)

    def _merged(self, padding, mask, batch: int, length: int, extra: int):
        """Both masks as one that is added to the scores (batch, head, target, source)."""
        if mask is not None:
            if mask.dim() == 3:
                mask = mask.reshape(batch, self.num_heads, *mask.shape[1:])
            elif mask.dim() != 2:
                raise RuntimeError(
                    f"attn_mask's dimension {mask.dim()} is not supported: pass (target, source) "
                    "or (batch * heads, target, source)"
                )
            mask = F.pad(mask, (0, extra)) if extra else mask
        if padding is not None:
            padding = F.pad(padding, (0, extra)) if extra else padding
            padding = padding.reshape(batch, 1, 1, padding.size(-1))
            return padding if mask is None else mask + padding
        return mask


def _additive(mask, like):
    """A boolean mask (True: not allowed) as numbers to add."""
    if mask is None or mask.dtype is not bool_dtype:
        return mask
    return like.new_zeros(mask.shape).masked_fill(mask, -math.inf)
