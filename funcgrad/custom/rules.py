"""Rules that programs bring along: another subgradient, an edited gradient, a pretended one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .rule import Rule, rule


def _relu_input(grad, input, at_zero):
    """Nothing below zero, everything above, and at exactly zero the share `at_zero`."""
    return jnp.where(input < 0, 0, jnp.where(input == 0, grad * at_zero, grad))


@rule(vjp=dict(input=_relu_input), forward_mode=True)
def relu(input, at_zero=1.0):
    """`max(input, 0)` with the subgradient at zero chosen by hand.

    By default it is 1, as a rule that says `grad_input[input < 0] = 0` gives; PyTorch's own relu
    has 0 there, and so has `jax.nn.relu`.

    >>> jax.grad(lambda x: relu(x).sum())(jnp.array([-1.0, 0.0, 2.0]))
    Array([0., 1., 1.], dtype=float32)
    >>> jax.grad(lambda x: relu(x, at_zero=0.5).sum())(jnp.array([-1.0, 0.0, 2.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return jnp.maximum(input, 0)


def straight_through(func: Callable) -> Rule:
    """`func` in the forward pass, the identity in the backward pass (Bengio et al. 2013).

    For functions that keep the shape and have a useless derivative: rounding, sign, quantization.

    >>> jax.grad(lambda x: straight_through(jnp.round)(x) ** 2)(1.7)
    Array(4., dtype=float32, weak_type=True)
    """

    @rule(vjp=dict(input=lambda grad: grad), forward_mode=True)
    def estimator(input):
        return func(input)

    return estimator


def _scaled(grad, scale):
    return jax.tree.map(lambda leaf: leaf * scale, grad)


@rule(vjp=dict(input=_scaled), forward_mode=True)
def scale_gradient(input, scale):
    """`input`, whose gradient is multiplied by `scale`. `input` may be a pytree.

    >>> jax.grad(lambda x: scale_gradient(x, 0.1) ** 2)(5.0)
    Array(1., dtype=float32, weak_type=True)
    """
    return input


@rule(vjp=dict(input=lambda grad, scale: _scaled(grad, -scale)), forward_mode=True)
def reverse_gradient(input, scale=1.0):
    """`input`, whose gradient is multiplied by `-scale` (Ganin and Lempitsky 2015).

    >>> jax.grad(lambda x: reverse_gradient(x) ** 2)(5.0)
    Array(-10., dtype=float32, weak_type=True)
    """
    return input


@rule(vjp=dict(input=lambda grad, min, max: jax.tree.map(lambda g: jnp.clip(g, min, max), grad)))
def clip_gradient(input, min=None, max=None):
    """`input`, whose gradient is clipped entry by entry to `[min, max]`. Reverse mode only.

    >>> jax.grad(lambda x: (clip_gradient(x, -1.0, 1.0) ** 2).sum())(jnp.array([-3.0, 0.25]))
    Array([-1. ,  0.5], dtype=float32)
    """
    return input


def _clipped_norm(grad: Any, max_norm: Any) -> Any:
    squares = [jnp.sum(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(grad)]
    norm = jnp.sqrt(jnp.sum(jnp.stack(squares)))
    return _scaled(grad, jnp.minimum(max_norm / (norm + 1e-6), 1.0))


@rule(vjp=dict(input=_clipped_norm))
def clip_gradient_norm(input, max_norm):
    """`input`, whose gradient is scaled to a norm of at most `max_norm`. Reverse mode only.

    The factor is the one of `clip_grad_norm`, over all leaves of `input` together.

    >>> jax.grad(lambda x: (clip_gradient_norm(x, 1.0) ** 2).sum())(jnp.array([3.0, 4.0])).round(3)
    Array([0.6, 0.8], dtype=float32)
    """
    return input
