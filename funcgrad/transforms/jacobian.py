"""`jacrev`, `jacfwd`, `hessian` and `laplacian`: every entry of a derivative, or its trace."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .gradient import split_arguments, split_aux
from .leaves import describe, is_complex, named_leaves
from .products import jvp, vjp
from .randomness import check_mode


def _check_real(name: str, what: str, tree: Any) -> None:
    for path, leaf in named_leaves(tree, what):
        if is_complex(leaf):
            raise RuntimeError(
                f"{name}: Expected all {what}s to be real but received complex tensor at flattened "
                f"{what} idx: {path}, {describe(leaf)}. Differentiate the real and imaginary parts "
                "apart, or use vjp"
            )


def _sizes(leaves: Sequence[Any]) -> list[int]:
    return [math.prod(leaf.shape) for leaf in leaves]


def _basis_vector(index: Any, like: Any) -> Any:
    """The unit vector number `index` of the space that the leaves of `like` span together."""
    leaves, structure = jax.tree.flatten(like)
    vectors, offset = [], 0
    for leaf, size in zip(leaves, _sizes(leaves), strict=True):
        unit = jnp.arange(offset, offset + size) == index
        vectors.append(unit.reshape(leaf.shape).astype(leaf.dtype))
        offset += size
    return jax.tree.unflatten(structure, vectors)


def _map_basis(row: Callable, like: Any, chunk_size: int | None) -> Any:
    """`row` of every unit vector of `like`, stacked; at most `chunk_size` of them at once."""
    indices = jnp.arange(sum(_sizes(jax.tree.leaves(like))))
    one = lambda index: row(_basis_vector(index, like))  # noqa: E731
    if chunk_size is None or chunk_size >= indices.size:
        return jax.vmap(one)(indices)
    return jax.lax.map(one, indices, batch_size=chunk_size)


def _check_chunk_size(name: str, chunk_size: int | None) -> None:
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"{name}: `chunk_size` should be greater than 0. (got {chunk_size})")


def _split(rows: jax.Array, leaves: Sequence[Any]) -> list[jax.Array]:
    """The first axis of `rows` cut into one block per leaf, each reshaped to the leaf's shape."""
    blocks, offset = [], 0
    for leaf, size in zip(leaves, _sizes(leaves), strict=True):
        blocks.append(rows[offset : offset + size].reshape(leaf.shape + rows.shape[1:]))
        offset += size
    return blocks


def jacrev(
    func: Callable,
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable:
    """A function that computes the Jacobian of `func`, one reverse pass per output entry.

    The result has the tree of the output, in whose leaves stand trees of the argument (a tuple of
    them if `argnums` is a tuple), in whose leaves stand arrays of shape
    `output.shape + argument.shape`. With `has_aux` the result is `(jacobian, aux)`.

    Args:
        chunk_size: compute this many rows at once (all by default): less memory, more time.

    Raises:
        RuntimeError: complex or integer arguments, complex outputs.
        ValueError: a `chunk_size` below one.

    >>> jacrev(lambda x: x**2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    _check_chunk_size("jacrev", chunk_size)

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals, single = split_arguments(func, argnums, args, kwargs)
        _check_real("jacrev", "input", primals)
        if has_aux:
            output, pullback, aux = vjp(of_chosen, *primals, has_aux=True)
        else:
            (output, pullback), aux = vjp(of_chosen, *primals), None
        _check_real("jacrev", "output", output)
        outputs, output_tree = jax.tree.flatten(output)
        rows = _map_basis(pullback, output, chunk_size)
        row_leaves, input_tree = jax.tree.flatten(rows[0] if single else rows)
        columns = [_split(leaf, outputs) for leaf in row_leaves]
        blocks = [jax.tree.unflatten(input_tree, block) for block in zip(*columns, strict=True)]
        result = jax.tree.unflatten(output_tree, blocks)
        return (result, aux) if has_aux else result

    return jacobian


def jacfwd(
    func: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable:
    """A function that computes the Jacobian of `func`, one forward pass per argument entry.

    Cheaper than `jacrev` when the arguments have fewer entries than the output. The result is
    laid out as `jacrev`'s. `randomness` has nothing to decide here: samplers take their state
    explicitly and every pass sees the same one; it is there because PyTorch has it.

    >>> jacfwd(lambda x: x**2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    _check_chunk_size("jacfwd", chunk_size)
    check_mode(randomness)

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals, single = split_arguments(func, argnums, args, kwargs)
        _check_real("jacfwd", "input", primals)

        def output_and_aux(*values: Any) -> tuple[Any, Any]:
            output = of_chosen(*values)
            return split_aux(output, "jacfwd") if has_aux else (output, None)

        def column(tangents: Any) -> tuple[Any, Any]:
            _, tangent, aux = jvp(output_and_aux, primals, tangents, has_aux=True)
            _check_real("jacfwd", "output", tangent)
            return tangent, aux

        columns, aux = _map_basis(column, primals, chunk_size)
        column_leaves, output_tree = jax.tree.flatten(columns)
        inputs, input_tree = jax.tree.flatten(primals[0] if single else primals)
        blocks = [
            jax.tree.unflatten(input_tree, map(_axes_last, _split(leaf, inputs), inputs))
            for leaf in column_leaves
        ]
        result = jax.tree.unflatten(output_tree, blocks)
        return (result, jax.tree.map(lambda leaf: leaf[0], aux)) if has_aux else result

    return jacobian


def _axes_last(block: jax.Array, leaf: Any) -> jax.Array:
    """An array of shape `leaf.shape + output.shape` with the two halves exchanged."""
    count = len(leaf.shape)
    return jnp.moveaxis(block, tuple(range(count)), tuple(range(-count, 0)))


def hessian(func: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """A function that computes the Hessian of `func`: `jacfwd(jacrev(func))`.

    For `argnums=(0, 1)` it is a tuple of tuples, for pytrees a tree of trees.

    >>> hessian(lambda x: (x**3).sum())(jnp.array([1.0, 2.0]))
    Array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    return jacfwd(jacrev(func, argnums), argnums)


def laplacian(
    func: Callable, argnums: int | Sequence[int] = 0, *, chunk_size: int | None = None
) -> Callable:
    """A function that computes the sum of `func`'s unmixed second derivatives.

    The trace of the Hessian over all entries of the chosen arguments, forward over forward and
    without the Hessian. The result has the tree and shapes of `func`'s output.

    >>> laplacian(lambda x: (x**3).sum())(jnp.array([1.0, 2.0]))
    Array(18., dtype=float32)
    """
    _check_chunk_size("laplacian", chunk_size)

    @functools.wraps(func)
    def trace(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals, _ = split_arguments(func, argnums, args, kwargs)
        _check_real("laplacian", "input", primals)

        def second(direction: tuple) -> Any:
            slope = lambda *values: jvp(of_chosen, values, direction)[1]  # noqa: E731
            return jvp(slope, primals, direction)[1]

        return jax.tree.map(lambda leaf: leaf.sum(0), _map_basis(second, primals, chunk_size))

    return trace
