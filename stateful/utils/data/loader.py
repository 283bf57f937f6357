"""`DataLoader`, in one process: JAX arrays need no worker processes to be put together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...creation import as_tensor, tensor
from ...dtypes import float64
from ...methods import FUNCTIONS
from ...tensor import Tensor
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed

_stack = FUNCTIONS["torch"]["stack"]


def get_worker_info() -> None:
    """None, as in PyTorch's main process: there are no workers.

    >>> import stateful as torch
    >>> torch.utils.data.get_worker_info() is None
    True
    """
    return None


def default_collate(batch: Any) -> Any:
    """A list of items as one item with a batch dimension.

    >>> import stateful as torch
    >>> torch.utils.data.default_collate([(1, 2.0), (3, 4.0)])
    [tensor([1, 3]), tensor([2., 4.], dtype=torch.float64)]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack(list(batch), 0)
    if isinstance(first, np.ndarray) and first.dtype.kind not in "SaUO":
        return _stack([as_tensor(item) for item in batch], 0)
    if isinstance(first, np.generic) and first.dtype.kind not in "SaUO":
        return as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*map(default_collate, zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(items) for items in zip(*batch, strict=True)]
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}"
    )


class DataLoader:
    """Batches of a dataset, in order or shuffled as PyTorch shuffles with the same seed.

    ``num_workers`` and the other arguments about worker processes are accepted; all work is done in
    this process.

    >>> import stateful as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(3))
    >>> [batch.tolist() for (batch,) in torch.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2]]
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable | None = None, batch_sampler: Iterable | None = None,
        num_workers: int = 0, collate_fn: Callable | None = None, pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Callable | None = None, multiprocessing_context=None,
        generator=None, *, prefetch_factor=None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ):  # fmt: skip
        if num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable "
                "multiprocessing."
            )
        self._iterable = isinstance(dataset, IterableDataset)
        _check(self._iterable, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        self.dataset, self.num_workers, self.batch_size = dataset, num_workers, batch_size
        self.drop_last, self.generator, self.pin_memory = drop_last, generator, pin_memory
        self.timeout, self.worker_init_fn = timeout, worker_init_fn
        if sampler is None and not self._iterable:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        if batch_sampler is None and batch_size is not None and not self._iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        self.sampler, self.batch_sampler = sampler, batch_sampler
        batched = batch_sampler is not None or batch_size is not None
        self.collate_fn = collate_fn or (default_collate if batched else _converted)

    def __iter__(self):
        draw_seed(self.generator)  # PyTorch draws a base seed for workers, used or not
        return self._items()

    def _items(self):
        if self._iterable:
            yield from self._from_iterable()
        elif self.batch_sampler is None:
            for index in self.sampler:  # type: ignore[union-attr]
                yield self.collate_fn(self.dataset[index])
        else:
            for indices in self.batch_sampler:
                yield self.collate_fn(self._fetch(indices))

    def _fetch(self, indices: list) -> Any:
        many = getattr(self.dataset, "__getitems__", None)
        return many(indices) if many else [self.dataset[index] for index in indices]

    def _from_iterable(self):
        items = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, items)
            return
        while batch := list(itertools.islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self._iterable:
            number = len(self.dataset)
            if self.batch_size is None:
                return number
            down = number // self.batch_size
            return down if self.drop_last else -(-number // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore


def _converted(item: Any) -> Any:
    """An item with tensors for numpy arrays and numbers, without a batch dimension."""
    if isinstance(item, np.ndarray | np.generic):
        return as_tensor(item)
    if isinstance(item, Mapping):
        return {key: _converted(value) for key, value in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*map(_converted, item))
    return [_converted(value) for value in item] if isinstance(item, list | tuple) else item


def _check(iterable, batch_size, shuffle, sampler, batch_sampler, drop_last) -> None:
    if iterable:
        if shuffle:
            raise ValueError(
                "DataLoader with IterableDataset: expected unspecified shuffle option, but got "
                f"shuffle={shuffle}"
            )
        for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
            if given is not None:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                    f"{name}={given}"
                )
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (
        batch_size != 1 or shuffle or sampler is not None or drop_last
    ):
        raise ValueError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
            "drop_last"
        )
    if batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
