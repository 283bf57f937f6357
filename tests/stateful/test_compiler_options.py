"""Which programs are compiled for one thread, and that they run wherever others do."""

import jax
import jax.numpy as jnp
import pytest

import stateful as torch
from stateful.compiler_options import LARGE, jit, products_in, products_of
from stateful.lazy import _local, flush


def products(function):
    """What `products_of` says of the kernels that a function records."""
    with torch.set_execution("lazy"):
        flush()
        held = function()
        entries = _local.window.structure.entries()
        del held
        flush()
    return list(products_of(kernel for kernel, _ in entries))


def test_products_of_kernels():
    a, b = torch.ones(5, 7), torch.ones(7, 11)
    flush()
    assert products(lambda: a @ b) == [5 * 7 * 11]
    assert products(lambda: a.T.contiguous()) == []
    assert products(lambda: torch.tanh(a * 2)) == []


def test_products_of_a_backward_pass():
    a, b = torch.ones(5, 7, requires_grad=True), torch.ones(7, 11, requires_grad=True)
    loss = (a @ b).sum()
    loss.item()
    found = products(lambda: loss.backward())
    assert max(found) == pytest.approx(5 * 7 * 11, rel=0.5)


def test_products_in_a_loop():
    w = jnp.ones((7, 7))

    def loop(x):
        return jax.lax.scan(lambda c, _: (c @ w, None), x, None, 3)[0]

    assert list(products_in(jax.make_jaxpr(loop)(jnp.ones((5, 7))).jaxpr)) == [5 * 7 * 7]


@pytest.mark.parametrize("size", [1, 2 * LARGE])
def test_inside_of_a_trace(size):
    double = jit(lambda x: x * 2, [size])
    assert double(jnp.ones(2)).tolist() == [2, 2]
    assert jax.jit(lambda x: double(x) + 1)(jnp.ones(2)).tolist() == [3, 3]
    assert jax.vmap(double)(jnp.ones(2)).tolist() == [2, 2]


@pytest.mark.parametrize("size", [1, 2 * LARGE])
def test_what_is_cast_to_bfloat16_and_back_is_rounded(size):
    rounded = jit(lambda x: x.astype(jnp.bfloat16).astype(jnp.float32), [size])
    assert rounded(jnp.float32(1.001)) == 1


def test_a_convolution_counts_as_large():
    x, w = torch.ones(1, 1, 3, 3, requires_grad=True), torch.ones(1, 1, 2, 2, requires_grad=True)
    y = torch.nn.functional.conv2d(x, w).sum()
    assert max(products(lambda: torch.nn.functional.conv2d(x, w))) > LARGE
    y.item()
    assert max(products(lambda: y.backward())) > LARGE
    traced = jax.make_jaxpr(lambda x, w: jax.lax.conv(x, w, (1, 1), "SAME"))(x._array, w._array)
    assert max(products_in(traced.jaxpr)) > LARGE
