"""`vmap`: a function for one example becomes a function for a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import modes
from ..batching import over_batch
from ..dispatch import Face
from .trees import flatten, spread


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """``func`` over one dimension of its arguments, all slices at once.

    As https://pytorch.org/docs/stable/generated/torch.func.vmap.html. ``in_dims``: which dimension
    of each argument, None for none; ``out_dims``: where it goes in the results.

    >>> import stateful as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        leaves, rebuild, dims = _checked(name, in_dims, args)
        size = _size(leaves, dims)
        places = [i for i, d in enumerate(dims) if d is not None]
        shown: dict[str, Any] = {}

        def program(*slices):
            full = list(leaves)
            for place, item in zip(places, slices, strict=True):
                full[place] = item
            outs, shown["rebuild"], shown["structure"] = flatten(func(*rebuild(full), **kwargs))
            shown["outs"] = outs
            _check_outputs(name, outs, out_dims)
            return outs

        previous = modes.vmap.depth, modes.vmap.randomness
        modes.vmap.depth, modes.vmap.randomness = previous[0] + 1, randomness
        try:
            found = over_batch(
                program, [leaves[i] for i in places], [dims[i] for i in places], size
            )
        finally:
            modes.vmap.depth, modes.vmap.randomness = previous
        outputs = spread(out_dims, shown["structure"])
        if outputs is None:
            raise ValueError(
                f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible "
                "with the structure of `outputs`."
            )
        return shown["rebuild"]([_moved(t, d) for t, d in zip(found, outputs, strict=True)])

    return wrapper


def _moved(tensor: Any, dim: int | None) -> Any:
    if tensor is None:
        return None
    return tensor.select(0, 0) if dim is None else tensor if dim == 0 else tensor.movedim(0, dim)


def _checked(name: str, in_dims: Any, args: tuple) -> tuple:
    """The leaves of the arguments, how to put them together again, and their batch dimensions."""
    start = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, int | tuple):
        raise ValueError(
            f"{start}expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
    leaves, rebuild, structure = flatten(args)
    dims = spread(in_dims, structure)
    if dims is None:
        raise ValueError(
            f"{start}in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {flatten(in_dims)[2]} but inputs has structure {structure}."
        )
    return leaves, rebuild, [_dim(start, x, d) for x, d in zip(leaves, dims, strict=True)]


def _dim(start: str, leaf: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but in_dim must be either an integer dimension "
            "or None."
        )
    if not isinstance(leaf, Face.tensor):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We "
            "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
    if not -leaf.ndim <= dim < leaf.ndim:
        raise ValueError(
            f"{start}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
            f"{leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}."
        )
    return dim % leaf.ndim


def _size(leaves: list, dims: list) -> int:
    sizes = [x.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


def _check_outputs(name: str, outs: list, out_dims: Any) -> None:
    for out in outs:
        if not isinstance(out, Face.tensor) and not (out is None and out_dims is None):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(out)}. Did "
                "you mean to set out_dims= to None for output?"
            )
