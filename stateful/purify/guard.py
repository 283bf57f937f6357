"""Whether the Python world still is what a program was made for, told in a few microseconds."""

from __future__ import annotations

import types
from itertools import chain
from operator import attrgetter, is_, itemgetter
from typing import Any

import jax
import numpy as np

from .world import World


class Guard:
    """Compares everything that was found in containers with what is there now, by identity."""

    def __init__(self, world: World):
        self.views: list[Any] = []
        self.selected: list[tuple[Any, Any]] = []
        self.cells: list[Any] = []
        self.empty = list(world.empty)
        for container, keys in world.watched:
            if isinstance(container, types.CellType):
                self.cells.append(container)
            elif keys is None:
                view = container.values() if isinstance(container, dict) else container
                self.views.append(view)
            elif keys and not isinstance(container, dict):
                self.selected.append((attrgetter(*keys, keys[0]), container))
            elif keys:
                self.selected.append((itemgetter(*keys, keys[0]), container))
        self.expected = self._items()
        self.rates = [(rate.group, rate.key, rate.index) for rate in world.rates.values()]
        self.numbers: list = []
        self.vector: Any = None
        self._read_rates()

    def _items(self) -> list:
        found = list(chain.from_iterable(self.views))
        for getter, container in self.selected:
            found += getter(container)
        found += [cell.cell_contents for cell in self.cells]
        return found

    def holds(self) -> bool:
        """Whether nothing has changed but tensors' elements and rates."""
        try:
            found = self._items()
        except (AttributeError, KeyError, ValueError):
            return False
        expected = self.expected
        if len(found) != len(expected) or not all(map(is_, found, expected)) or any(self.empty):
            return False
        return not self.rates or self._read_rates()

    def _read_rates(self) -> bool:
        """Put the hyper-parameters that are data where the program finds them."""
        numbers = [g[k] if i is None else g[k][i] for g, k, i in self.rates]
        if len(self.numbers) == len(numbers) and all(map(is_, numbers, self.numbers)):
            return True
        for number, (_, key, _) in zip(numbers, self.rates, strict=True):
            if isinstance(number, bool) or not isinstance(number, int | float):
                return False
            if key != "lr" and not number:
                return False
        self.numbers = numbers
        with jax.enable_x64(True):
            self.vector = jax.numpy.asarray(np.array(numbers, np.float64))
        return True
