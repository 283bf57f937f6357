"""`torch.autograd.profiler`: how long ops and named parts of a program take."""

from __future__ import annotations

import contextlib
import copy
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from funcgrad.op import Op

from .. import execute, modes
from ..execute import Value
from ..graph import LEAF_SEQUENCE, sequence_numbers
from .profiled_nodes import install
from .profiler_util import EventList, FunctionEvent, FunctionEventAvg

_profiles: list[profile] = []
"""Those that are recording."""

_untimed: list[Callable] = []
"""The policy from before the first of them."""

_ids = itertools.count()


def _now() -> float:
    """The time in microseconds."""
    return time.perf_counter() * 1e6


def _note(name: str, start: float, shapes: list | None = None, sequence_nr: int = -1) -> None:
    """Tell the profiles of what began at ``start`` and ends now."""
    event = FunctionEvent(
        next(_ids), name, threading.get_ident(), start, _now(), shapes or [],
        sequence_nr=sequence_nr,
    )  # fmt: skip
    for running in _profiles:
        running._events.append(event)


def _profiler_enabled() -> bool:
    """Whether a `profile` is recording."""
    return bool(_profiles)


class record_function(modes.ContextDecorator):
    """Name what runs inside, as a context manager or a decorator; it shows in traces of
    `jax.profiler`, and in the table of `profile`.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.record_function("sum"):
    ...     torch.ones(2).sum()
    tensor(2.)
    """

    _shapes: list | None = None
    _sequence_nr = -1

    def __init__(self, name: str, args: str | None = None):
        self.name, self.args = name, args

    def clone(self):
        return type(self)(self.name, self.args)

    def __enter__(self):
        self._annotation = jax.profiler.TraceAnnotation(self.name)
        self._annotation.__enter__()
        self._start = _now()
        return self

    def __exit__(self, *exc):
        _note(self.name, self._start, self._shapes, self._sequence_nr)
        self._annotation.__exit__(*exc)


def _range(name: str, node: Any = None, given: Sequence = ()) -> record_function:
    """The range of a node, or of a function that is made of ops."""
    made = record_function(name)
    if node is not None and node.sequence_nr != LEAF_SEQUENCE:
        made._sequence_nr = node._sequence_nr()
    if given and any(running.record_shapes for running in _profiles):
        made._shapes = [list(x.shape) if hasattr(x, "shape") else [] for x in given]
    return made


def _record_function_with_args_enter(name: str, *args: Any) -> record_function:
    """`record_function` without a context manager; what it returns is for the exit."""
    return record_function(name).__enter__()


def _record_function_with_args_exit(handle: record_function) -> None:
    """The end of what `_record_function_with_args_enter` began."""
    handle.__exit__(None, None, None)


class profile:
    """Measures how long its inside takes, each `record_function` and each op in it.

    The time of an op is that of its call. Ops are compiled and run together, when somebody looks
    at a result, so this is not the time of its arithmetic. An op in place shows as the op that
    computes what is written. A backward pass runs node by node and op by op, each in a range.
    ``record_shapes``: note the shapes of what ops were given.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.profile() as measured:
    ...     total = torch.ones(2).sum()
    >>> "aten::sum" in [event.name for event in measured.function_events]
    True
    """

    def __init__(self, enabled: bool = True, *, record_shapes: bool = False, **options: Any):
        self.enabled, self.record_shapes, self.options = enabled, record_shapes, options
        self.self_cpu_time_total = 0.0
        self.entered = False
        self._events = EventList()

    @property
    def function_events(self) -> EventList | None:
        """All ranges in the order in which they began; None for a profile that is switched off."""
        if not self.enabled:
            return None
        return self._events

    def __enter__(self):
        if self.enabled and self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        self._start = time.perf_counter()
        if self.enabled:
            install(_profiler_enabled, _range)
            if not _profiles:
                _untimed.append(execute.policy)
                execute.policy = _timed(execute.policy, self.record_shapes)
            _profiles.append(self)
        return self

    def __exit__(self, *exc):
        self.self_cpu_time_total = (time.perf_counter() - self._start) * 1e6
        if self.enabled:
            _profiles.remove(self)
            if not _profiles:
                execute.policy = _untimed.pop()
            self._events.sort(key=lambda event: event.time_range.start)
            self._events._build_tree()

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """The ranges, those of the same name as one."""
        return self._events.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """All ranges as one."""
        return self._events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The ranges as text."""
        return self._events.table(sort_by, row_limit)


def _timed(policy: Callable, with_shapes: bool) -> Callable:
    """``policy``, each of whose ops is a range."""

    def timed(fn: Any, static: tuple, leaves: Any) -> Any:
        if not isinstance(fn, Op):
            return policy(fn, static, leaves)
        start = _now()
        number = next(copy.copy(sequence_numbers)) if modes.state.grad_enabled else -1
        try:
            return policy(fn, static, leaves)
        finally:
            shapes = [list(x.aval.shape) if isinstance(x, Value) else [] for x in leaves]
            _note(f"aten::{fn.aten.partition('.')[0]}", start, shapes if with_shapes else None,
                  number)  # fmt: skip

    return timed


def kineto_available() -> bool:
    """Whether PyTorch's tracing library is there: no.

    >>> from stateful.autograd.profiler import kineto_available
    >>> kineto_available()
    False
    """
    return False


class emit_nvtx(contextlib.nullcontext):
    """Does nothing: there are no NVTX ranges here.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.emit_nvtx(enabled=False):
    ...     torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False):
        super().__init__()


class emit_itt(emit_nvtx):
    """Does nothing: there are no ITT ranges here.

    >>> import stateful as torch
    >>> with torch.autograd.profiler.emit_itt(enabled=False):
    ...     torch.ones(2).sum()
    tensor(2.)
    """


__all__: list[str] = [
    "emit_itt", "emit_nvtx", "kineto_available", "profile", "record_function",
]  # fmt: skip
