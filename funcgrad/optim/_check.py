"""Checks of what the user passes: PyTorch's exception and phrase, then the rule."""

from typing import Any

import jax
import jax.numpy as jnp

from ._arithmetic import Scalar, is_number


def at_least(value: Scalar, minimum: float, phrase: str) -> None:
    """Refuse a Python number below `minimum`, or NaN; a traced value cannot be judged and
    passes."""
    if is_number(value) and not value >= minimum:
        raise ValueError(f"{phrase}{value}. It must be at least {minimum}: pass such a number.")


def check_lr(lr: Any) -> None:
    """Refuse a negative learning rate."""
    at_least(lr, 0.0, "Invalid learning rate: ")


def check_non_negative(**values: Scalar) -> None:
    """Refuse negative hyper-parameters, each named by its keyword."""
    for name, value in values.items():
        at_least(value, 0.0, f"Invalid {'epsilon' if name == 'eps' else name} value: ")


def check_betas(betas: tuple[Scalar, Scalar]) -> None:
    """Refuse decay rates outside of `[0, 1)`."""
    for index, beta in enumerate(betas):
        if is_number(beta) and not 0.0 <= beta < 1.0:
            raise ValueError(
                f"Invalid beta parameter at index {index}: {beta}. Decay rates lie in [0, 1): "
                "pass such a number."
            )


def check_trees(grads: Any, params: Any, what: str = "gradients") -> None:
    """Refuse trees of different structure or shapes, naming the first leaf that differs."""
    params_at = {
        jax.tree_util.keystr(path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(params)
    }
    grads_at = {
        jax.tree_util.keystr(path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(grads)
    }
    for path in params_at | grads_at:
        if path not in grads_at or path not in params_at:
            lacking = what if path in params_at else "parameters"
            raise ValueError(
                f"The {what} and the parameters are different trees: the {lacking} have no leaf at "
                f"'{path or '(root)'}'. Pass the gradients of these parameters."
            )
        if jnp.shape(grads_at[path]) != jnp.shape(params_at[path]):
            raise ValueError(
                f"The {what} have shape {jnp.shape(grads_at[path])} at '{path or '(root)'}' "
                "where the parameter "
                f"has shape {jnp.shape(params_at[path])}. Pass the gradients of these parameters."
            )
