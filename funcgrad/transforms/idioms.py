"""What PyTorch programs do to `.grad` and `requires_grad`, as functions of gradients and trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from .control import stop_gradient
from .leaves import check_same_tree, conjugate, describe, is_array, named_leaves
from .modules import dotted_name


def _is_none(leaf: Any) -> bool:
    return leaf is None


def accumulate(total: Any, gradients: Any) -> Any:
    """`total + gradients`, leaf by leaf: what the second `backward()` does to `.grad`.

    `None`, for the whole or for a leaf, is a gradient that was not computed yet.

    Raises:
        RuntimeError: trees or shapes that differ, with the path.

    >>> accumulate(None, {"w": jnp.array(1.0)})
    {'w': Array(1., dtype=float32, weak_type=True)}
    >>> accumulate({"w": jnp.array(1.0)}, {"w": jnp.array(2.0)})
    {'w': Array(3., dtype=float32, weak_type=True)}
    """
    if total is None or gradients is None:
        return gradients if total is None else total
    boxed = [jax.tree.map(lambda leaf: 0, tree, is_leaf=_is_none) for tree in (total, gradients)]
    check_same_tree(boxed[1], boxed[0], "accumulate: gradients must be built like the total")

    def add(path: Any, old: Any, new: Any) -> Any:
        if old is None or new is None:
            return new if old is None else old
        if jnp.shape(old) != jnp.shape(new):
            raise RuntimeError(
                f"accumulate: total{jax.tree_util.keystr(path)} is {describe(old)} and the new "
                f"gradient is {describe(new)}"
            )
        return old + new

    return jax.tree_util.tree_map_with_path(add, total, gradients, is_leaf=_is_none)


def zero_grad(gradients: Any, set_to_none: bool = True) -> Any:
    """What accumulation starts from again: `None`, or zeros in the shapes of `gradients`.

    >>> zero_grad({"w": jnp.ones(2)})
    >>> zero_grad({"w": jnp.ones(2)}, set_to_none=False)
    {'w': Array([0., 0.], dtype=float32)}
    """
    return None if set_to_none else jax.tree.map(jnp.zeros_like, gradients)


def partition(tree: Any, chosen: Callable[[str, Any], bool]) -> tuple[Any, Any]:
    """`tree` split in two trees of its shape, with `None` where the other one has the leaf.

    The functional `requires_grad_(False)`: differentiate with respect to the first, close over the
    second, and put them together with `combine`.

    Args:
        chosen: called with the dotted name and the leaf; true puts the leaf in the first tree.

    >>> trainable, frozen = partition({"body": 1.0, "head": 2.0}, lambda name, _: name == "head")
    >>> trainable, frozen
    ({'body': None, 'head': 2.0}, {'body': 1.0, 'head': None})
    """
    mask = jax.tree_util.tree_map_with_path(
        lambda path, leaf: bool(chosen(dotted_name(path), leaf)), tree
    )
    yes = jax.tree.map(lambda keep, leaf: leaf if keep else None, mask, tree)
    no = jax.tree.map(lambda keep, leaf: None if keep else leaf, mask, tree)
    return yes, no


def combine(*trees: Any) -> Any:
    """The inverse of `partition`: at every place the first leaf that is not `None`.

    >>> combine({"body": None, "head": 2.0}, {"body": 1.0, "head": None})
    {'body': 1.0, 'head': 2.0}
    """
    return jax.tree.map(
        lambda *leaves: next((leaf for leaf in leaves if leaf is not None), None),
        *trees,
        is_leaf=_is_none,
    )


def freeze(tree: Any, chosen: Callable[[str, Any], bool]) -> Any:
    """`tree` with `stop_gradient` on the chosen leaves: their gradient is zero, not absent.

    >>> from funcgrad.transforms import grad
    >>> head_only = lambda p: p["body"] * freeze(p, lambda name, _: name == "body")["head"]
    >>> grad(lambda p: head_only(freeze(p, lambda name, _: name == "body")))(
    ...     {"body": 2.0, "head": 3.0})["body"]
    Array(0., dtype=float32, weak_type=True)
    """
    frozen, free = partition(tree, chosen)
    return combine(stop_gradient(frozen), free)


def clip_grad_norm(
    gradients: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> tuple[Any, jax.Array]:
    """`gradients` scaled down to a total norm of at most `max_norm`, and the norm before.

    PyTorch's rule: the factor is `max_norm / (norm + 1e-6)`, never above 1, over the norm of the
    leaves' norms.

    Raises:
        RuntimeError: a norm that is NaN or infinite, with `error_if_nonfinite`, outside of jit.

    >>> clipped, norm = clip_grad_norm({"w": jnp.array([3.0, 4.0])}, 1.0)
    >>> norm, clipped["w"].round(3)
    (Array(5., dtype=float32), Array([0.6, 0.8], dtype=float32))
    """
    leaves = jax.tree.leaves(gradients)
    if not leaves:
        return gradients, jnp.zeros(())
    norms = jnp.stack([jnp.linalg.norm(jnp.ravel(leaf), norm_type) for leaf in leaves])
    total = jnp.linalg.norm(norms, norm_type)
    if error_if_nonfinite and not isinstance(total, Tracer) and not jnp.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            f"so it cannot be clipped: {_first_nonfinite(gradients)} is the first such gradient"
        )
    factor = jnp.minimum(max_norm / (total + 1e-6), 1.0)
    return jax.tree.map(lambda leaf: leaf * factor.astype(leaf.real.dtype), gradients), total


def _first_nonfinite(tree: Any) -> str:
    for path, leaf in named_leaves(tree, "gradients"):
        if not bool(jnp.isfinite(leaf).all()):
            return path
    return "the sum"


def clip_grad_value(gradients: Any, clip_value: float) -> Any:
    """`gradients` with every entry clipped to `[-clip_value, clip_value]`.

    >>> clip_grad_value({"w": jnp.array([-3.0, 0.5])}, 1.0)
    {'w': Array([-1. ,  0.5], dtype=float32)}
    """
    return jax.tree.map(lambda leaf: jnp.clip(leaf, -clip_value, clip_value), gradients)


def register_hook(tree: Any, hook: Callable[[Any], Any]) -> Any:
    """`tree` unchanged, whose gradient passes through `hook`: `tensor.register_hook` as a value.

    `hook` gets the gradient (a tree like `tree`) and returns what takes its place, or None to leave
    it. Use the returned value where the gradient should be seen. Complex gradients are PyTorch's.

    >>> from funcgrad.transforms import grad
    >>> grad(lambda x: register_hook(x, lambda gradient: 10 * gradient) ** 2)(3.0)
    Array(60., dtype=float32, weak_type=True)
    """

    @jax.custom_vjp
    def identity(value: Any) -> Any:
        return value

    def backward(_: None, cotangent: Any) -> tuple:
        gradient = conjugate(cotangent)
        replaced = hook(gradient)
        if replaced is None:
            return (cotangent,)
        check_same_tree(replaced, gradient, "register_hook: the hook must return a gradient's tree")
        return (conjugate(jax.tree.map(_shaped_like, replaced, gradient)),)

    identity.defvjp(lambda value: (value, None), backward)
    return identity(jax.tree.map(lambda leaf: leaf if is_array(leaf) else jnp.asarray(leaf), tree))


def _shaped_like(new: Any, old: Any) -> Any:
    if jnp.shape(new) != old.shape:
        raise RuntimeError(
            f"hook has changed the size of value: it returned {describe(new)} for a gradient of "
            f"{describe(old)}"
        )
    new = jnp.asarray(new)
    return new if new.dtype == old.dtype else new.astype(old.dtype)
