"""Random numbers inside of `vmap`: `randomness` says whether slices get the same or others.

As in PyTorch, the numbers of all slices are drawn at once, in the shape that has the batch in
front.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import modes
from .execute import Tracer, Value
from .frames import Frame, sliced, whole
from .random import Generator, default_generator


def draw(generator: Generator | None, sampler: Callable, *args: Any) -> Value:
    """One draw of ``sampler(state, *args)``.

    Inside of `vmap` the first of ``args`` has to be the shape; tensors among them broadcast to it.
    """
    frames = random_frames(args)
    ndim = None
    if frames:
        shape = (*(f.size for f in frames), *args[0])
        args, ndim = (shape, *args[1:]), len(shape)
    given = [numbers(a, frames, ndim) for a in args]
    return Value.of(sliced((generator or default_generator).draw(sampler, *given), frames))


def draw_each(generator: Generator | None, sampler: Callable, *args: Any) -> Value:
    """A draw that has no batched form: one for each slice."""
    frames = random_frames(())
    generator = generator or default_generator
    sizes = [f.size for f in frames]
    drawn = [generator.draw(sampler, *args) for _ in range(math.prod(sizes))]
    if not frames:
        return Value.of(drawn[0])
    return Value.of(sliced(np.stack(drawn).reshape(*sizes, *drawn[0].shape), frames))


def draw_from(generator: Generator | None, sampler: Callable, *given: Any) -> Value:
    """A draw whose shape is that of the tensors ``given``, its parameters."""
    frames = random_frames(given)
    arrays = [numbers(x, frames) for x in given]
    return Value.of(sliced((generator or default_generator).draw(sampler, *arrays), frames))


def draw_rows(generator: Generator | None, sampler: Callable, rows: Any, *args: Any) -> Value:
    """A draw for each row of the tensor ``rows``."""
    frames = random_frames((rows,))
    array = numbers(rows, frames)
    flat = array.reshape(-1, array.shape[-1]) if frames else array
    drawn = (generator or default_generator).draw(sampler, flat, *args)
    if frames:
        drawn = drawn.reshape(*array.shape[:-1], drawn.shape[-1])
    return Value.of(sliced(drawn, frames))


def random_frames(args: Sequence) -> list[Frame]:
    """The open `vmap`s whose slices get numbers of their own, for an op with these arguments."""
    frames = modes.vmap.frames
    given = [_array(a) for a in args]
    for frame in reversed(frames):
        if frame.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use "
                "the 'same' or 'different' randomness flags on vmap or perform the randomness "
                "operation out of vmap"
            )
        if frame.randomness == "same" and any(frame.batches(a) for a in given):
            raise RuntimeError(
                "Vmap does not currently support same randomness with a batched tensor input: its "
                "slices differ. Use randomness='different', or draw outside of vmap."
            )
    return [frame for frame in frames if frame.randomness == "different"]


def check_target(tensor: Any) -> None:
    """Raise if a tensor that is one for all slices is to get other numbers in each."""
    for frame in random_frames(()):
        if not frame.batches(tensor._storage.value.array):
            raise RuntimeError(
                "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This "
                "will appear like same randomness. Use randomness='same', or a tensor made from a "
                "batched one."
            )


def numbers(given: Any, frames: Sequence[Frame], ndim: int | None = None) -> Any:
    """What a sampler takes: a number, a tracer under a trace, else a numpy array.

    ``ndim``: how many dimensions it broadcasts to, batches included.
    """
    array = _array(given)
    if array is None:
        return given
    if frames:
        array = whole(array, frames)
        missing = 0 if ndim is None else ndim - array.ndim
        array = array.reshape(*array.shape[: len(frames)], *[1] * missing,
                              *array.shape[len(frames) :])  # fmt: skip
    return array if isinstance(array, Tracer) else np.asarray(array)


def _array(given: Any) -> Any:
    """The array of a tensor; None for a number."""
    return given._array if hasattr(given, "_storage") else None
