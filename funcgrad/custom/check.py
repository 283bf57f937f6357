"""`check_rule`: is a derivative what finite differences say it is, and if not, in which entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..transforms.leaves import is_array, is_complex, is_inexact, named_leaves
from .rule import Rule


def check_rule(
    fn: Callable,
    *args: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    forward_mode: bool | None = None,
) -> None:
    """Compare the derivative of `fn` at `args` with central differences, entry by entry.

    Runs in double precision, whatever the dtypes of `args`, without changing JAX's settings. Inputs
    of integer dtype are held fixed. At a kink, where the slopes from the left and from the right
    differ, any value between the two passes: it is a subgradient.

    Args:
        fn: a `Rule`, or any function from arrays and pytrees to arrays and pytrees.
        eps, atol, rtol: the step and the tolerances, with `torch.autograd.gradcheck`'s defaults.
        forward_mode: check forward mode too. By default where a `Rule` has one.

    Raises:
        AssertionError: naming the input entry, the output entry, what the rule says and what the
            differences say.

    >>> from funcgrad.custom import rule
    >>> @rule(vjp=dict(input=lambda grad, input: grad * input))
    ... def square(input):
    ...     return input * input
    >>> check_rule(square, jnp.array([1.0, 3.0]))
    Traceback (most recent call last):
        ...
    AssertionError: square: reverse mode is wrong in 2 of 4 entries. The worst: d output[1] / d \
args[0][1] is 3.0 by the rule and 6.0 by finite differences
    """
    if forward_mode is None:
        forward_mode = isinstance(fn, Rule) and fn.forward_mode
    with jax.enable_x64(True):
        args = jax.tree.map(_double, args)
        inputs, rebuild = _as_reals(args, "args")
        function = lambda vector: _as_reals(fn(*rebuild(vector)), "output")[0].vector  # noqa: E731
        rows = _as_reals(fn(*args), "output")[0].names
        left, middle, right = _differences(function, inputs.vector, eps)
        modes = {"reverse mode": jax.jacrev(function)}
        if forward_mode:
            modes["forward mode"] = jax.jacfwd(function)
        for mode, jacobian in modes.items():
            said = np.asarray(jacobian(inputs.vector)).reshape(len(rows), len(inputs.names))
            wrong = _wrong_entries(said, left, middle, right, atol, rtol)
            if wrong.any():
                name = getattr(fn, "__name__", repr(fn))
                raise AssertionError(
                    f"{name}: {mode} is wrong in {wrong.sum()} of {wrong.size} entries. The worst: "
                    + _worst(wrong, said, left, middle, right, rows, inputs.names)
                )


class _Reals:
    """The inexact entries of a pytree as one vector of reals, and a name for each."""

    def __init__(self, vector: Any, names: list[str]) -> None:
        self.vector = vector
        self.names = names


def _double(leaf: Any) -> Any:
    leaf = jnp.asarray(leaf) if isinstance(leaf, float | complex) else leaf
    if not is_inexact(leaf):
        return leaf
    return jnp.asarray(np.asarray(leaf), jnp.complex128 if is_complex(leaf) else jnp.float64)


def _as_reals(tree: Any, root: str) -> tuple[_Reals, Callable]:
    """The entries of `tree` as reals, and the way back."""
    leaves, structure = jax.tree.flatten(tree)
    parts, names = [jnp.zeros(0)], []
    for path, leaf in named_leaves(tree, root):
        if not is_inexact(leaf):
            continue
        entries = [f"{path}{list(index) if index else ''}" for index in np.ndindex(leaf.shape)]
        parts += [leaf.real.ravel(), leaf.imag.ravel()] if is_complex(leaf) else [leaf.ravel()]
        suffixes = (".real", ".imag") if is_complex(leaf) else ("",)
        names += [entry + suffix for suffix in suffixes for entry in entries]

    def rebuild(vector: Any) -> Any:
        rebuilt, offset = [], 0
        for leaf in leaves:
            if not is_inexact(leaf):
                rebuilt.append(leaf)
                continue
            block = vector[offset : offset + leaf.size].reshape(leaf.shape)
            offset += leaf.size
            if is_complex(leaf):
                imaginary = vector[offset : offset + leaf.size].reshape(leaf.shape)
                block, offset = jax.lax.complex(block, imaginary), offset + leaf.size
            rebuilt.append(block)
        return jax.tree.unflatten(structure, rebuilt)

    arrays = [part for part in parts if is_array(part)]
    return _Reals(jnp.concatenate(arrays), names), rebuild


def _differences(function: Callable, vector: Any, eps: float) -> tuple:
    """The slopes from the left, central and from the right: one column per input entry."""
    at = np.asarray(function(vector))
    left, middle, right = (np.zeros((at.size, vector.size)) for _ in range(3))
    for i in range(vector.size):
        before = np.asarray(function(vector.at[i].add(-eps)))
        after = np.asarray(function(vector.at[i].add(eps)))
        left[:, i], right[:, i] = (at - before) / eps, (after - at) / eps
        middle[:, i] = (after - before) / (2 * eps)
    return left, middle, right


def _wrong_entries(said: Any, left: Any, middle: Any, right: Any, atol: float, rtol: float) -> Any:
    tolerance = atol + rtol * np.abs(middle)
    inside = (np.minimum(left, right) - tolerance <= said) & (
        said <= np.maximum(left, right) + tolerance
    )
    return ~(np.abs(said - middle) <= tolerance) & ~inside


def _worst(
    wrong: Any, said: Any, left: Any, middle: Any, right: Any, rows: list, columns: list
) -> str:
    distance = np.where(wrong, np.nan_to_num(np.abs(said - middle), nan=np.inf), -1.0)
    i, j = np.unravel_index(np.argmax(distance), distance.shape)
    text = (
        f"d {rows[i]} / d {columns[j]} is {said[i, j]:.6} by the rule and "
        f"{middle[i, j]:.6} by finite differences"
    )
    if abs(left[i, j] - right[i, j]) > 1e-3 * (1 + abs(middle[i, j])):
        text += (
            f" (a kink: {left[i, j]:.6} from the left, {right[i, j]:.6} from the right; any value "
            "between would do)"
        )
    return text
