"""`vmap` with torch.func's arguments and errors, and `per_sample_grad` on top of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .gradient import grad, normalize_argnums
from .leaves import describe, is_array, named_leaves
from .randomness import check_mode, has_own_split, is_random_state, split_state


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
    axis_name: Any = None,
) -> Callable:
    """A function that maps `func` over one axis of its arguments, all calls at once.

    Args:
        in_dims: which axis of each argument to map over: an int for all, or a tuple with an int, a
            pytree of ints or None (not mapped) per argument. Negative axes count from the end.
            Arguments passed by keyword are not mapped.
        out_dims: where the new axis stands in each output; None for an output that is the same
            in every call.
        randomness: "error", "same" or "different": what happens to a random state that is not
            mapped (see `funcgrad.transforms.randomness`).
        chunk_size: map over at most this many calls at once: less memory, more time.
        axis_name: a name for the axis, for `jax.lax.psum` and its like.

    Raises:
        ValueError: nothing to map over, axes or sizes that do not fit, outputs that are not arrays.
        RuntimeError: a random state that is not mapped, under `randomness="error"`.

    >>> vmap(jnp.dot)(jnp.ones((2, 3)), jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    >>> vmap(jnp.dot, in_dims=(0, None))(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    check_mode(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = f"vmap({getattr(func, '__name__', type(func).__name__)}"
    if not isinstance(in_dims, int | tuple | list):
        raise ValueError(
            f"{name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a "
            "(potentially nested) tuple matching the structure of inputs, got: "
            f"{type(in_dims)}."
        )

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        where = f"{name}, in_dims={in_dims}, ...)(<inputs>)"
        leaves, structure = jax.tree.flatten(args, is_leaf=has_own_split)
        dims = _leaf_dims(where, in_dims, args, leaves)
        size = _mapped_size(where, args, dims)
        leaves, dims = _apply_randomness(leaves, dims, size, randomness)
        leaves, dims, structure = _opened(structure, leaves, dims)
        fixed = jax.tree.map(
            lambda leaf: _unmapped_state(leaf, randomness), kwargs, is_leaf=has_own_split
        )

        def call(*mapped_leaves: Any) -> Any:
            full = _merge(leaves, dims, mapped_leaves)
            output = func(*jax.tree.unflatten(structure, full), **fixed)
            return _check_outputs(f"{name}, ...)", output, out_dims)

        chosen = [leaf for leaf, dim in zip(leaves, dims, strict=True) if dim is not None]
        axes = [dim for dim in dims if dim is not None]
        if chunk_size is None or chunk_size >= size:
            return _place(name, call, axes, out_dims, axis_name)(*chosen)
        return _in_chunks(name, call, chosen, axes, out_dims, axis_name, chunk_size, size)

    return mapped


def _leaf_dims(where: str, in_dims: Any, args: tuple, leaves: list) -> list[int | None]:
    """The axis to map for each leaf of `args`, checked and made non-negative."""
    if not args:
        raise ValueError(
            f"{where}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
            "over a function with no inputs. The latter is unsupported."
        )
    spec = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    spread = _broadcast(spec, args, has_own_split)
    if spread is None:
        raise ValueError(
            f"{where}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {jax.tree.structure(spec, is_leaf=_is_none)} but inputs has structure "
            f"{jax.tree.structure(args)}. Give one entry per positional argument, None for an "
            "argument that is not mapped"
        )
    paths = [path for path, _ in _named(args)]
    return [_leaf_dim(where, *item) for item in zip(paths, leaves, spread, strict=True)]


def _is_none(leaf: Any) -> bool:
    return leaf is None


def _named(args: tuple) -> list[tuple[str, Any]]:
    flat = jax.tree_util.tree_flatten_with_path(args, is_leaf=has_own_split)[0]
    return [("args" + jax.tree_util.keystr(path), leaf) for path, leaf in flat]


def _broadcast(prefix: Any, tree: Any, is_leaf: Callable | None = None) -> list | None:
    """One boxed entry of `prefix` for every leaf of `tree`, or None if it does not fit."""
    try:
        return jax.tree.leaves(
            jax.tree.map(
                lambda dim, part: jax.tree.map(lambda _: _Box(dim), part, is_leaf=is_leaf),
                prefix,
                tree,
                is_leaf=_is_none,
            ),
        )
    except ValueError:
        return None


class _Box:
    """Keeps None a leaf."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _leaf_dim(where: str, path: str, leaf: Any, box: _Box) -> int | None:
    dim = box.value
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{where}: Got in_dim={dim} for {path} but in_dim must be either an integer dimension "
            "or None."
        )
    leaf = _first_array(leaf)
    if not is_array(leaf):
        raise ValueError(
            f"{where}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We "
            f"cannot vmap over non-Tensor arguments, please use None as the respective in_dim "
            f"(the input is {path})"
        )
    if not -leaf.ndim <= dim < leaf.ndim:
        raise ValueError(
            f"{where}: Got in_dim={dim} for some input, but that input is a Tensor of "
            f"dimensionality {leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < "
            f"{leaf.ndim}. The input is {path}, {describe(leaf)}"
        )
    return dim % leaf.ndim


def _first_array(leaf: Any) -> Any:
    """A leaf itself; of a random state that is made of arrays, one with the fewest dimensions."""
    arrays = jax.tree.leaves(leaf) if has_own_split(leaf) else []
    return min(arrays, key=jnp.ndim) if arrays else leaf


def _mapped_size(where: str, args: tuple, dims: list[int | None]) -> int:
    sizes = {
        path: _first_array(leaf).shape[dim]
        for (path, leaf), dim in zip(_named(args), dims, strict=True)
        if dim is not None
    }
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over: every in_dim is None")
    if len(set(sizes.values())) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{list(sizes.values())} for the mapped dimension: {sizes}"
        )
    return next(iter(sizes.values()))


def _apply_randomness(leaves: list, dims: list, size: int, mode: str) -> tuple[list, list]:
    leaves, dims = list(leaves), list(dims)
    for i, (leaf, dim) in enumerate(zip(leaves, dims, strict=True)):
        if dim is None and is_random_state(leaf):
            _unmapped_state(leaf, mode)
            if mode == "different":
                leaves[i], dims[i] = split_state(leaf, size), 0
    return leaves, dims


def _opened(structure: Any, leaves: list, dims: list) -> tuple[list, list, Any]:
    """As given, with the arrays of each random state as leaves of their own."""
    arrays = [jax.tree.leaves(leaf) if has_own_split(leaf) else [leaf] for leaf in leaves]
    spread = [dim for dim, part in zip(dims, arrays, strict=True) for _ in part]
    opened = jax.tree.structure(jax.tree.unflatten(structure, leaves))
    return [a for part in arrays for a in part], spread, opened


def _unmapped_state(leaf: Any, mode: str) -> Any:
    if mode == "error" and is_random_state(leaf):
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode: a random state that is "
            "not mapped would be used by every call. Please either use the 'same' or 'different' "
            "randomness flags on vmap, or split the state and map over the parts"
        )
    return leaf


def _merge(leaves: list, dims: list, mapped_leaves: Sequence) -> list:
    remaining = iter(mapped_leaves)
    return [
        leaf if dim is None else next(remaining) for leaf, dim in zip(leaves, dims, strict=True)
    ]


def _check_outputs(name: str, output: Any, out_dims: Any) -> Any:
    dims = _broadcast(tuple(out_dims) if isinstance(out_dims, list) else out_dims, output)
    if dims is None:
        raise ValueError(
            f"{name}: out_dims is not compatible with the structure of `outputs`. out_dims has "
            f"structure {jax.tree.structure(out_dims, is_leaf=_is_none)} but outputs has "
            f"structure {jax.tree.structure(output)}."
        )
    for (path, leaf), box in zip(named_leaves(output, "output"), dims, strict=True):
        if not is_array(leaf):
            raise ValueError(
                f"{name}: the function must only return Tensors, got type {type(leaf)} at {path}. "
                "Return an array (jnp.asarray), or compute it outside of vmap"
            )
        if box.value is not None and not -leaf.ndim - 1 <= box.value <= leaf.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-leaf.ndim - 1}, "
                f"{leaf.ndim}], but got {box.value}) for {path}"
            )
    return output


def _place(name: str, call: Callable, axes: list, out_dims: Any, axis_name: Any) -> Callable:
    out_axes = tuple(out_dims) if isinstance(out_dims, list) else out_dims
    mapped = jax.vmap(
        lambda leaves: call(*leaves), in_axes=(axes,), out_axes=out_axes, axis_name=axis_name
    )

    def run(*leaves: Any) -> Any:
        try:
            return mapped(list(leaves))
        except ValueError as error:
            if "out_axes" in str(error) and "None" in str(error):
                raise ValueError(
                    f"{name}, ...): can not return a BatchedTensor when out_dim is None: the "
                    "output differs between calls. Give it an integer out_dim"
                ) from error
            raise

    return run


def _in_chunks(
    name: str,
    call: Callable,
    leaves: list,
    axes: list,
    out_dims: Any,
    axis_name: Any,
    chunk_size: int,
    size: int,
) -> Any:
    """The map done `chunk_size` calls at a time, one compiled loop over the whole chunks."""
    first = [jnp.moveaxis(leaf, axis, 0) for leaf, axis in zip(leaves, axes, strict=True)]
    # Inside a chunk every output's new axis is its first; out_dims is applied to the whole.
    in_front = _place(name, call, [0] * len(first), 0, axis_name)
    whole = size // chunk_size * chunk_size
    chunks = [leaf[:whole].reshape(-1, chunk_size, *leaf.shape[1:]) for leaf in first]
    parts = [jax.lax.map(lambda chunk: in_front(*chunk), chunks)]
    parts[0] = jax.tree.map(lambda leaf: leaf.reshape(whole, *leaf.shape[2:]), parts[0])
    if whole < size:
        parts.append(in_front(*[leaf[whole:] for leaf in first]))
    joined = jax.tree.map(lambda *blocks: jnp.concatenate(blocks), *parts)
    dims = _broadcast(tuple(out_dims) if isinstance(out_dims, list) else out_dims, joined)
    outputs, structure = jax.tree.flatten(joined)
    placed = [
        leaf[0] if box.value is None else jnp.moveaxis(leaf, 0, box.value)
        for leaf, box in zip(outputs, dims or [], strict=True)
    ]
    return jax.tree.unflatten(structure, placed)


def per_sample_grad(
    func: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    in_dims: Any = None,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable:
    """A function that computes one gradient per sample instead of their sum: `vmap(grad(func))`.

    `func(params, *sample)` is the loss of one sample. Each gradient leaf gains a leading axis, one
    entry per sample.

    Args:
        in_dims: as for `vmap`. By default the arguments that `argnums` names are shared and every
            other positional argument is mapped over its first axis.

    >>> loss = lambda w, x: (w * x).sum()
    >>> per_sample_grad(loss)(jnp.ones(2), jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    gradient = grad(func, argnums, has_aux)

    @functools.wraps(func)
    def gradients(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims
        if dims is None:
            positions = normalize_argnums(argnums, len(args))
            shared = (positions,) if isinstance(positions, int) else positions
            dims = tuple(None if i in shared else 0 for i in range(len(args)))
        mapped = vmap(gradient, dims, randomness=randomness, chunk_size=chunk_size)
        return mapped(*args, **kwargs)

    return gradients
