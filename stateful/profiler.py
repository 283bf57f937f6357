"""`torch.profiler`: how long ops and named parts of a program take, step by step.

The time of an op is that of its call. Ops run together as compiled programs; `jax.profiler` shows
where that time goes, with the names given here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

from .autograd.profiler import profile as _Profile
from .autograd.profiler import record_function as record_function
from .autograd.profiler_util import EventList


class ProfilerActivity(enum.Enum):
    """What can be asked for; the CPU's clock is what is measured.

    >>> import stateful as torch
    >>> torch.profiler.ProfilerActivity.CPU
    <ProfilerActivity.CPU: 0>
    """

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What is done in a step.

    >>> import stateful as torch
    >>> torch.profiler.ProfilerAction.RECORD.value
    2
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be measured.

    >>> import stateful as torch
    >>> torch.profiler.supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """What to do in each step: skip some, then wait, warm up, record; ``repeat`` 0 is for ever.

    >>> import stateful as torch
    >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise AssertionError(
            "Invalid profiler schedule arguments: wait, warmup, repeat and skip_first must not be "
            f"negative and active must be positive, got {wait}, {warmup}, {repeat}, {skip_first} "
            f"and {active}."
        )

    def action(step: int) -> ProfilerAction:
        cycle, place = divmod(step - skip_first, wait + warmup + active)
        if step < skip_first or (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


class profile:
    """Records every op and `record_function` inside, in the steps that ``schedule`` says (all).

    ``on_trace_ready`` is called with this object at the end of each recorded cycle.

    >>> import stateful as torch
    >>> with torch.profiler.profile() as measured:
    ...     with torch.profiler.record_function("sum"):
    ...         total = torch.ones(2).sum().item()
    >>> "sum" in measured.key_averages().table(sort_by="cpu_time_total")
    True
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        **options: Any,
    ):
        self.activities, self.options = set(activities or supported_activities()), options
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.step_num, self.record_shapes = 0, record_shapes
        self._recording = False
        self._profile = _Profile(enabled=False)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self) -> None:
        """Begin the first step."""
        self._begin(self.schedule(self.step_num))

    def stop(self) -> None:
        """End the last step."""
        if self._recording:
            self._end()

    def step(self) -> None:
        """End a step of the program and begin the next."""
        ended = self.schedule(self.step_num)
        self.step_num += 1
        if ended is ProfilerAction.RECORD_AND_SAVE:
            self._end()
        self._begin(self.schedule(self.step_num))

    def _begin(self, action: ProfilerAction) -> None:
        records = action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if records and not self._recording:
            self._recording = True
            self._profile = _Profile(record_shapes=self.record_shapes)
            self._profile.__enter__()

    def _end(self) -> None:
        self._profile.__exit__()
        self._recording = False
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def events(self) -> EventList:
        """The ranges of the latest cycle, in the order in which they began."""
        return self._profile.function_events or EventList()

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **options: Any
    ) -> EventList:
        """The ranges of the latest cycle, those of the same name as one."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)


__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
    "supported_activities",
]  # fmt: skip
