"""`torch.autograd.profiler`: contexts that name parts of a program for JAX's profiler."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import jax

from .. import modes


class record_function(modes.ContextDecorator):
    """Name what runs inside, as a context manager or a decorator; it shows in traces of
    `jax.profiler`.

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
        return self

    def __exit__(self, *exc):
        self._annotation.__exit__(*exc)


class profile:
    """Measures how long its inside takes. Single ops are not timed: they run as one program.

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

    def __enter__(self):
        if self.enabled and self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc):
        self.self_cpu_time_total = (time.perf_counter() - self._start) * 1e6


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
