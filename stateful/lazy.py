"""The lazy policy: record what is asked for, run it as one compiled program when somebody looks.

A `Window` is what one thread has recorded since the last flush. Every recorded kernel moves the
window one step down a tree of structures (kernel and wiring, never values), so a loop that repeats
itself finds its next step, and at the end its compiled program, by one dictionary look-up each.

Outputs of a program are the values that somebody still holds; the others are never materialised.
Python numbers are inputs too, packed into one array for each kind.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from funcgrad.mode import plain

from .execute import POLICIES, Aval, Kernel, Looks, Tracer, Value, direct, set_execution

CAP = 1000
"""Kernels in a window: a longer one is flushed, because XLA compiles long programs slowly."""

_NUMBER_DTYPES = {float: np.float64, int: np.int64, bool: np.int64, complex: np.complex128}


class Structure:
    """A node of the tree of kernels. ``next``: by (kernel, wiring); ``programs``: by outputs."""

    __slots__ = ("next", "programs", "parent", "entry")

    def __init__(self, parent: Structure | None = None, entry: tuple = ()):
        self.next: dict[tuple, Structure] = {}
        self.programs: dict[tuple, Callable] = {}
        self.parent = parent
        self.entry = entry

    def entries(self) -> list[tuple]:
        """The (kernel, wiring...) of every step from the root."""
        found, node = [], self
        while node.parent is not None:
            found.append(node.entry)
            node = node.parent
        return found[::-1]


class Window:
    """What one thread has recorded and not run yet. Another thread may ask for its values."""

    def __init__(self):
        self.root = Structure()
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Start anew at the root of the tree."""
        self.structure = self.root
        self.values: list[Value] = []
        self.inputs: list[Any] = []
        self.slots: dict[int, int] = {}
        self.numbers: list[Any] = []
        self.length = 0
        self.marked = False

    def record(self, kernel: Kernel, leaves: Sequence) -> tuple[Value, ...]:
        """Add a kernel; its outputs will be computed by the next flush."""
        entry: list = [kernel]
        for leaf in leaves:
            if type(leaf) is not Value:
                self.numbers.append(leaf)
            elif leaf.pending is self:
                entry.append(leaf.index)
            else:
                slot = self.slots.get(id(leaf))
                if slot is None:
                    if isinstance(leaf.read(), Tracer):
                        return self._direct(kernel, leaves, leaf)
                    slot = self.slots[id(leaf)] = ~len(self.inputs)
                    self.inputs.append(leaf)
                entry.append(slot)
        key = tuple(entry)
        following = self.structure.next.get(key)
        if following is None:
            following = self.structure.next[key] = Structure(self.structure, key)
        self.structure = following
        values = self.values
        index = len(values)
        if len(kernel.outputs) == 1:
            value = Value(kernel.outputs[0], None, self, index)
            values.append(value)
            made: tuple[Value, ...] = (value,)
        else:
            made = tuple([Value(a, None, self, index + i) for i, a in enumerate(kernel.outputs)])
            values.extend(made)
        self.length += 1
        if self.length >= CAP:
            self._flush()
        return made

    def _direct(self, kernel: Kernel, leaves: Sequence, tracer: Value) -> tuple[Value, ...]:
        """Undo what `record` noted before it met a tracer, and call the function."""
        for leaf in leaves[: next(i for i, x in enumerate(leaves) if x is tracer)]:
            if type(leaf) is not Value:
                self.numbers.pop()
        return direct(kernel, [_read(x) for x in leaves])

    def flush(self) -> None:
        """Run what was recorded; every value that is still held gets its array."""
        with self.lock:
            self._flush()

    def _flush(self) -> None:
        structure, values = self.structure, self.values
        if not values:
            return
        inputs, numbers = self.inputs, self.numbers
        self.reset()
        count = sys.getrefcount
        live = tuple([i for i in range(len(values)) if count(values[i]) > 2])
        if not live:
            return
        program = structure.programs.get(live)
        arrays = [leaf.on_device() for leaf in inputs]
        packed = _pack(numbers)
        if program is None:
            program = structure.programs[live] = compiled(structure.entries(), live)
        with jax.enable_x64(True):
            outs = program(packed, *arrays)
            if isinstance(outs[0], Tracer):  # we are inside a trace that has nothing to do with it
                with jax.ensure_compile_time_eval():
                    outs = program(packed, *arrays)
        for i, out in zip(live, outs, strict=True):
            value = values[i]
            value.array, value.pending = out, None


def _read(leaf: Any) -> Any:
    return leaf.read() if type(leaf) is Value else leaf


def _pack(numbers: Sequence) -> dict[str, np.ndarray]:
    """Numbers by kind, each kind in the order of recording."""
    if not numbers:
        return {}
    kinds: dict[str, list] = {}
    for number in numbers:
        kinds.setdefault(type(number).__name__, []).append(number)
    return {kind: np.array(items, _NUMBER_DTYPES[type(items[0])]) for kind, items in kinds.items()}


def compiled(entries: Sequence[tuple], live: tuple[int, ...]) -> Callable:
    """One jitted function that runs the kernels in order and returns the live values."""

    def window(numbers, *arrays):
        values: list = []
        used = dict.fromkeys(numbers, 0)
        with plain():
            for kernel, *wiring in entries:
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

    return jax.jit(window)


def _weak(number: jax.Array, kind: type) -> jax.Array:
    """A number out of a packed array, typed as weakly as the Python number that it is."""
    if kind is bool:
        return number.astype(np.bool_)
    return jax.lax.convert_element_type_p.bind(
        number, new_dtype=np.dtype(_NUMBER_DTYPES[kind]), weak_type=True, sharding=None
    )


class _Local(threading.local):
    def __init__(self):
        self.window = Window()


_local = _Local()


def lazy(kernel: Kernel, leaves: Sequence) -> tuple[Value, ...]:
    """Record now, run when somebody looks."""
    window = _local.window
    with window.lock:
        return window.record(kernel, leaves)


def flush() -> None:
    """Start computing what this thread has recorded, without waiting for it."""
    _local.window.flush()


def mark() -> None:
    """Say that a unit of work (a backward pass) begins: a window holds at most one.

    So a training loop that never looks runs in windows that repeat, whatever it does in between.
    """
    window = _local.window
    if window.marked:
        window.flush()
    window.marked = True


POLICIES["lazy"] = lazy
Looks.before = staticmethod(flush)
set_execution("lazy")
