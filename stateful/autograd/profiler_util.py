"""Named ranges of time, and their table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass
class FunctionEvent:
    """One run of a named range; times in microseconds, by the wall clock.

    ``self_cpu_time_total``: without the ranges inside.

    >>> import stateful as torch
    >>> with torch.profiler.profile() as measured:
    ...     with torch.profiler.record_function("pass"):
    ...         pass
    >>> [event.count for event in measured.events() if event.name == "pass"]
    [1]
    """

    key: str
    cpu_time_total: float
    self_cpu_time_total: float
    count: int = 1

    @property
    def name(self) -> str:
        """The name it was given."""
        return self.key

    @property
    def cpu_time(self) -> float:
        """The time of one run on average."""
        return self.cpu_time_total / self.count


class EventList(list[FunctionEvent]):
    """Ranges in the order in which they ended.

    >>> import stateful as torch
    >>> with torch.profiler.profile() as measured:
    ...     for _ in range(2):
    ...         with torch.profiler.record_function("sum"):
    ...             total = torch.ones(2).sum().item()
    >>> [(e.key, e.count) for e in measured.key_averages() if e.key == "sum"]
    [('sum', 2)]
    """

    def key_averages(self) -> EventList:
        """Ranges of the same name as one."""
        found: dict[str, list[FunctionEvent]] = {}
        for event in self:
            found.setdefault(event.key, []).append(event)
        return EventList(_added(key, events) for key, events in found.items())

    def total_average(self) -> FunctionEvent:
        """All ranges as one, named ``Total``."""
        return _added("Total", self)

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
            lines.append(_line(e.key, *(f"{t:.3f}us" for t in times), str(e.count)))
        return "\n".join([*lines, f"Self CPU time total: {self.self_cpu_time_total:.3f}us"])

    __str__ = table


def _added(key: str, events: Iterable[FunctionEvent]) -> FunctionEvent:
    total = FunctionEvent(key, 0.0, 0.0, 0)
    for event in events:
        total.cpu_time_total += event.cpu_time_total
        total.self_cpu_time_total += event.self_cpu_time_total
        total.count += event.count
    return total


def _line(name: str, *cells: str) -> str:
    return f"{name:>40}  " + "  ".join(f"{cell:>14}" for cell in cells)
