"""The lazy policy: record what is asked for, run it as one compiled program when somebody looks.

A `Window` is what one thread has recorded since the last flush. Every recorded kernel moves the
window one step down a tree of structures (kernel and wiring, never values), so a loop that repeats
itself finds its next step, and at the end its compiled program, by one dictionary look-up each.

Outputs of a program are the values that somebody still holds; the others are never materialised.
Python numbers are inputs too, packed into one array for each kind.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from .execute import (
    POLICIES,
    USED,
    Kernel,
    Pending,
    Tracer,
    Value,
    direct,
    eager,
    kernel_of,
    set_execution,
)
from .result_layouts import laid, stride_of
from .structure import Structure

CAP = 960
"""Kernels in a window: a longer one is flushed, because XLA compiles long programs slowly. Like
`PIECE` a number with many divisors: a loop that is cut there repeats itself sooner."""

NUMBERS = {float, int, bool, complex}
"""Types of arguments that are numbers."""
DATA = {*NUMBERS, Value}
"""Types of arguments that a policy takes as they are."""

_new = object.__new__
_PLAIN = {np.ndarray, type(jax.numpy.zeros(()))}
"""Types of arrays that are surely no tracers."""


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
    says when it is in the middle of a step. (Dekker's algorithm; with the lock a recorded op takes
    0.15 us more, of 3.)
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
        self.marked = False

    def _extend(self, step: tuple, leaves: Sequence) -> Structure:
        """The new structure after a step that was not taken from here before."""
        given = [None if type(leaf) in DATA else stride_of(leaf) for leaf in leaves]
        leaves = [leaf if type(leaf) in DATA else leaf._read() for leaf in leaves]
        kernel = laid(kernel_of(step[0], leaves, step[1]), given)
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
                # many such values have only one; we may be in somebody's trace
                with jax.enable_x64(True), jax.ensure_compile_time_eval():
                    leaf.array, leaf.pending = jax.device_put(leaf.array), None
            if leaf.pending is None:
                leaf.pending, leaf.index = self, slot
            else:  # it bears the mark of another thread's window
                self.slots[id(leaf)] = slot
            key.append(leaf.aval)
        key.append(slot)
        return True

    def _undo(self) -> None:
        """Forget what there is of a step that is not taken after all: no kernel, or an interrupt,
        which may come anywhere in it."""
        inputs, numbers, values = self.structure.ends
        for leaf in self.inputs[inputs:]:
            if leaf.pending is self:
                leaf.pending = None
            else:
                self.slots.pop(id(leaf), None)
        del self.inputs[inputs:], self.numbers[numbers:], self.values[values:]

    def alone(self, action: Callable[[], None]) -> None:
        """Call ``action`` while nobody else records or runs."""
        with self.lock:
            if threading.get_ident() == self.owner:
                if self.recording and _in_a_step():
                    self._look()
                else:
                    action()
                return
            before, self.claimed = self.claimed, True
            try:
                while self.recording:
                    time.sleep(0)
                action()
            finally:
                self.claimed = before

    def flush(self) -> None:
        """Run what was recorded; every value that is still held gets its array."""
        self.alone(self._flush)

    def _look(self) -> None:
        """Give the values their arrays in the middle of a step, and leave the window as it is."""
        inputs, numbers, values = self.structure.ends
        if values:
            program = self.structure.program(tuple(range(values)))
            arrays = [leaf.array for leaf in self.inputs[:inputs]]
            with jax.enable_x64(True):
                outs = _outside_of_traces(program, self.numbers[:numbers], arrays)
            for value, out in zip(self.values, outs, strict=False):
                value.array = out

    def forget(self) -> None:
        """Run what was recorded, and forget how."""
        with contextlib.suppress(Exception):  # who asks for the values is told
            self._flush()
        self.structure = self.root = Structure()

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
        try:
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
            program = structure.programs.get(live)
            if program is None:
                program = structure.programs[live] = structure.program(live)
            with jax.enable_x64(True):
                outs = _outside_of_traces(program, numbers, arrays)
            for i, out in zip(live, outs, strict=True):
                value = values[i]
                value.array, value.pending = out, None
        except Exception as error:
            failed = Failed(error)
            for value in values:
                value.pending = failed
            raise
        except BaseException:  # an interrupt; the next look tries again
            for i, value in enumerate(values):
                value.pending, value.index = self, i
            self.structure, self.values, self.numbers = structure, values, numbers
            self.inputs, self.slots = inputs, {id(leaf): ~i for i, leaf in enumerate(inputs)}
            raise


def _outside_of_traces(program: Callable, numbers: list, arrays: list) -> Sequence:
    """Run a program although we may be in somebody's trace, which has nothing to do with it."""
    outs = program(numbers, arrays)
    if isinstance(outs[0], Tracer):
        with jax.ensure_compile_time_eval():
            outs = program(numbers, arrays)
    return outs


