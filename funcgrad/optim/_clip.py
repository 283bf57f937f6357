"""Clipping of gradients, as optax transformations to put in front of an optimizer."""

import math
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import optax

from ._arithmetic import Scalar, scalar_for


def _norm(array, order):
    """The vector norm of all elements, as `torch.linalg.vector_norm` has it."""
    array = jnp.abs(jnp.ravel(array))
    if order == math.inf:
        return jnp.max(array)
    if order == -math.inf:
        return jnp.min(array)
    if order == 0:
        return jnp.sum(array != 0).astype(array.dtype)
    if order == 1:
        return jnp.sum(array)
    if order == 2:
        return jnp.sqrt(jnp.sum(array * array))
    return jnp.power(jnp.sum(jnp.power(array, order)), 1.0 / order)


def get_total_norm(grads: Any, norm_type: float = 2.0) -> jax.Array:
    """Norm of order `norm_type` of all leaves of `grads` as one vector: the norm of the leaves'
    norms.

    A tree without leaves has norm 0. The formula of `torch.nn.utils.get_total_norm`.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> print(optim.get_total_norm({"a": jnp.array([3.0]), "b": jnp.array([0.0, 4.0])}))
    5.0
    """
    norms = [_norm(jnp.asarray(leaf), float(norm_type)) for leaf in jax.tree.leaves(grads)]
    return _norm(jnp.stack(norms), float(norm_type)) if norms else jnp.zeros(())


def _refuse_nonfinite(total, norm_type):
    def refuse(bad):
        if bad:
            raise RuntimeError(
                f"The total norm of order {float(norm_type)} for gradients is non-finite, so it "
                "cannot be clipped. "
                "Look for the leaf with NaN or infinity, or set error_if_nonfinite=False to "
                "scale by it anyway."
            )

    bad = ~jnp.isfinite(total)
    if isinstance(bad, jax.core.Tracer):
        jax.debug.callback(refuse, bad)
    else:
        refuse(bad)


def clip_grad_norm(
    max_norm: Scalar, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> optax.GradientTransformation:
    """Scale all gradients by `min(1, max_norm / (norm + 1e-6))`, as
    `torch.nn.utils.clip_grad_norm_` does.

    `optax.clip_by_global_norm` has no `1e-6` and keeps gradients of norm `max_norm` exactly; this
    does not. Under `error_if_nonfinite` a NaN or infinite norm is a RuntimeError: at once on
    concrete gradients, and inside of `jax.jit` when the program runs (as a `JaxRuntimeError` with
    the same text).

    Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks (2013).

    >>> import jax.numpy as jnp, numpy as np, optax
    >>> from funcgrad import optim
    >>> optimizer = optax.chain(optim.clip_grad_norm(1.0), optim.sgd(lr=1.0))
    >>> params = jnp.zeros(2)
    >>> updates, state = optimizer.update(jnp.array([3.0, 4.0]), optimizer.init(params), params)
    >>> print(np.asarray(updates).round(4))
    [-0.6 -0.8]
    """

    def update(updates: Any, state: Any, params: Any = None):
        del params
        total = get_total_norm(updates, norm_type)
        if error_if_nonfinite:
            _refuse_nonfinite(total, norm_type)
        factor = jnp.minimum(scalar_for(total, max_norm) / (total + 1e-6), 1.0)
        return jax.tree.map(lambda grad: grad * factor.astype(grad.dtype), updates), state

    return optax.GradientTransformation(optax.init_empty_state, update)


def clip_grad_value(clip_value: Scalar) -> optax.GradientTransformation:
    """Clip every element to `[-clip_value, clip_value]`, as `torch.nn.utils.clip_grad_value_` does:
    `optax.clip`.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> clip = optim.clip_grad_value(0.5)
    >>> print(clip.update(jnp.array([3.0, -0.25]), clip.init(None))[0])
    [ 0.5  -0.25]
    """
    return optax.clip(clip_value)
