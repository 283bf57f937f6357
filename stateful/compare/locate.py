"""Finds the operation at which a gradient parts: runs one gradient call again, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from funcgrad.op import REGISTRY

from .align import show
from .processes import run
from .programs import Program
from .tolerance import EARLY, Tolerance
from .trace import GRADIENT_KINDS, Event, Trace


@dataclass(frozen=True)
class Culprit:
    """The first node of a backward pass whose result differs although what it got agrees."""

    node: str
    line: int
    why: str
    declared: str = ""

    def __str__(self) -> str:
        place = f" of line {self.line}" if self.line else ""
        return f"{self.node}{place}: {self.why}"


def declaration(node: str) -> str:
    """Where the op behind a graph node is declared, with its gradient formula; empty if nowhere.

    >>> declaration("ReluBackward0").partition(":")[0]
    'funcgrad/ops/activation.py'
    """
    for op in REGISTRY.values():
        if op.grad_fn == node:
            code = op.fn.__code__
            file = Path(code.co_filename)
            return f"{'/'.join(file.parts[-3:])}:{code.co_firstlineno}"
    return ""


def gradient_number(events: Sequence[Event], position: int) -> int | None:
    """The gradient call that the event at `position` is, counting from 0; None if it is not one.

    Calls that raised count, as they do while a run is traced.
    """
    if events[position].kind not in GRADIENT_KINDS:
        return None
    calls = [is_call(event) for event in events[: position + 1]]
    return sum(calls) - 1


def is_call(event: Event) -> bool:
    """Whether the event is a gradient call, finished or failed."""
    return event.kind in GRADIENT_KINDS or (
        event.kind == "exception" and event.label in GRADIENT_KINDS
    )


def locate(
    program: Program,
    reference: Trace,
    number: int,
    folder: Path,
    timeout: float,
    tolerance: Tolerance,
) -> Culprit | None:
    """Runs gradient call `number` of `program` again and names the first node that parts.

    A recorded `reference` has the nodes of the first gradient call of every source line; a live one
    is run again. None when every node agrees, or when the reference has no nodes for this call.
    """
    expected = nodes_of(reference, number)
    sides = ("stateful",) if expected or reference.recorded else ("torch", "stateful")
    traces = run(program, sides, folder, timeout, arguments=("--nodes", str(number)))
    expected = expected or nodes_of(traces.get("torch", reference), number)
    return first_parting(expected, nodes_of(traces["stateful"], number), tolerance, number >= EARLY)


def trace_nodes(program: Program, folder: Path, timeout: float) -> list[Event]:
    """The nodes of the first gradient call of every line and kind of graph, under real PyTorch."""
    trace = run(program, ("torch",), folder, timeout, arguments=("--nodes", "first"))["torch"]
    return [note for note in trace.notes if note.kind == "node"]


def nodes_of(trace: Trace, number: int) -> list[Event]:
    """The node events of one gradient call, in the order in which they ran."""
    return [one for one in trace.notes if one.kind == "node" and one.data["call"] == number]


def first_parting(
    reference: Sequence[Event], other: Sequence[Event], tolerance: Tolerance, late: bool = False
) -> Culprit | None:
    """The first node, in the order in which the reference ran them, whose output parts."""
    found = {node.data["index"]: node for node in other}
    for node in reference:
        partner = found.get(node.data["index"])
        if partner is None or partner.label != node.label:
            has = "nothing" if partner is None else partner.label
            return Culprit(node.label, node.line, f"the graphs part: {has} is in its place")
        if not _parts(node, partner, "input", tolerance, late):
            why = _parts(node, partner, "output", tolerance, late)
            if why:
                line = node.line or partner.line
                return Culprit(node.label, line, why, declaration(node.label))
    return None


def _parts(node: Event, partner: Event, role: str, tolerance: Tolerance, late: bool) -> str:
    """How the gradients of this role part; empty if they agree."""
    mine = {one.name: one for one in node.quantities if one.role == role}
    theirs = {one.name: one for one in partner.quantities if one.role == role}
    for name, quantity in mine.items():
        # A gradient that only PyTorch hands on is one that stateful did not need to compute.
        if name in theirs and tolerance.quantities(quantity, theirs[name], late).parts:
            return f"gradient {show(quantity)} in torch, {show(theirs[name])} in stateful"
    return ""
