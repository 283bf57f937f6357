"""`torch.autograd.profiler`: contexts that name parts of a program for JAX's profiler."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import jax

from .. import modes
from .profiler_util import EventList, FunctionEvent

_profiles: list[profile] = []
"""Those that are recording."""


class _Open(threading.local):
    """For each named range that this thread is in: the time spent in ranges inside it."""

    def __init__(self):
        self.inside: list[float] = []


_open = _Open()


class record_function(modes.ContextDecorator):
    """Name what runs inside, as a context manager or a decorator; it shows in traces of
    `jax.profiler`, and in the table of `profile`.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.record_function("sum"):
    ...     torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, name: str, args: str | None = None):
        self.name, self.args = name, args

    def clone(self):
        return type(self)(self.name, self.args)

    def __enter__(self):
        self._annotation = jax.profiler.TraceAnnotation(self.name)
        self._annotation.__enter__()
        _open.inside.append(0.0)
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc):
        took = (time.perf_counter() - self._start) * 1e6
        self._annotation.__exit__(*exc)
        inside = _open.inside.pop()
        if _open.inside:
            _open.inside[-1] += took
        for running in _profiles:
            running._events.append(FunctionEvent(self.name, took, took - inside))


class profile:
    """Measures how long its inside takes, and each `record_function` in it.

    Single ops are not timed: they run as one program, when somebody looks at a result.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.profile() as measured:
    ...     total = torch.ones(2).sum()
    >>> measured.self_cpu_time_total >= 0
    True
    """

    def __init__(self, enabled: bool = True, **options: Any):
        self.enabled, self.options = enabled, options
        self.self_cpu_time_total = 0.0
        self.entered = False
        self._events = EventList()

    def __enter__(self):
        if self.enabled and self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        self._start = time.perf_counter()
        if self.enabled:
            _profiles.append(self)
        return self

    def __exit__(self, *exc):
        self.self_cpu_time_total = (time.perf_counter() - self._start) * 1e6
        if self.enabled:
            _profiles.remove(self)

    def key_averages(self) -> EventList:
        """The named ranges, those of the same name as one."""
        return self._events.key_averages()

    def total_average(self) -> FunctionEvent:
        """All named ranges as one."""
        return self._events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The named ranges as text."""
        return self._events.table(sort_by, row_limit)


class emit_nvtx(contextlib.nullcontext):
    """Does nothing: there are no NVTX ranges here.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.emit_nvtx(enabled=False):
    ...     torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False):
        super().__init__()


__all__: list[str] = ["emit_nvtx", "profile", "record_function"]
