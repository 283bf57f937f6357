"""Clipping against `torch.nn.utils`."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad import optim

GRADS = {"a": np.array([[3.0, -4.0], [0.5, 0.0]], "float32"), "b": np.array(2.0, "float32")}


def torch_params(grads):
    params = [torch.zeros(value.shape, requires_grad=True) for value in grads.values()]
    for param, grad in zip(params, grads.values(), strict=True):
        param.grad = torch.tensor(grad)
    return params


def apply(clip, grads):
    return jax.jit(lambda grads: clip.update(grads, clip.init(None))[0])(grads)


@pytest.mark.parametrize("norm_type", [0.0, 0.5, 1.0, 2.0, 3.0, math.inf, -math.inf])
@pytest.mark.parametrize("max_norm", [0.1, 2.5, 100.0])
def test_norm(norm_type, max_norm, assert_close):
    params = torch_params(GRADS)
    total = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    np.testing.assert_allclose(optim.get_total_norm(GRADS, norm_type), total.numpy(), 1e-6)
    clipped = apply(optim.clip_grad_norm(max_norm, norm_type), GRADS)
    expected = dict(zip(GRADS, (param.grad.numpy() for param in params), strict=True))
    assert_close(clipped, expected, 1e-6, 0)


def test_value(assert_close):
    params = torch_params(GRADS)
    torch.nn.utils.clip_grad_value_(params, 1.5)
    expected = dict(zip(GRADS, (param.grad.numpy() for param in params), strict=True))
    assert_close(apply(optim.clip_grad_value(1.5), GRADS), expected, 0, 0)


def test_traced_bounds_keep_the_dtype(x64):
    clipped = apply(optim.clip_grad_norm(jnp.float64(1.0)), {"a": jnp.ones(3, "float32")})
    assert clipped["a"].dtype == jnp.float32


def test_no_gradients_at_all():
    clip = optim.clip_grad_norm(1.0)
    assert clip.update({}, clip.init({}))[0] == {}
    assert optim.get_total_norm({}) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_error_if_nonfinite(bad):
    clip = optim.clip_grad_norm(1.0, error_if_nonfinite=True)
    grads = {"a": jnp.array([1.0, bad])}
    with pytest.raises(RuntimeError, match="total norm of order 2.0 for gradients"):
        clip.update(grads, clip.init(None))
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        jax.block_until_ready(apply(clip, grads))
        jax.effects_barrier()
    assert not np.all(np.isfinite(apply(optim.clip_grad_norm(1.0), grads)["a"]))
    assert np.all(np.isfinite(apply(clip, {"a": jnp.ones(2)})["a"]))
