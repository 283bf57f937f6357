"""The lazy policy: record what is asked for, run it as one compiled program when somebody looks.

A `Window` is what one thread has recorded since the last flush. Every recorded kernel moves the
window one step down a tree of structures (kernel and wiring, never values), so a loop that repeats
itself finds its next step, and at the end its compiled program, by one dictionary look-up each.

Outputs of a program are the values that somebody still holds; the others are never materialised.
Python numbers are inputs too, packed into one array for each kind.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from funcgrad.mode import plain

from .blocks import LONGEST, PIECE, Entry, Part, repeats, split
from .execute import (
    POLICIES,
    USED,
    Aval,
    Kernel,
    Pending,
    Tracer,
    Value,
    direct,
    kernel_of,
    set_execution,
)
from .small import options_for

CAP = 960
"""Kernels in a window: a longer one is flushed, because XLA compiles long programs slowly. Like
`PIECE` a number with many divisors: a loop that is cut there repeats itself sooner."""

_new = object.__new__
_PLAIN = {np.ndarray, type(jax.numpy.zeros(()))}
"""Types of arrays that are surely no tracers."""
_NUMBER_DTYPES = {float: np.float64, int: np.int64, bool: np.int64, complex: np.complex128}


class Structure:
    """A node of the tree of kernels. ``next``: by step; ``programs``: by outputs.

    ``wiring``: where each array argument of ``kernel`` comes from: a value, or ``~i``, an input.
    ``numbers``, ``packed``: those of the last flush here, which are often those of the next.
    """

    __slots__ = ("next", "programs", "parent", "kernel", "wiring", "numbers", "packed")

    def __init__(self, parent: Any = None, kernel: Any = None, wiring: tuple[int, ...] = ()):
        self.next: dict[tuple, Structure] = {}
        self.programs: dict[tuple, Callable] = {}
        self.parent, self.kernel, self.wiring = parent, kernel, wiring
        self.numbers: list = []
        self.packed: dict[str, Any] = {}

    def pack(self, numbers: list) -> dict[str, Any]:
        """Numbers as arrays; what comes again stays on the device."""
        if numbers != self.numbers or 0 in numbers:  # 0.0 equals -0.0
            self.numbers, self.packed = numbers, _pack(numbers)
        elif any(type(array) is np.ndarray for array in self.packed.values()):
            with jax.enable_x64(True):
                self.packed = jax.device_put(self.packed)
        return self.packed

    def program(self, live: tuple[int, ...], inputs: int) -> Callable:
        """What computes the live values from the numbers and arrays of a window."""
        entries = self.entries()
        if repeats(entries, live) <= LONGEST:
            jitted = compiled(entries, live)
            return lambda numbers, arrays: jitted(self.pack(numbers), *arrays)
        return _in_parts(split(_with_numbers(entries, inputs), live, PIECE), live)

    def entries(self) -> list[Entry]:
        """Kernel and wiring of every step from the root."""
        found, node = [], self
        while node.parent is not None:
            found.append((node.kernel, node.wiring))
            node = node.parent
        return found[::-1]


class Failed:
    """What values are pending on whose program raised: who asks for them is told again."""

    def __init__(self, error: Exception):
        self.error = error

    def flush(self) -> None:
        """Raise once more."""
        raise self.error


class Window:
    """What one thread has recorded and not run yet. Another thread may ask for its values.

    That thread takes the ``lock`` and claims the window; the owner, who records without a lock,
    says when it is in the middle of a step. (Dekker's algorithm; the lock itself takes longer than
    half of what a step does.)
    """

    def __init__(self):
        self.root = Structure()
        self.lock = threading.RLock()
        self.owner = threading.get_ident()
        self.recording = self.claimed = False
        self.reset()
        _windows.add(self)

    def reset(self) -> None:
        """Start anew at the root of the tree."""
        self.structure = self.root
        self.values: list[Value] = []
        self.inputs: list[Any] = []
        self.slots: dict[int, int] = {}
        self.numbers: list[Any] = []
        self.length = 0
        self.marked = False

    def _extend(self, step: tuple, leaves: Sequence) -> Structure:
        """The new structure after a step that was not taken from here before."""
        try:
            kernel = kernel_of(step[0], leaves, step[1])
        except BaseException:
            self._undo(step)
            raise
        wiring = [
            leaf.index if leaf.pending is self else self.slots[id(leaf)]
            for leaf in leaves
            if type(leaf) is Value
        ]
        following = Structure(self.structure, kernel, tuple(wiring))
        self.structure.next[step] = following
        return following

    def take(self, leaf: Value, key: list) -> bool:
        """Add a value that does not bear the mark of this window to a key; False if it cannot be
        an input: nobody has computed it, or it is a tracer."""
        slot = self.slots.get(id(leaf))
        if slot is None:
            if type(leaf.array) not in _PLAIN:
                return False
            slot = ~len(self.inputs)
            self.inputs.append(leaf)
            if leaf.pending is USED:  # what came from the host is moved at its second use, because
                with jax.enable_x64(True):  # many such values have only one
                    leaf.array, leaf.pending = jax.device_put(leaf.array), None
            if leaf.pending is None:
                leaf.pending, leaf.index = self, slot
            else:  # it bears the mark of another thread's window
                self.slots[id(leaf)] = slot
            key.append(leaf.aval)
        key.append(slot)
        return True

    def _undo(self, key: Sequence) -> None:
        """Forget the new inputs and numbers of a step that is not taken after all."""
        inputs = sum(type(item) is Aval for item in key)
        numbers = sum(type(item) is type for item in key)
        for leaf in self.inputs[len(self.inputs) - inputs :]:
            if leaf.pending is self:
                leaf.pending = None
            else:
                del self.slots[id(leaf)]
        del self.inputs[len(self.inputs) - inputs :]
        del self.numbers[len(self.numbers) - numbers :]

    def flush(self) -> None:
        """Run what was recorded; every value that is still held gets its array."""
        with self.lock:
            if threading.get_ident() == self.owner:
                self._flush()
                return
            self.claimed = True
            while self.recording:
                time.sleep(0)
            self._flush()
            self.claimed = False

    def wait(self) -> None:
        """Let another thread have the window."""
        while self.claimed:
            self.recording = False
            with self.lock:
                pass
            self.recording = True

    def _flush(self) -> None:
        structure, values = self.structure, self.values
        if not values:
            self.marked = False
            return
        inputs, numbers = self.inputs, self.numbers
        self.reset()
        arrays = []
        for leaf in inputs:
            arrays.append(leaf.array)
            if leaf.pending is self:
                leaf.pending = USED if type(leaf.array) is np.ndarray else None
        holders = map(sys.getrefcount, values)  # one is `values`, one the call
        live = tuple([i for i, count in enumerate(holders) if count > 2])
        if not live:
            return
        try:
            program = structure.programs.get(live)
            if program is None:
                program = structure.programs[live] = structure.program(live, len(inputs))
            with jax.enable_x64(True):
                outs = program(numbers, arrays)
                if isinstance(outs[0], Tracer):  # we are in a trace that has nothing to do with it
                    with jax.ensure_compile_time_eval():
                        outs = program(numbers, arrays)
        except KeyboardInterrupt:  # the next look tries again
            self.structure, self.values, self.numbers = structure, values, numbers
            self.inputs, self.slots = inputs, {id(leaf): ~i for i, leaf in enumerate(inputs)}
            raise
        except Exception as error:
            failed = Failed(error)
            for value in values:
                value.pending = failed
            raise
        for i, out in zip(live, outs, strict=True):
            value = values[i]
            value.array, value.pending = out, None


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

    kernels = [kernel for kernel, _ in entries]
    avals = [x for k in kernels for x in (*k.inputs, *k.outputs) if type(x) is Aval]
    return jax.jit(window, compiler_options=options_for(avals))


def _weak(number: jax.Array, kind: type) -> jax.Array:
    """A number out of a packed array, typed as weakly as the Python number that it is."""
    if kind is bool:
        return number.astype(np.bool_)
    return jax.lax.convert_element_type_p.bind(
        number, new_dtype=np.dtype(_NUMBER_DTYPES[kind]), weak_type=True, sharding=None
    )


_windows: weakref.WeakSet[Window] = weakref.WeakSet()


class _Local(threading.local):
    def __init__(self):
        self.window = Window()


_local = _Local()


def lazy(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """Record now, run when somebody looks: add a kernel to the window of this thread.

    The key of a step: the function, its static part, and of each argument its number among the
    values or inputs of this window, for a new input also its aval, for a number its type.
    """
    window = _local.window
    window.recording = True
    if window.claimed:
        window.wait()
    try:
        if window.length >= CAP:
            window._flush()
        key: list = [fn, static]
        for leaf in leaves:
            if type(leaf) is not Value:
                key.append(type(leaf))
                window.numbers.append(leaf)
            elif leaf.pending is window:
                key.append(leaf.index)
            elif leaf.pending is None and type(leaf.array) in _PLAIN:
                leaf.pending, leaf.index = window, ~len(window.inputs)
                window.inputs.append(leaf)
                key.append(leaf.aval)
                key.append(leaf.index)
            elif not window.take(leaf, key):
                window._undo(key)
                break
        else:
            step = tuple(key)
            following = window.structure.next.get(step) or window._extend(step, leaves)
            window.structure = following
            kernel, values = following.kernel, window.values
            made = []
            for aval in kernel.outputs:
                value = _new(Value)
                value.aval, value.array = aval, None
                value.pending, value.index = window, len(values)
                made.append(value)
                values.append(value)
            window.length += kernel.weight
            return kernel, made
    finally:
        window.recording = False
    return _elsewhere(fn, static, leaves)


def _elsewhere(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """A call with values that another thread has recorded, or with tracers."""
    arrays = [leaf.read() if type(leaf) is Value else leaf for leaf in leaves]
    if any(isinstance(array, Tracer) for array in arrays):
        kernel = kernel_of(fn, leaves, static)
        return kernel, direct(kernel, arrays)
    return lazy(fn, static, leaves)


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


def forget() -> None:
    """Flush all windows and forget their structures: what was inferred no longer holds."""
    for window in list(_windows):
        with window.lock:
            window._flush()
            window.structure = window.root = Structure()


POLICIES["lazy"] = lazy
Pending.start, Pending.forget = staticmethod(flush), staticmethod(forget)
set_execution("lazy")
