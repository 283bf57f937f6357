"""Where `fit` gets its batches: arrays, a function of the step, or any iterable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from ..transforms.leaves import describe, is_array, named_leaves


class Source(Protocol):
    """What the training loop asks of its data. A batch is a function of the step number alone."""

    def constants(self) -> Any:
        """Arrays that every step may use; handed to the compiled loop once."""
        ...

    def chunk(self, start: int, length: int) -> Any:
        """What the steps `start, start + 1, ...` need, stacked along a first axis, or None."""
        ...

    def batch(self, constants: Any, item: Any, step: Any) -> Any:
        """One batch, computed inside the compiled loop."""
        ...


def make_source(data: Any, batch_size: int | None, shuffle: bool, seed: int) -> Source:
    """The `Source` for what a user passed as data.

    >>> type(make_source({"x": np.ones((4, 2))}, 2, True, 0)).__name__
    'ArraySource'
    """
    if callable(data):
        return FunctionSource(data)
    leaves = [] if isinstance(data, Iterator | list) else jax.tree.leaves(data)
    if leaves and all(map(is_array, leaves)):
        return ArraySource(data, batch_size, shuffle, seed)
    if isinstance(data, Iterable):
        return IterableSource(data)
    raise TypeError(
        f"fit: data is {describe(data)}; pass a pytree of arrays, a function from the step number "
        "to a batch, or an iterable of batches"
    )


class ArraySource:
    """Batches cut from arrays with a common first axis, in a new order every epoch.

    The order is a function of the seed and the epoch. What does not fill a batch at the end of an
    epoch is left out. Without a batch size every batch is the whole data.

    >>> source = ArraySource(np.arange(5), 2, shuffle=False, seed=0)
    >>> source.chunk(0, 3)
    array([[0, 1],
           [2, 3],
           [0, 1]], dtype=int32)
    """

    def __init__(self, arrays: Any, batch_size: int | None, shuffle: bool, seed: int) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        if batch_size is not None:
            self.count = _common_length(arrays)
            if not 0 < batch_size <= self.count:
                raise ValueError(
                    f"fit: batch_size={batch_size} does not fit data of {self.count} samples"
                )
            self.per_epoch = self.count // batch_size
        for name, leaf in named_leaves(arrays, "data"):
            if leaf.size == 0:
                raise ValueError(f"fit: {name} is empty, {describe(leaf)}")
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int32))

    def constants(self) -> Any:
        return jax.tree.map(jnp.asarray, self.arrays)

    def chunk(self, start: int, length: int) -> Any:
        if self.batch_size is None:
            return None
        return np.stack([self._indices(step) for step in range(start, start + length)])

    def batch(self, constants: Any, item: Any, step: Any) -> Any:
        if self.batch_size is None:
            return constants
        return jax.tree.map(lambda array: jnp.take(array, item, axis=0), constants)

    def _indices(self, step: int) -> np.ndarray:
        epoch, position = divmod(step, self.per_epoch)
        size = self.batch_size or self.count
        if self._order[0] != epoch:
            order = np.arange(self.count, dtype=np.int32)
            if self.shuffle:
                np.random.default_rng([self.seed, epoch]).shuffle(order)
            self._order = (epoch, order)
        return self._order[1][position * size : (position + 1) * size]


class FunctionSource:
    """Batches computed from the step number, inside the compiled loop.

    >>> FunctionSource(lambda step: step * 2).batch(None, None, 3)
    6
    """

    def __init__(self, function: Callable) -> None:
        self.function = function

    def constants(self) -> Any:
        return None

    def chunk(self, start: int, length: int) -> Any:
        return None

    def batch(self, constants: Any, item: Any, step: Any) -> Any:
        return self.function(step)


class IterableSource:
    """Batches from an iterable, alike in shape, started again when it ends.

    To resume, the batches before the checkpoint are read and thrown away, so the iterable must give
    the same batches every time it is started.

    >>> IterableSource([np.ones(2), np.zeros(2)]).chunk(0, 3).shape
    (3, 2)
    """

    def __init__(self, iterable: Iterable) -> None:
        self.iterable = iterable
        self.iterator = iter(iterable)
        self.position = 0

    def constants(self) -> Any:
        return None

    def chunk(self, start: int, length: int) -> Any:
        if start < self.position:
            self._restart()
            self.position = 0
        while self.position < start:
            self._next()
        batches = [self._next() for _ in range(length)]
        return jax.tree_util.tree_map_with_path(_stack, *batches)

    def batch(self, constants: Any, item: Any, step: Any) -> Any:
        return item

    def _restart(self) -> None:
        if self.iterator is self.iterable:
            raise ValueError(
                f"fit: data ended after {self.position} batches and cannot be started again: it is "
                "an iterator. Pass a list, a loader or a function of the step number"
            )
        self.iterator = iter(self.iterable)

    def _next(self) -> Any:
        try:
            batch = next(self.iterator)
        except StopIteration:
            self._restart()
            batch = next(self.iterator, None)
            if batch is None:
                raise ValueError("fit: data is empty, it gives no batch") from None
        self.position += 1
        return jax.tree.map(np.asarray, batch)


def _stack(path: Any, *leaves: np.ndarray) -> np.ndarray:
    shapes = {leaf.shape for leaf in leaves}
    if len(shapes) > 1:
        raise ValueError(
            f"fit: batches differ in shape at batch{jax.tree_util.keystr(path)}: {sorted(shapes)}. "
            "Drop or pad the last batch of an epoch"
        )
    return np.stack(leaves)


def _common_length(arrays: Any) -> int:
    leaves = named_leaves(arrays, "data")
    lengths = {name: leaf.shape[0] if leaf.ndim else None for name, leaf in leaves}
    if None in lengths.values() or len(set(lengths.values())) != 1:
        raise ValueError(f"fit: batch_size needs arrays with one common first axis, got {lengths}")
    return next(iter(lengths.values()))  # type: ignore[return-value]
