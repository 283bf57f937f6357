"""Lays the events of two or three runs side by side and compares them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .tolerance import EARLY, EQUAL, VERDICTS, Difference, Tolerance, part
from .trace import GRADIENT_KINDS, Event, Quantity, Trace

_TWIN_KINDS = (*GRADIENT_KINDS, "step", "print")
_LOOK_AHEAD = 60


@dataclass(frozen=True)
class Cell:
    """What one side has for a quantity: the value as text, and how it differs."""

    text: str
    difference: Difference


@dataclass(frozen=True)
class Row:
    """One line of the table: a quantity of an event, on the reference side and on the others.

    A side that was not asked for this event (a twin is not asked for warnings) has no cell.
    """

    number: int
    kind: str
    line: int
    quantity: str
    reference: str
    cells: dict[str, Cell]

    @property
    def worst(self) -> Difference:
        """The cell that is furthest from the reference."""
        cells = [cell.difference for cell in self.cells.values()]
        return max(cells, key=lambda one: (VERDICTS.index(one.verdict), one.excess), default=EQUAL)


class _Ruler:
    """The tolerance at one point of a run: it knows what has been before."""

    def __init__(self, tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        self._calls = 0
        self._peaks: dict[str, float] = {}

    def pass_by(self, event: Event) -> None:
        """Takes note of a reference event."""
        self._calls += event.kind in GRADIENT_KINDS
        for one in event.quantities:
            self._peaks[one.name] = max(one.magnitude, self._peaks.get(one.name, 0.0))

    def measure(self, quantity: Quantity, other: Quantity, twin: bool) -> Difference:
        """The difference between the reference's quantity and another side's."""
        late = self._calls >= EARLY
        peak = self._peaks.get(quantity.name, 0.0)
        return self.tolerance.quantities(quantity, other, late, loose_dtype=twin, peak=peak)


Pair = tuple[Event | None, Event | None]


def compare_traces(
    reference: Trace, others: Sequence[Trace], tolerance: Tolerance | None = None
) -> list[Row]:
    """The rows of the table: every quantity of every event, in the order of the reference.

    An event that only another side has follows the event before it, with nothing on the reference
    side.
    """
    tolerance = tolerance or Tolerance()
    columns: dict[str, dict[int, Event | None]] = {}
    extras: dict[int, list[tuple[str, Event]]] = {}
    for other in others:
        side = other.header["side"]
        columns[side], surplus = _column(reference, other)
        for place, event in surplus:
            extras.setdefault(place, []).append((side, event))
    rows = [_extra_row(-1, side, event) for side, event in extras.get(-1, ())]
    ruler = _Ruler(tolerance)
    for number, event in enumerate(reference.events):
        found = {side: column[number] for side, column in columns.items() if number in column}
        rows += _event_rows(number, event, found, ruler)
        ruler.pass_by(event)
        rows += [_extra_row(number, side, extra) for side, extra in extras.get(number, ())]
    return rows


def _column(
    reference: Trace, other: Trace
) -> tuple[dict[int, Event | None], list[tuple[int, Event]]]:
    """What `other` has for each reference event that it answers for, and what besides."""
    twin = other.header["side"] == "functional"
    asked = [
        (number, event)
        for number, event in enumerate(reference.events)
        if not twin or event.kind in _TWIN_KINDS
    ]
    answers = [event for event in other.events if not twin or _from_twin(event)]
    key = _twin_key if twin else _key
    column: dict[int, Event | None] = {}
    surplus: list[tuple[int, Event]] = []
    place, position = -1, 0
    for one, two in align([event for _, event in asked], answers, key):
        if one is not None:
            place = asked[position][0]
            column[place] = two
            position += 1
        elif two is not None:
            surplus.append((place, two))
    return column, surplus


def _key(event: Event) -> object:
    return event.kind, event.line


def _twin_key(event: Event) -> object:
    return "gradient" if event.kind in GRADIENT_KINDS else event.kind


def _from_twin(event: Event) -> bool:
    return event.kind in _TWIN_KINDS or (event.kind == "exception" and event.label == "uncaught")


def align(
    left: Sequence[Event], right: Sequence[Event], key: Callable[[Event], object]
) -> list[Pair]:
    """Pairs events with equal keys in order; where the streams part, skips as few as possible.

    >>> one, two = [Event("print", 1), Event("step", 2)], [Event("step", 2)]
    >>> [(a and a.kind, b and b.kind) for a, b in align(one, two, lambda event: event.kind)]
    [('print', None), ('step', 'step')]
    """
    pairs: list[Pair] = []
    i = j = 0
    while i < len(left) and j < len(right):
        skip_left, skip_right = _resume(left, right, i, j, key)
        pairs += [(event, None) for event in left[i : i + skip_left]]
        pairs += [(None, event) for event in right[j : j + skip_right]]
        i, j = i + skip_left, j + skip_right
        if i < len(left) and j < len(right):
            pairs.append((left[i], right[j]))
            i, j = i + 1, j + 1
    pairs += [(event, None) for event in left[i:]]
    pairs += [(None, event) for event in right[j:]]
    return pairs


def _resume(
    left: Sequence[Event],
    right: Sequence[Event],
    i: int,
    j: int,
    key: Callable[[Event], object],
) -> tuple[int, int]:
    """How many events to skip on either side, from `i` and `j`, until the keys are equal again."""
    for total in range(_LOOK_AHEAD):
        for skip_left in range(total + 1):
            one, two = i + skip_left, j + total - skip_left
            if one < len(left) and two < len(right) and key(left[one]) == key(right[two]):
                return skip_left, total - skip_left
    return len(left) - i, len(right) - j


def _event_rows(
    number: int,
    event: Event,
    found: dict[str, Event | None],
    ruler: _Ruler,
) -> list[Row]:
    """The rows of one reference event; `found` has the events of the sides that answer for it."""
    if not event.quantities:
        cells = {side: _text_cell(event, other, ruler.tolerance) for side, other in found.items()}
        label = event.kind if event.kind == "print" else event.label
        return [Row(number, event.kind, event.line, label, one_line(event.text), cells)]
    rows = []
    for quantity in event.quantities:
        cells = {
            side: _quantity_cell(event, quantity, other, ruler, side == "functional")
            for side, other in found.items()
        }
        rows.append(Row(number, event.kind, event.line, quantity.name, show(quantity), cells))
    for side, other in found.items():
        rows += [
            Row(number, event.kind, event.line, extra.name, "", {side: _surplus_cell(extra)})
            for extra in (other.quantities if other else ())
            if other and not _claimed(event, extra, other)
        ]
    return rows


def _text_cell(event: Event, other: Event | None, tolerance: Tolerance) -> Cell:
    if other is None:
        return Cell("", part("missing"))
    compare = tolerance.texts if event.kind == "print" else tolerance.messages
    one, two = event.text, other.text
    if event.kind == "warning":
        one, two = f"{event.label}: {one}", f"{other.label}: {two}"
    return Cell(one_line(other.text), compare(one, two))


def _quantity_cell(
    event: Event,
    quantity: Quantity,
    other: Event | None,
    ruler: _Ruler,
    twin: bool,
) -> Cell:
    if other is None:
        return Cell("", part("missing"))
    match = _partner(event, quantity, other)
    if match is None:
        names = ", ".join(one.name for one in other.quantities) or "nothing"
        return Cell("", part(f"missing: this side has {names}"))
    return Cell(show(match), ruler.measure(quantity, match, twin))


def _partner(event: Event, quantity: Quantity, other: Event) -> Quantity | None:
    """The quantity of the same role and name; the outer part of a dotted name may be left out."""
    peers = [one for one in other.quantities if one.role == quantity.role]
    for candidate in peers:
        if candidate.name == quantity.name:
            return candidate
    for candidate in peers:
        if quantity.name.endswith("." + candidate.name):
            return candidate
    same_role = [one for one in event.quantities if one.role == quantity.role]
    if quantity.role == "root" and len(peers) == len(same_role) == 1:
        return peers[0]
    return None


def _claimed(event: Event, extra: Quantity, other: Event) -> bool:
    return any(_partner(event, quantity, other) is extra for quantity in event.quantities)


def _surplus_cell(extra: Quantity) -> Cell:
    return Cell(show(extra), part("the reference has no such quantity"))


def _extra_row(number: int, side: str, event: Event) -> Row:
    names = ", ".join(quantity.name for quantity in event.quantities)
    cell = Cell(one_line(event.text) or names, part("the reference has no such event"))
    return Row(number, event.kind, event.line, event.label or names, "", {side: cell})


def one_line(text: str) -> str:
    """The text with its lines joined."""
    return " ".join(text.split())


def show(quantity: Quantity) -> str:
    """A short text for an array: its numbers when there are few, else its shape and norm."""
    if len(quantity.values) == quantity.values.size <= 3 and quantity.whole:
        numbers = [_number(value) for value in quantity.values]
        return ", ".join(numbers) if quantity.shape else numbers[0]
    if quantity.whole:
        head = ", ".join(_number(value) for value in itertools.islice(quantity.values, 3))
        return f"{head}, ... {list(quantity.shape)}"
    return f"norm {quantity.norm:.7g} {list(quantity.shape)}"


def _number(value: np.generic) -> str:
    return f"{value:.7g}" if value.dtype.kind in "fc" else str(value)
