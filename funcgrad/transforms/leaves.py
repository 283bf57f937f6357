"""Naming and checking the leaves of pytrees: every error about a leaf says where the leaf is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ArrayLike = (jax.Array, np.ndarray, np.generic)


def named_leaves(tree: Any, root: str = "") -> list[tuple[str, Any]]:
    """The leaves of `tree` with their paths, each path starting with `root`.

    >>> named_leaves({"layer": [1.0, 2.0]}, "params")
    [("params['layer'][0]", 1.0), ("params['layer'][1]", 2.0)]
    """
    return [
        (root + jax.tree_util.keystr(path), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    ]


def describe(leaf: Any) -> str:
    """What an error calls a leaf: `float32[2, 3]` for an array, the type's name for the rest.

    >>> describe(jnp.ones((2, 3)))
    'float32[2, 3]'
    >>> describe("text")
    'str'
    """
    if isinstance(leaf, ArrayLike) or hasattr(leaf, "aval"):
        return f"{leaf.dtype}{list(leaf.shape)}"
    return type(leaf).__name__


def is_array(leaf: Any) -> bool:
    """Whether `leaf` is an array: JAX's (a tracer too) or numpy's.

    >>> is_array(np.ones(2)), is_array(1.0)
    (True, False)
    """
    return isinstance(leaf, ArrayLike)


def is_inexact(leaf: Any) -> bool:
    """Whether `leaf` is an array of a floating or complex dtype.

    >>> is_inexact(jnp.ones(2)), is_inexact(jnp.arange(2))
    (True, False)
    """
    return is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def is_complex(leaf: Any) -> bool:
    """Whether `leaf` is an array of a complex dtype.

    >>> is_complex(jnp.ones(2)), is_complex(jnp.ones(2) * 1j)
    (False, True)
    """
    return is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.complexfloating)


def as_differentiable(tree: Any, root: str) -> Any:
    """`tree` with Python floats made arrays; an error for a leaf that has no gradient.

    PyTorch refuses Python numbers where JAX takes them; we take `float` and `complex`, because
    they can only mean one thing, and refuse `int` and integer arrays as both frameworks do.

    Raises:
        RuntimeError: an integer, boolean or key array ("only Tensors of floating point ...").
        ValueError: a leaf that is no number at all.

    >>> as_differentiable({"w": 2.0}, "args[0]")
    {'w': Array(2., dtype=float32, weak_type=True)}
    """

    def check(path: Any, leaf: Any) -> Any:
        name = root + jax.tree_util.keystr(path)
        if isinstance(leaf, float | complex) and not is_array(leaf):
            return jnp.asarray(leaf)
        if isinstance(leaf, bool | int) or (is_array(leaf) and not is_inexact(leaf)):
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients: "
                f"{name} is {describe(leaf)}. Convert it with .astype(jnp.float32), or pass it as "
                "an argument that argnums does not name"
            )
        if not is_array(leaf):
            raise ValueError(
                f"Thing passed to transform API must be Tensor, got {type(leaf)}: {name} is not an "
                "array. Pass it as an argument that argnums does not name, or close over it"
            )
        return jnp.asarray(leaf)

    return jax.tree_util.tree_map_with_path(check, tree)


def check_same_tree(tree: Any, like: Any, message: str) -> None:
    """An error that starts with `message` where `tree` and `like` are built differently.

    Raises:
        RuntimeError: naming both structures and the first path that only one of them has.

    >>> check_same_tree({"a": 1.0}, {"a": 2.0}, "cotangents")
    """
    got, expected = jax.tree.structure(tree), jax.tree.structure(like)
    if got == expected:
        return
    got_paths = [path for path, _ in named_leaves(tree)]
    expected_paths = [path for path, _ in named_leaves(like)]
    missing = [path or "a single leaf" for path in expected_paths if path not in got_paths]
    extra = [path or "a single leaf" for path in got_paths if path not in expected_paths]
    detail = f"; missing: {missing[0]}" if missing else ""
    detail += f"; unexpected: {extra[0]}" if extra else ""
    raise RuntimeError(f"{message}. Got {got}, expected {expected}{detail}")


def conjugate(tree: Any) -> Any:
    """The complex conjugate of every complex leaf; the rest is passed through untouched.

    >>> conjugate((jnp.array(1 + 2j), jnp.array(3.0)))
    (Array(1.-2.j, dtype=complex64, weak_type=True), Array(3., dtype=float32, weak_type=True))
    """
    return jax.tree.map(lambda leaf: jnp.conj(leaf) if is_complex(leaf) else leaf, tree)
