"""`stop_gradient` and `checkpoint`: what reverse mode leaves out and what it computes again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jax

from .leaves import is_array


def stop_gradient(tree: Any) -> Any:
    """`tree` cut off from differentiation: the functional `detach()`. Leaves may be anything.

    >>> from funcgrad.transforms import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    Array(3., dtype=float32, weak_type=True)
    """
    return jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if is_array(leaf) else leaf, tree)


def checkpoint(
    func: Callable,
    *,
    policy: Callable[..., bool] | None = None,
    static_argnums: int | tuple[int, ...] = (),
    static_argnames: str | Iterable[str] = (),
) -> Callable:
    """`func` that saves only its arguments for the backward pass and runs again to get the rest.

    Values and gradients are unchanged; memory goes down, time goes up. PyTorch's
    `torch.utils.checkpoint.checkpoint(func, *args)` is `checkpoint(func)(*args)`.

    Args:
        policy: which intermediate results to keep all the same, one of `jax.checkpoint_policies`.
        static_argnums: positions of arguments that are part of the program, not data.
        static_argnames: the same by name.

    >>> import jax.numpy as jnp
    >>> from funcgrad.transforms import grad
    >>> grad(checkpoint(lambda x: jnp.sin(x)))(0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    return jax.checkpoint(
        func, policy=policy, static_argnums=static_argnums, static_argnames=static_argnames
    )