_windows: weakref.WeakSet[Window] = weakref.WeakSet()


class _Local(threading.local):
    def __init__(self):
        self.window = Window()


_local = _Local()


def lazy(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """Record now, run when somebody looks: add a kernel to the window of this thread."""
    found = step(fn, static, leaves)
    if found is not None:
        return found[:2]
    if _local.window.recording and _in_a_step():
        return eager(fn, static, leaves)
    return _elsewhere(fn, static, leaves)


def step(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value], int] | None:
    """Add a kernel to the window of this thread; None if that cannot be done.

    ``leaves``: values, numbers, and Tensors, whose values are meant. The third result has a bit for
    each leaf that is a Tensor and requires a gradient.

    The key of a step: the function, its static part, and of each argument its number among the
    values or inputs of this window, for a new input also its aval, for a number its type; before
    that the strides of what does not lie in memory row by row.
    """
    window = _local.window
    if window.recording and _in_a_step():
        return None
    requiring, bit = 0, 1
    try:
        window.recording = True
        if window.claimed:
            window.wait()
        if window.structure.length >= CAP:
            window._flush()
        key: list = [fn, static]
        for leaf in leaves:
            kind = type(leaf)
            if kind is not Value:
                if kind in NUMBERS:
                    key.append(kind)
                    window.numbers.append(leaf)
                    bit <<= 1
                    continue
                try:
                    view = leaf._view
                except AttributeError:
                    break
                if leaf._requires_grad:
                    requiring |= bit
                elif view is not None and leaf.requires_grad:
                    break
                if view is None:
                    leaf = leaf._storage.value
                elif view.source is leaf._storage.value:
                    if view.stride is not None:
                        key.append(view.stride)
                    leaf = view.value
                else:
                    break
                bit <<= 1
            if leaf.pending is window:
                key.append(leaf.index)
            elif leaf.pending is None and type(leaf.array) in _PLAIN:
                leaf.pending, leaf.index = window, ~len(window.inputs)
                window.inputs.append(leaf)
                key.append(leaf.aval)
                key.append(leaf.index)
            elif not window.take(leaf, key):
                break
        else:
            found = tuple(key)
            following = window.structure.next.get(found) or window._extend(found, leaves)
            kernel, values = following.kernel, window.values
            made = []
            for aval in kernel.outputs:
                value = _new(Value)
                value.aval, value.array = aval, None
                value.pending, value.index = window, len(values)
                made.append(value)
                values.append(value)
            window.structure = following  # last: up to here `_undo` can tell what there was before
            return kernel, made, requiring
        window._undo()
        return None
    except BaseException:
        window._undo()
        raise
    finally:
        window.recording = False


def _in_a_step() -> bool:
    """Whether a signal handler or a finalizer called us while this thread is recording.

    An interrupt in the last instruction of a step leaves a window that only says so.
    """
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not step.__code__:
        frame = frame.f_back
    return frame is not None


def _elsewhere(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """A call with values that another thread has recorded, or with tracers."""
    arrays = [leaf.read() if type(leaf) is Value else leaf for leaf in leaves]
    if any(isinstance(array, Tracer) for array in arrays):
        kernel = kernel_of(fn, leaves, static)
        return kernel, direct(kernel, arrays)
    return lazy(fn, static, leaves)


def current() -> Window:
    """What this thread has recorded since the last flush."""
    return _local.window


def flush() -> None:
    """Start computing what this thread has recorded, without waiting for it."""
    window = _local.window
    if window.values:
        window.alone(window._flush)
    else:
        window.marked = False


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
        window.alone(window.forget)


POLICIES["lazy"] = lazy
Pending.start, Pending.forget = staticmethod(flush), staticmethod(forget)
set_execution("lazy")
