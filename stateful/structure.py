"""The structure of what a window recorded, and the program that runs it.

Structures are nodes of a tree: each recorded kernel leads one step down, whatever the values. The
program of a structure takes Python numbers as inputs too, packed into one array for each kind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from funcgrad.mode import plain

from .blocks import LONGEST, PIECE, Entry, Part, repeats, split
from .compiler_options import jit, products_of
from .execute import Aval

_NUMBER_DTYPES = {float: np.float64, int: np.int64, bool: np.int64, complex: np.complex128}


class Structure:
    """A node of the tree of kernels. ``next``: by step; ``programs``: by outputs.

    ``wiring``: where each array argument of ``kernel`` comes from: a value, or ``~i``, an input.
    ``length``: how many plain kernels there are up to here.
    ``ends``: how many inputs, numbers and values a window has here.
    ``numbers``: those of the last flush here, which are often those of the next; ``packed``,
    ``scalars``: the same as arrays; ``stays``: whether what is packed is on the device.
    """

    __slots__ = ("next", "programs", "parent", "kernel", "wiring", "length", "ends", "numbers",
                 "packed", "stays", "scalars")  # fmt: skip

    def __init__(self, parent: Any = None, kernel: Any = None, wiring: tuple[int, ...] = ()):
        self.next: dict[tuple, Structure] = {}
        self.programs: dict[tuple, Callable] = {}
        self.parent, self.kernel, self.wiring = parent, kernel, wiring
        self.length: int = 0 if parent is None else parent.length + kernel.weight
        self.ends = (0, 0, 0) if parent is None else self._ends(*parent.ends)
        self.numbers: list = []
        self.packed: dict[str, Any] = {}
        self.stays = False
        self.scalars: list = []

    def _ends(self, inputs: int, numbers: int, values: int) -> tuple[int, int, int]:
        inputs = max(inputs, *[-place for place in self.wiring], 0)
        numbers += sum(type(given) is not Aval for given in self.kernel.inputs)
        return inputs, numbers, values + len(self.kernel.outputs)

    def pack(self, numbers: list) -> dict[str, Any]:
        """Numbers as one array for each kind; what comes again stays on the device."""
        if self.stays and numbers == self.numbers:
            return self.packed
        if self._come_again(numbers) and self.packed:
            with jax.ensure_compile_time_eval():  # we may be in somebody's trace
                self.packed, self.stays = jax.device_put(self.packed), True
        else:
            self.packed = _pack(numbers)
        return self.packed

    def single(self, numbers: list) -> list:
        """Numbers one by one; what comes again stays on the device."""
        if not self._come_again(numbers):
            return numbers
        if not self.scalars:
            with jax.ensure_compile_time_eval():
                self.scalars = [jax.numpy.asarray(number) for number in numbers]
        return self.scalars

    def _come_again(self, numbers: list) -> bool:
        if numbers == self.numbers and not any(map(_may_hide_a_sign, numbers)):
            return True
        self.numbers, self.packed, self.scalars, self.stays = numbers, {}, [], False
        return False

    def program(self, live: tuple[int, ...]) -> Callable:
        """What computes the live values from the numbers and arrays of a window."""
        entries = self.entries()
        if repeats(entries, live) <= LONGEST:
            jitted = compiled(entries, live)
            return lambda numbers, arrays: jitted(self.pack(numbers), *arrays)
        run = _in_parts(split(_with_numbers(entries, self.ends[0]), live, PIECE), live)
        return lambda numbers, arrays: run(self.single(numbers), arrays)

    def entries(self) -> list[Entry]:
        """Kernel and wiring of every step from the root."""
        found, node = [], self
        while node.parent is not None:
            found.append((node.kernel, node.wiring))
            node = node.parent
        return found[::-1]


def _may_hide_a_sign(number: Any) -> bool:
    """Whether an equal number may be another one: 0.0 equals -0.0."""
    return number == 0 or type(number) is complex


def _pack(numbers: Sequence) -> dict[str, np.ndarray]:
    """Numbers by kind, each kind in the order of recording."""
    if not numbers:
        return {}
    kinds: dict[str, list] = {}
    for number in numbers:
        kinds.setdefault(type(number).__name__, []).append(number)
    return {kind: np.array(items, _NUMBER_DTYPES[type(items[0])]) for kind, items in kinds.items()}


def _with_numbers(entries: Sequence[Entry], inputs: int) -> list[Entry]:
    """Entries whose places say where numbers come from too: they follow the arrays."""
    found, numbers = [], itertools.count(inputs)
    for kernel, wiring in entries:
        wires = iter(wiring)
        places = [next(wires) if type(x) is Aval else ~next(numbers) for x in kernel.inputs]
        found.append((kernel, tuple(places)))
    return found


def _in_parts(parts: Sequence[Part], live: tuple[int, ...]) -> Callable:
    """A program that runs one part after the other."""

    def program(numbers, arrays):
        found = {~i: given for i, given in enumerate([*arrays, *numbers])}
        for block, takes, gives in parts:
            outs = block.jitted(*[found[place] for place in takes])
            found.update(zip(gives, outs, strict=True))
        return [found[place] for place in live]

    return program


def compiled(entries: Sequence[Entry], live: tuple[int, ...]) -> Callable:
    """One jitted function that runs the kernels in order and returns the live values."""

    def window(numbers, *arrays):
        values: list = []
        used = dict.fromkeys(numbers, 0)
        with plain():
            for kernel, wiring in entries:
                refs = iter(wiring)
                args = []
                for given in kernel.inputs:
                    if type(given) is Aval:
                        ref = next(refs)
                        args.append(values[ref] if ref >= 0 else arrays[~ref])
                    else:
                        kind = given.__name__
                        args.append(_weak(numbers[kind][used[kind]], given))
                        used[kind] += 1
                values.extend(kernel.run(*args))
        return [values[i] for i in live]

    return jit(window, products_of(kernel for kernel, _ in entries))


def _weak(number: jax.Array, kind: type) -> jax.Array:
    """A number out of a packed array, typed as weakly as the Python number that it is."""
    if kind is bool:
        return number.astype(np.bool_)
    return jax.lax.convert_element_type_p.bind(
        number, new_dtype=np.dtype(_NUMBER_DTYPES[kind]), weak_type=True, sharding=None
    )
