"""Which leaf went bad first: the search that follows a loss that is not finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..transforms import value_and_grad
from ..transforms.leaves import is_inexact, named_leaves


class NonFiniteError(FloatingPointError):
    """Training met NaN or infinity. `step` and `leaf` say where first."""

    def __init__(self, message: str, step: int, leaf: str) -> None:
        super().__init__(message)
        self.step = step
        self.leaf = leaf


def all_finite(tree: Any) -> jax.Array:
    """Whether every inexact entry of `tree` is finite. Runs under jit.

    >>> bool(all_finite({"a": jnp.ones(2), "b": jnp.array(jnp.inf)}))
    False
    """
    checks = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree) if is_inexact(leaf)]
    return jnp.stack(checks).all() if checks else jnp.array(True)


def first_bad_leaf(tree: Any, root: str) -> str | None:
    """The path and the value of the first entry of `tree` that is not finite.

    >>> first_bad_leaf({"w": jnp.array([1.0, jnp.nan])}, "params")
    "params['w'][1] is nan"
    """
    for name, leaf in named_leaves(tree, root):
        if not is_inexact(leaf):
            continue
        array = np.asarray(leaf)
        finite = np.isfinite(array.astype(np.complex64 if array.dtype.kind == "c" else np.float32))
        if not finite.all():
            index = tuple(int(i) for i in np.argwhere(~finite)[0])
            place = f"{list(index)}" if index else ""
            return f"{name}{place} is {array[index]}"
    return None


def explain(
    loss_fn: Callable,
    optimizer: optax.GradientTransformation,
    state: Any,
    batch: tuple,
    has_aux: bool,
) -> str | None:
    """The first bad leaf of one step, in the order in which a step computes: or None.

    >>> from funcgrad.train import init_state
    >>> loss, optimizer = lambda p, x: (jnp.sqrt(p["w"]) * x).sum(), optax.sgd(0.1)
    >>> state = init_state({"w": jnp.array([0.0, 1.0])}, optimizer)
    >>> explain(loss, optimizer, state, (jnp.ones(2),), False)
    "gradient['w'][0] is inf"
    """
    for tree, root in ((state.params, "params"), (batch[0], "batch")):
        if bad := first_bad_leaf(tree, root):
            return bad
    value, gradient = value_and_grad(loss_fn, has_aux=has_aux)(state.params, *batch)
    loss = value[0] if has_aux else value
    updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
    for tree, root in (
        (gradient, "gradient"),
        (loss, "loss"),
        (updates, "update"),
        (optimizer_state, "optimizer_state"),
        (optax.apply_updates(state.params, updates), "updated params"),
    ):
        if bad := first_bad_leaf(tree, root):
            return bad
    return None
