"""`multi_head_attention_forward` against PyTorch's module, draws included."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import funcgrad
import stateful
from tests.funcgrad.ops.nn_agreement import check


def weight(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()


def double(value):
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.double() if floating else value


def arguments(sizes=(3, 4), batch=2, same="qkv", separate=False, bias=True, p=0.0, **kwargs):
    """Inputs of 4 features for 2 heads; ``same`` says which of them are one tensor."""
    lead = () if batch is None else (batch,)
    q = weight(sizes[0], *lead, 4)
    k = q if same == "qkv" else weight(sizes[1], *lead, 4)
    v = k if same in ("qkv", "kv") else weight(sizes[1], *lead, 4) * 2
    packed = (None if separate else weight(12, 4)), weight(12) if bias else None
    if separate:
        kwargs |= dict(
            use_separate_proj_weight=True, q_proj_weight=weight(4, 4), k_proj_weight=weight(4, 4),
            v_proj_weight=weight(4, 4) * 2,
        )  # fmt: skip
    extra = kwargs.pop("extra", (None, None)), kwargs.pop("zero", False)
    return (q, k, v, 4, 2, *packed, *extra[0], extra[1], p, weight(4, 4), weight(4)), kwargs


CASES = {
    "self": dict(),
    "unbatched": dict(batch=None, same="kv"),
    "encoder and decoder": dict(same="kv"),
    "all different": dict(same="", bias=False),
    "separate projections": dict(same="", separate=True),
    "one weight a head": dict(average_attn_weights=False),
    "without weights": dict(need_weights=False),
    "causal": dict(
        need_weights=False, is_causal=True, attn_mask=torch.ones(3, 3).triu(1).bool()),
    "mask": dict(attn_mask=torch.ones(3, 3).triu(1).bool()),
    "mask a head": dict(attn_mask=torch.arange(36.0).reshape(4, 3, 3), need_weights=False),
    "padding": dict(
        same="kv", key_padding_mask=torch.tensor([[False] * 4, [False, False, True, True]])),
    "one more key": dict(
        extra=(weight(1, 1, 4), weight(1, 1, 4)), zero=True,
        attn_mask=torch.ones(3, 3).triu(1).bool()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_multi_head_attention(name):
    args, kwargs = arguments(**CASES[name])
    kwargs = {k: double(v) for k, v in kwargs.items()}

    def run(library):
        def without_none(*a, **k):
            return [x for x in library.multi_head_attention_forward(*a, **k) if x is not None]

        return without_none

    with jax.enable_x64(True):
        check(run(funcgrad), run(F), args, kwargs, second=False)


@pytest.mark.parametrize("need_weights", [True, False])
def test_draws(need_weights):
    args, kwargs = arguments(p=0.5, need_weights=need_weights)
    found = []
    for library in (torch, stateful):
        library.manual_seed(0)
        taken = [library.tensor(a.tolist()) if isinstance(a, torch.Tensor) else a for a in args]
        taken[1] = taken[2] = taken[0]
        out, _ = library.nn.functional.multi_head_attention_forward(*taken, **kwargs)
        found.append(out.numpy())
    np.testing.assert_allclose(found[1], found[0], 1e-5, 1e-5)


def test_wrong_sizes():
    args, _ = arguments()
    with pytest.raises(AssertionError, match="was expecting embedding dimension of 5, but got 4"):
        arrays = [jnp.asarray(a.detach().numpy()) if torch.is_tensor(a) else a for a in args]
        funcgrad.multi_head_attention_forward(*arrays[:3], 5, *arrays[4:])
