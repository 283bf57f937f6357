"""The file in which one run of a program is written down: one JSON object a line, never pickle.

The first line says who ran what (`side`, `version`, `program`, `sha256` of its source). Every other
line is one event: its `kind`, the source `line` that caused it, a `label`, a `text` and its
quantities. Arrays of at most `WHOLE` elements are kept whole. Of longer ones a trace keeps an even
sample, the norm, a projection and a checksum, so that a training run of a thousand steps stays
small and one wrong element in a hundred thousand is still seen.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

WHOLE = 64
SAMPLE = 32

# What is compared; "header", "graph", "jaxpr", "node" and "end" are notes beside it.
GRADIENT_KINDS = ("backward", "grad")
COMPARED_KINDS = (*GRADIENT_KINDS, "step", "draw", "print", "warning", "exception")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One named array of an event: whole, or as sample, norm, projection and checksum.

    `role` is "root", "grad", "param", "draw", or "input" and "output" of a graph node.

    >>> import numpy as np
    >>> from stateful.compare import Quantity
    >>> Quantity.of("w.grad", "grad", np.array([3.0, -4.0])).magnitude
    4.0
    """

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    values: np.ndarray
    norm: float
    projection: float
    checksum: int

    @property
    def whole(self) -> bool:
        """Whether `values` holds every element."""
        return math.prod(self.shape) <= WHOLE

    @property
    def magnitude(self) -> float:
        """The largest absolute value; of an array that is not whole, a guess from its norm."""
        largest = float(np.nan_to_num(np.abs(self.values)).max(initial=0.0))
        if self.whole:
            return largest
        # Four standard deviations is where the largest of 10,000 normal numbers lies.
        return max(largest, 4 * self.norm / math.sqrt(math.prod(self.shape)))

    @classmethod
    def of(cls, name: str, role: str, array: Any, dtype: str | None = None) -> Quantity:
        """The digest of `array` (anything numpy understands).

        >>> import numpy as np
        >>> weight = Quantity.of("w", "param", np.arange(1000.0))
        >>> weight.shape, len(weight.values), weight.whole
        ((1000,), 32, False)
        """
        array = np.asarray(array)
        flat = np.ascontiguousarray(array).reshape(-1)
        norm = projection = 0.0
        if flat.size > WHOLE:
            wide = np.abs(flat) if flat.dtype.kind == "c" else flat.astype(np.float64)
            norm = float(np.sqrt((wide * wide).sum()))
            projection = float((wide * _signs(flat.size)).sum())
        values = flat if flat.size <= WHOLE else flat[_sample(flat.size)]
        checksum = zlib.crc32(flat.tobytes())
        return cls(
            name, role, array.shape, dtype or str(array.dtype), values, norm, projection, checksum
        )

    def to_json(self) -> dict[str, Any]:
        """The quantity as a JSON object; the bytes of the values in base64."""
        return {
            "name": self.name,
            "role": self.role,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "stored": str(self.values.dtype),
            "values": base64.b64encode(self.values.tobytes()).decode("ascii"),
            "norm": self.norm,
            "projection": self.projection,
            "checksum": self.checksum,
        }

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Quantity:
        """The inverse of `to_json`."""
        values = np.frombuffer(base64.b64decode(entry["values"]), dtype=entry["stored"])
        return cls(
            entry["name"],
            entry["role"],
            tuple(entry["shape"]),
            entry["dtype"],
            values,
            entry["norm"],
            entry["projection"],
            entry["checksum"],
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a program did: its kind, source line, label, text and quantities.

    >>> from stateful.compare import Event
    >>> Event("print", line=3, text="loss 0.5").to_json()
    {'kind': 'print', 'line': 3, 'text': 'loss 0.5'}
    """

    kind: str
    line: int = 0
    label: str = ""
    text: str = ""
    quantities: tuple[Quantity, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The event as a JSON object, empty fields left out."""
        entry: dict[str, Any] = {"kind": self.kind, "line": self.line}
        if self.label:
            entry["label"] = self.label
        if self.text:
            entry["text"] = self.text
        if self.quantities:
            entry["quantities"] = [quantity.to_json() for quantity in self.quantities]
        if self.data:
            entry["data"] = self.data
        return entry

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Event:
        """The inverse of `to_json`."""
        quantities = tuple(Quantity.from_json(one) for one in entry.get("quantities", ()))
        return cls(
            entry["kind"],
            entry["line"],
            entry.get("label", ""),
            entry.get("text", ""),
            quantities,
            entry.get("data", {}),
        )


@dataclass(frozen=True)
class Trace:
    """What one side did: the header, the compared events, and the notes beside them.

    >>> from stateful.compare import Trace
    >>> Trace({"side": "torch", "version": "2.13.0", "recorded": True}, [], []).title
    'torch 2.13.0 (recorded)'
    """

    header: dict[str, Any]
    events: list[Event]
    notes: list[Event]

    @property
    def title(self) -> str:
        """The side with its version, as "torch 2.13.0"; "(recorded)" if it did not run just now."""
        title = f"{self.header['side']} {self.header['version']}".strip()
        return f"{title} (recorded)" if self.recorded else title

    @property
    def recorded(self) -> bool:
        """Whether this is a recorded reference, not a run of just now."""
        return bool(self.header.get("recorded"))

    @property
    def finished(self) -> bool:
        """Whether the process reached its end (it may have raised)."""
        return any(note.kind == "end" for note in self.notes)

    def note(self, kind: str) -> Event | None:
        """The first note of this kind, or None."""
        return next((note for note in self.notes if note.kind == kind), None)


class TraceWriter:
    """Appends events to a file as they happen, so that a crash loses nothing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def header(self, **fields: Any) -> None:
        """Writes the first line."""
        self._put({"kind": "header", "line": 0, "data": fields})

    def write(self, event: Event) -> None:
        """Appends one event."""
        self._put(event.to_json())

    def _put(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read_trace(path: Path) -> Trace:
    """The trace in `path` (gzipped if it ends in `.gz`), less a half-written last line.

    >>> from stateful.compare import read_trace
    >>> from stateful.compare.programs import REFERENCES
    >>> read_trace(REFERENCES / "01_polynomial_adam.jsonl.gz").title
    'torch 2.13.0 (recorded)'
    """
    if path.suffix == ".gz":
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
    else:
        text = path.read_text(encoding="utf-8")
    return _sort_out(_events(text.splitlines(keepends=True)))


def write_compressed(trace: Trace, path: Path) -> None:
    """Writes `trace` to `path` (`.jsonl.gz`): the same trace gives the same bytes."""
    entries = [Event("header", data=trace.header), *trace.events, *trace.notes]
    lines = [json.dumps(entry.to_json(), separators=(",", ":")) + "\n" for entry in entries]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(lines).encode("utf-8"), mtime=0))


def _events(lines: Iterable[str]) -> Iterator[Event]:
    for line in lines:
        if line.endswith("\n"):
            yield Event.from_json(json.loads(line))


def _sort_out(events: Iterable[Event]) -> Trace:
    header: dict[str, Any] = {"side": "?", "version": ""}
    compared: list[Event] = []
    notes: list[Event] = []
    for event in events:
        if event.kind == "header":
            header = event.data
        elif event.kind in COMPARED_KINDS:
            compared.append(event)
        else:
            notes.append(event)
    return Trace(header, compared, notes)


@functools.lru_cache(maxsize=64)
def _sample(size: int) -> np.ndarray:
    return np.linspace(0, size - 1, SAMPLE).astype(np.int64)


@functools.lru_cache(maxsize=64)
def _signs(size: int) -> np.ndarray:
    """A fixed pattern of +1 and -1 without a simple period (Knuth's multiplicative hash)."""
    hashed = np.arange(size, dtype=np.uint64) * np.uint64(2654435761)
    return 1.0 - 2.0 * ((hashed >> np.uint64(21)) & np.uint64(1)).astype(np.float64)
