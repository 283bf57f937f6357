"""`vmap`: a function for one example becomes a function for a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from .. import modes
from ..batching import batch_size, over_batch
from ..dispatch import Face
from ..random import default_generator
from .gradient import joined
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
    name = _name(func)

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        leaves, rebuild, dims = _checked(name, in_dims, args)
        places = [i for i, d in enumerate(dims) if d is not None]
        shown: dict[str, Any] = {}
        if not places:
            raise ValueError("vmap: Expected at least one Tensor to vmap over")

        def program(*slices):
            full = list(leaves)
            for place, item in zip(places, slices, strict=True):
                full[place] = item
            outs, shown["rebuild"], structure = flatten(func(*rebuild(full), **kwargs))
            shown["outs"], shown["dims"] = outs, _checked_outputs(name, outs, structure, out_dims)
            return [out if isinstance(out, Face.tensor) else None for out in outs]

        batched, along = [leaves[i] for i in places], [dims[i] for i in places]
        chunks = [
            over_batch(program, chunk, along, randomness=randomness)
            for chunk in _chunks(batched, along, chunk_size, randomness)
        ]
        found = [
            out if parts[0] is None else _moved(joined(parts), dim)
            for parts, out, dim in zip(zip(*chunks, strict=True), shown["outs"], shown["dims"],
                                       strict=True)
        ]  # fmt: skip
        return shown["rebuild"](found)

    return wrapper


def _name(func: Callable) -> str:
    if isinstance(func, functools.partial):
        return f"functools.partial({_name(func.func)}, ...)"
    return getattr(func, "__name__", repr(func))


def _chunks(tensors: list, dims: list, chunk_size: int | None, randomness: str) -> Iterator[list]:
    """The tensors in chunks of the batch; each starts with the same random state, if wanted."""
    size = batch_size(tensors, dims)
    if chunk_size is None or chunk_size >= size:
        yield tensors
        return
    start = default_generator.state
    parts = [t.split(chunk_size, d) for t, d in zip(tensors, dims, strict=True)]
    for chunk in zip(*parts, strict=True):
        if randomness == "same":
            default_generator.state = start
        yield list(chunk)


def _moved(tensor: Any, dim: int | None) -> Any:
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


def _checked_outputs(name: str, outs: list, structure: Any, out_dims: Any) -> list:
    """The batch dimension of each output; None for one that is the same in all slices."""
    if any(d is not None and not isinstance(d, int) for d in flatten(out_dims)[0]):
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
            "collection of ints representing where in the outputs the vmapped dimension should "
            "appear."
        )
    if structure is None and isinstance(out_dims, tuple) and len(out_dims) == 1:
        dims: list | None = list(out_dims)
    else:
        dims = spread(out_dims, structure)
    if dims is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with "
            "the structure of `outputs`."
        )
    for out, dim in zip(outs, dims, strict=True):
        is_tensor = isinstance(out, Face.tensor)
        if dim is None and is_tensor and modes.vmap.frames[-1].batches(out._array):
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        if dim is not None and not is_tensor:
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(out)}. Did "
                "you mean to set out_dims= to None for output?"
            )
    return dims
