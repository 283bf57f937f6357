"""What is watched while a step is traced: each read and write of a `Storage`, and each kernel.

A step may touch tensors that nobody told us of. Every access to elements goes through
``Storage.value``, so for the time of a trace that attribute is a property that looks who comes by.
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from .. import execute
from ..execute import Kernel, Value
from ..lazy import flush
from ..tensor import Tensor
from ..thread_policy import run_by
from ..views import Storage
from .errors import LeakedTracerError

_slot: Any = Storage.value
_local = threading.local()
_lock = threading.RLock()


class Watch:
    """What a traced step touched.

    ``known``: storages that the trace feeds. ``touched``: those of them that were read or written.
    ``hidden``: other storages, older than the trace, that were read or written.
    """

    def __init__(self, known: Iterable[Storage]):
        self.known = set(known)
        self.touched: set[Storage] = set()
        self.hidden: dict[Storage, tuple] = {}
        self._tensors: dict[Storage, list[tuple[Tensor, dict]]] | None = None
        self.made: weakref.WeakSet[Storage] = weakref.WeakSet()
        self.on = False

    def note(self, storage: Storage) -> None:
        """Somebody reads or writes ``storage``."""
        if storage in self.known:
            self.touched.add(storage)
        elif storage not in self.made and storage not in self.hidden:
            self._all_tensors()
            self.hidden[storage] = (_slot.__get__(storage), storage.version)

    def hidden_tensors(self) -> list[Tensor]:
        """The tensors of hidden storages, those that are no views first."""
        found = [t for s in self.hidden for t, _ in self._all_tensors().get(s, ())]
        return sorted(found, key=lambda t: t._view is not None)

    def _all_tensors(self) -> dict[Storage, list[tuple[Tensor, dict]]]:
        """All tensors that exist, by storage, with their attributes at the first call."""
        if self._tensors is None:
            self._tensors = {}
            for x in gc.get_objects():
                if issubclass(type(x), Tensor) and "_storage" in vars(x):
                    self._tensors.setdefault(x._storage, []).append((x, dict(vars(x))))
        return self._tensors

    def retire(self) -> None:
        """Put hidden storages back; take the tracers away from what was made and is still alive."""
        for storage, (value, version) in self.hidden.items():
            _slot.__set__(storage, value)
            storage.version = version
            for tensor, fields in self._all_tensors().get(storage, ()):
                vars(tensor).clear()
                vars(tensor).update(fields)
        for storage in list(self.made):
            aval = _slot.__get__(storage).aval
            _slot.__set__(storage, Value(aval, None, _GONE))


class _Gone:
    """In place of the window that would compute a value: the value existed only while tracing."""

    def flush(self) -> None:
        raise LeakedTracerError(
            "leaked tracer: this Tensor was made inside of a step while it was compiled and kept "
            "where the step's state is not looked for (in a class attribute, say). Its value "
            "exists only inside of the program: return it from the step, or keep it in an "
            "attribute of a module or in a variable that the step itself names."
        )


_GONE = _Gone()


def is_tracing() -> bool:
    """Whether this thread is tracing a step."""
    return getattr(_local, "watch", None) is not None


@contextmanager
def watching(known: Iterable[Storage]) -> Iterator[Watch]:
    """Trace inside: kernels run on tracers, and accesses to storages are noted while ``on``."""
    flush()
    watch, outer = Watch(known), getattr(_local, "watch", None)
    with _lock, jax.enable_x64(True), run_by(_direct):
        Storage.value = property(_get, _set)  # type: ignore[assignment]
        _local.watch = watch
        try:
            yield watch
        finally:
            _local.watch = outer
            if outer is None:
                Storage.value = _slot
            watch.retire()


def _get(storage: Storage) -> Value:
    watch = getattr(_local, "watch", None)
    if watch is not None and watch.on:
        watch.note(storage)
    return _slot.__get__(storage)


def _set(storage: Storage, value: Value) -> None:
    watch = getattr(_local, "watch", None)
    if watch is not None and watch.on:
        if _is_new(storage):
            watch.made.add(storage)
        else:
            watch.note(storage)
    _slot.__set__(storage, value)


def _is_new(storage: Storage) -> bool:
    try:
        _slot.__get__(storage)
    except AttributeError:
        return True
    return False


def _direct(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """The policy of a trace: run on tracers."""
    kernel = execute.kernel_of(fn, leaves, static)
    arrays = [x.read() if type(x) is Value else jnp.asarray(x) for x in leaves]
    return kernel, execute.direct(kernel, arrays)
