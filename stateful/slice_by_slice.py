"""Functions whose result has a shape that depends on data, inside of `vmap`: one slice at a time.

As PyTorch's fallback does it. The results of all slices must have the same shape.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes
from .dispatch import wrap
from .execute import Tracer, Value
from .frames import check_look, is_batched, sliced, whole
from .methods import FUNCTIONS
from .tensor import Tensor


def each_slice(function: Callable, tensors: list, **options: Any) -> Any:
    """``function(*tensors, **options)`` of each slice; no gradient flows through it.

    Raises RuntimeError if the shapes of the results differ.
    """
    frames = [f for f in modes.vmap.frames if any(f.batches(t._array) for t in tensors)]
    arrays = [whole(t._array, frames) for t in tensors]
    for tensor, array in zip(tensors, arrays, strict=True):
        if isinstance(array, Tracer):
            check_look(tensor, "item")
    sizes = [frame.size for frame in frames]
    results = [
        function(*(wrap(Value.of(a[place])) for a in arrays), **options).numpy()
        for place in np.ndindex(*sizes)
    ]
    for number, result in enumerate(results):
        if result.shape != results[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(results[0].shape)} at "
                f"entry 0 and {list(result.shape)} at entry {number}: vmap needs results of one "
                "shape from all slices"
            )
    stacked = np.stack(results).reshape(*sizes, *results[0].shape)
    return wrap(Value.of(sliced(stacked, frames)))


def _by_slices(function: Callable) -> Callable:
    """``function``, whose tensors are its positional arguments, slice by slice where it must be."""

    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        if not modes.vmap.frames or not any(map(is_batched, args)):
            return function(*args, **options)
        tensors = [a for a in args if isinstance(a, Tensor)]
        numbers = args[len(tensors) :]
        return each_slice(lambda *slices, **o: function(*slices, *numbers, **o), tensors, **options)

    return wrapper


def _repeating(function: Callable) -> Callable:
    @functools.wraps(function)
    def repeat_interleave(
        input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
    ) -> Any:
        counts = input if repeats is None else repeats
        if not modes.vmap.frames or not is_batched(counts):
            return function(input, repeats, dim, output_size=output_size)
        index = each_slice(function, [counts], output_size=output_size)
        if repeats is None:
            return index
        flat = input.flatten() if dim is None else input
        return flat.index_select(0 if dim is None else dim, index)

    return repeat_interleave


for _name in ("argwhere", "bincount", "histc"):
    FUNCTIONS["torch"][_name] = _by_slices(FUNCTIONS["torch"][_name])
    setattr(Tensor, _name, _by_slices(getattr(Tensor, _name)))
FUNCTIONS["torch"]["repeat_interleave"] = _repeating(FUNCTIONS["torch"]["repeat_interleave"])
Tensor.repeat_interleave = _repeating(Tensor.repeat_interleave)  # type: ignore[attr-defined]
