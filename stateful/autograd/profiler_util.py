"""Ranges of time, and their table."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Interval:
    """From when to when, in microseconds of the wall clock.

    >>> import stateful as torch
    >>> torch.autograd.profiler_util.Interval(1.0, 3.0).elapsed_us()
    2.0
    """

    start: float = 0.0
    end: float = 0.0

    def elapsed_us(self) -> float:
        """How long it took."""
        return self.end - self.start


class FormattedTimesMixin:
    """The times of an event as text.

    >>> from stateful.autograd.profiler_util import FunctionEvent
    >>> FunctionEvent(0, "add", thread=0, start_us=1.0, end_us=2.5).cpu_time_str
    '1.500us'
    """

    cpu_time_total: float
    self_cpu_time_total: float
    count: int = 0

    @property
    def cpu_time(self) -> float:
        """The time of one run on average."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        """The time of one run on average, with its unit."""
        return _format_time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """The time of all runs, with its unit."""
        return _format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """The time of all runs without what ran inside, with its unit."""
        return _format_time(self.self_cpu_time_total)


class FunctionEvent(FormattedTimesMixin):
    """One run of an op or of a named range; times in microseconds.

    ``self_cpu_time_total``: without the ranges inside. ``input_shapes``: those of what the op was
    given, if they were asked for. ``sequence_nr``: of the node that the op makes or that runs, -1
    if there is none.

    >>> import stateful as torch
    >>> with torch.profiler.profile() as measured:
    ...     with torch.profiler.record_function("pass"):
    ...         pass
    >>> [event.count for event in measured.events() if event.name == "pass"]
    [1]
    """

    count: int = 1
    device_time_total = self_device_time_total = 0

    def __init__(
        self, id: int, name: str, thread: int, start_us: float, end_us: float,
        input_shapes: Any = None, is_async: bool = False, is_remote: bool = False,
        sequence_nr: int = -1,
    ):  # fmt: skip
        self.id, self.name, self.thread = id, name, thread
        self.key = name
        self.time_range = Interval(start_us, end_us)
        self.input_shapes, self.is_async, self.is_remote = input_shapes, is_async, is_remote
        self.sequence_nr = sequence_nr
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []

    def append_cpu_child(self, child: FunctionEvent) -> None:
        """Tell of a range inside."""
        self.cpu_children.append(child)

    def set_cpu_parent(self, parent: FunctionEvent) -> None:
        """Tell of the range around."""
        self.cpu_parent = parent

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """How long it took."""
        return 0.0 if self.is_async else self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """How long it took without the ranges inside."""
        if self.is_async:
            return 0.0
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    def __repr__(self):
        return (
            f"<{type(self).__name__} id={self.id} name={self.name} thread={self.thread} "
            f"cpu_time={self.cpu_time_str} cpu_children={[c.id for c in self.cpu_children]} "
            f"input_shapes={self.input_shapes}>"
        )


class FunctionEventAvg(FormattedTimesMixin):
    """Several ranges as one.

    >>> from stateful.autograd.profiler_util import FunctionEvent, FunctionEventAvg
    >>> total = FunctionEventAvg()
    >>> total += FunctionEvent(0, "sum", thread=0, start_us=1.0, end_us=3.0)
    >>> total.key, total.count, total.cpu_time_total
    ('sum', 1, 2.0)
    """

    device_time_total = self_device_time_total = 0

    def __init__(self):
        self.key: str | None = None
        self.input_shapes: Any = None
        self.cpu_time_total = self.self_cpu_time_total = 0

    def add(self, other: Any) -> FunctionEventAvg:
        """Count one more in, of the same name."""
        if self.key is None:
            self.key, self.input_shapes = other.key, other.input_shapes
        if other.key != self.key:
            raise AssertionError(f"an event named {other.key} is no part of those of {self.key}")
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.count += other.count
        return self

    __iadd__ = add

    def __repr__(self):
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes}>"
        )


class EventList(list):
    """Ranges in the order in which they ended.

    >>> import stateful as torch
    >>> with torch.profiler.profile() as measured:
    ...     for _ in range(2):
    ...         with torch.profiler.record_function("sum"):
    ...             total = torch.ones(2).sum().item()
    >>> [(e.key, e.count) for e in measured.key_averages() if e.key == "sum"]
    [('sum', 2)]
    """

    def _build_tree(self) -> None:
        self._populate_cpu_children()

    def _populate_cpu_children(self) -> None:
        """Find out which ranges are inside of which, in the same thread."""
        open_ranges: dict[int, list[FunctionEvent]] = {}
        for event in sorted(self, key=lambda e: (e.time_range.start, -e.time_range.end)):
            if event.is_async:
                continue
            around = open_ranges.setdefault(event.thread, [])
            while around and around[-1].time_range.end < event.time_range.end:
                around.pop()
            if around:
                around[-1].append_cpu_child(event)
                event.set_cpu_parent(around[-1])
            around.append(event)

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Ranges of the same name, or of the same name and shapes, as one."""
        found: dict[tuple, FunctionEventAvg] = {}
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shapes else ""
            found.setdefault((event.key, shapes), FunctionEventAvg()).add(event)
        if not group_by_input_shapes:
            for average in found.values():
                average.input_shapes = None
        return EventList(found.values())

    def total_average(self) -> FunctionEventAvg:
        """All ranges as one, named ``Total``."""
        total = FunctionEventAvg()
        for event in self:
            total.key = event.key
            total.add(event)
        total.key, total.input_shapes = "Total", None
        return total

    @property
    def self_cpu_time_total(self) -> float:
        """The time in any range."""
        return sum(event.self_cpu_time_total for event in self)

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The ranges as text, the largest ``sort_by`` (an attribute of the events) first."""
        rows = sorted(self, key=lambda e: getattr(e, sort_by), reverse=True) if sort_by else self
        lines = [_line("Name", "Self CPU", "CPU total", "CPU time avg", "# of Calls")]
        for e in rows[:row_limit] if row_limit >= 0 else rows:
            times = (e.self_cpu_time_total, e.cpu_time_total, e.cpu_time)
            lines.append(_line(e.key, *map(_format_time, times), str(e.count)))
        return "\n".join([*lines, f"Self CPU time total: {_format_time(self.self_cpu_time_total)}"])

    __str__ = table


def _line(name: str, *cells: str) -> str:
    return f"{name:>40}  " + "  ".join(f"{cell:>14}" for cell in cells)


def _format_time(time_us: float) -> str:
    """A time in the unit that suits it."""
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if time_us >= size:
            return f"{time_us / size:.3f}{unit}"
    return f"{time_us:.3f}us"


def _format_time_share(time_us: float, total_time_us: float) -> str:
    """A time as a percentage of another; AssertionError if only the other is zero."""
    if total_time_us == 0:
        if time_us != 0:
            raise AssertionError(f"Expected time_us == 0 but got {time_us}")
        return "NaN"
    return f"{100 * time_us / total_time_us:.2f}%"


def _format_memory(nbytes: int) -> str:
    """A number of bytes in the unit that suits it."""
    for size, unit in ((2**30, "GB"), (2**20, "MB"), (2**10, "KB")):
        if abs(nbytes) >= size:
            return f"{nbytes / size:.2f} {unit}"
    return f"{nbytes} B"
