"""Products with matrices of second derivatives that are never built: `hvp`, `vhp`, `ggnvp`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .gradient import grad, grad_and_value
from .products import jvp, vjp


def hvp(func: Callable, primals: tuple, tangents: tuple) -> tuple:
    """The value of the scalar function `func` and its Hessian times `tangents`.

    Forward over reverse: the derivative of the gradient in one direction, for about the price of
    two gradients and little memory. The pair `(value, product)` is the one
    `torch.autograd.functional.hvp` gives; the product is a tuple shaped like `primals`.

    >>> import jax.numpy as jnp
    >>> value, product = hvp(lambda x: (x**3).sum(), (jnp.array([1.0, 2.0]),), (jnp.ones(2),))
    >>> product
    (Array([ 6., 12.], dtype=float32),)
    """
    gradient_with_value = _gradient_with_value(func, len(primals))
    _, product, value = jvp(gradient_with_value, primals, tangents, has_aux=True)
    return value, product


def vhp(func: Callable, primals: tuple, cotangents: tuple) -> tuple:
    """The value of the scalar function `func` and `cotangents` times its Hessian.

    Reverse over reverse. The Hessian is symmetric, so the product equals `hvp`'s; this form also
    serves functions that only have a reverse rule (`jax.custom_vjp`).

    >>> import jax.numpy as jnp
    >>> value, product = vhp(lambda x: (x**3).sum(), (jnp.array([1.0, 2.0]),), (jnp.ones(2),))
    >>> product
    (Array([ 6., 12.], dtype=float32),)
    """
    gradient_with_value = _gradient_with_value(func, len(primals))
    _, pullback, value = vjp(gradient_with_value, *primals, has_aux=True)
    return value, pullback(cotangents)


def _gradient_with_value(func: Callable, count: int) -> Callable:
    return grad_and_value(func, argnums=tuple(range(count)))


def ggnvp(func: Callable, loss: Callable, primals: tuple, tangents: tuple) -> tuple:
    """The value of `loss(func(*primals))` and its Gauss-Newton matrix times `tangents`.

    The generalized Gauss-Newton matrix is `J.T @ H @ J`, with `J` the Jacobian of `func` and `H`
    the Hessian of `loss` at the output (Schraudolph 2002). It is the Hessian without the curvature
    of `func`: positive semi-definite where `loss` is convex. The product is a tuple shaped like
    `primals`.

    >>> import jax.numpy as jnp
    >>> value, product = ggnvp(jnp.sin, lambda y: (y**2).sum(), (jnp.zeros(2),), (jnp.ones(2),))
    >>> product
    (Array([2., 2.], dtype=float32),)
    """
    output, output_tangent = jvp(func, primals, tangents)
    gradient, curved = jvp(grad(loss), (output,), (output_tangent,))
    _, pullback = vjp(func, *primals)
    value: Any = loss(output)
    return value, pullback(curved)
