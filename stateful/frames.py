"""The open `vmap` transforms, the outermost first, and which values are batched in which.

A `Frame` knows its tracer of slice numbers. A value is batched in a frame if the tracers that it is
made of belong to the same trace. ``full[number]`` makes a batched value of one that has the batch
in front, and `unbatch` does the reverse.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import modes
from .execute import Tracer, Value


class Frame:
    """One open `vmap`: the number of the slice, the size of the batch, what random ops may do.

    ``level``: how many transforms are open, this one included.
    """

    def __init__(self, number: Any, size: int, randomness: str):
        self.number, self.size, self.randomness = number, size, randomness
        self.level = modes.transforms.open + 1
        self.trace = getattr(number, "_trace", None)

    def batches(self, array: Any) -> bool:
        """Whether ``array`` differs from slice to slice."""
        while isinstance(array, Tracer) and hasattr(array, "batch_dim"):
            if array._trace is self.trace:
                return array.batch_dim is not None
            array = array.val
        return False

    def unbatch(self, array: Any) -> tuple[Any, int | None]:
        """The whole of ``array``, and where the batch is in it; None if it is not batched."""
        tracer: Any = array
        if isinstance(array, Tracer) and getattr(array, "_trace", None) is self.trace:
            return tracer.val, tracer.batch_dim
        return array, None

    def slices(self, whole: Any) -> Any:
        """The slices of an array that has the batch in front."""
        if whole.shape[0] != self.size:
            raise RuntimeError(
                f"vmap: expected a batch of {self.size} slices, got the shape {list(whole.shape)}"
            )
        with jax.enable_x64(True):
            return jax.lax.dynamic_index_in_dim(whole, self.number, 0, keepdims=False)


@contextlib.contextmanager
def opened(number: Any, size: int, randomness: str) -> Iterator[Frame]:
    """Inside, one more `vmap` is open."""
    frame = Frame(number, size, randomness)
    modes.vmap.frames.append(frame)
    modes.transforms.open += 1
    try:
        yield frame
    finally:
        modes.vmap.frames.remove(frame)
        modes.transforms.open -= 1


@contextlib.contextmanager
def outside() -> Iterator[Frame]:
    """Inside, the innermost `vmap` is not open."""
    frame = modes.vmap.frames.pop()
    try:
        yield frame
    finally:
        modes.vmap.frames.append(frame)


def whole(array: Any, frames: Sequence[Frame]) -> Any:
    """``array`` with the batches of ``frames`` in front, those of the outermost first."""
    for frame in reversed(frames):
        array, dim = frame.unbatch(array)
        if dim is None:
            array = jnp.broadcast_to(array, (frame.size, *array.shape))
        else:
            array = jnp.moveaxis(array, dim, 0)
    return array if isinstance(array, Tracer) else np.asarray(array)


def sliced(array: Any, frames: Sequence[Frame]) -> Any:
    """The reverse of `whole`."""
    for frame in frames:
        array = frame.slices(array)
    return array


_LOOKS = {
    "item": "It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations",
    "bool": "It looks like you're attempting to use a Tensor in some data-dependent control flow. "
    "We don't support that yet, please use torch.where instead",
    "either": "It looks like you're either (1) calling .item() on a Tensor or (2) attempting to "
    "use a Tensor in some data-dependent control flow. We don't support that inside of a gradient "
    "inside of vmap, please use torch.where instead",
    "numpy": "Cannot access data pointer of Tensor that doesn't have storage",
}


def is_batched(item: Any) -> bool:
    """Whether an argument is a tensor that differs from slice to slice of an open `vmap`."""
    array = getattr(item, "_array", None)
    return any(frame.batches(array) for frame in modes.vmap.frames)


def check_look(tensor: Any, what: str) -> None:
    """Raise if somebody looks at the elements of a tensor that stands for a whole batch."""
    array = tensor._array
    if any(frame.batches(array) for frame in modes.vmap.frames):
        if what != "numpy" and modes.transforms.levels[-1:] > [modes.vmap.frames[-1].level]:
            what = "either"
        start = "" if what == "numpy" else "vmap: "
        raise RuntimeError(f"{start}{_LOOKS[what]}: a batched Tensor has an element for each slice")


def check_write(target: Any, after: Value) -> Value:
    """What is to be written: batched, if it was.

    Raises RuntimeError if a transform would write to what is not its own, or if what differs from
    slice to slice would be written to what is one for all slices.
    """
    if modes.transforms.depth and checks.captured:
        _check_captured(target._storage)
    before = target._storage.value
    if isinstance(after.array, Tracer) and any(
        frame.batches(after.array) and not frame.batches(before.array)
        for frame in modes.vmap.frames
    ):
        raise RuntimeError(
            "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a "
            "Tensor `other` in extra_args that has more elements than `self`. This happened due to "
            "`other` being vmapped over but `self` not being vmapped over in a vmap. Make `self` "
            "from a vmapped tensor (torch.zeros_like, tensor.new_zeros), or use the op that is not "
            "in-place."
        )
    return batched_like(after, target)


class Checks:
    """``captured``: whether it is known which storages were made inside of a transform."""

    captured: bool = True


checks = Checks()


def _check_captured(storage: Any) -> None:
    born, allowed = getattr(storage, "born", 0), modes.transforms.arguments[-1]
    if born < modes.transforms.depth and all(storage is not s for s in allowed):
        raise RuntimeError(
            "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to "
            "call in-place operation that would mutate a captured Tensor. This is not supported; "
            "please rewrite the function being transformed to explicitly accept the mutated "
            "Tensor(s) as inputs."
        )


def widen(target: Any, like: Any) -> None:
    """Batch what ``target`` is a part of, wherever ``like`` is: so that it can be written there."""
    target._storage.value = batched_like(target._storage.value, like)


def batched_like(value: Value, like: Any) -> Value:
    """``value``, batched wherever the tensor ``like`` is."""
    there, array = like._storage.value.array, value.array
    frames = [f for f in modes.vmap.frames if f.batches(there) and not f.batches(array)]
    if not frames:
        return value
    result = value.read()
    for frame in frames:
        result = frame.slices(jnp.broadcast_to(result, (frame.size, *result.shape)))
    return Value.of(result)
