"""Follows one gradient call node by node, to find the operation where two runs part.

Before the call every node of the graph gets a hook that writes down the gradients that enter and
leave it. The source line of a node is found by watching the user's frames: after each line, nodes
that a local variable has just made reachable were made by that line.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from .naming import UserCode
from .nodes import is_accumulator, walk
from .trace import Event, Quantity, TraceWriter


class Finished(BaseException):
    """The gradient call in question is over; the rest of the program need not run."""


class NodeTracer:
    """Traces the gradient call with the given number (from 0) and ends the run after it.

    Without a number it traces the first gradient call of every source line and kind of graph, and
    lets the program finish.
    """

    def __init__(
        self, torch: Any, trace: TraceWriter, user: UserCode, number: int | None = None
    ) -> None:
        self._torch = torch
        self._trace = trace
        self._user = user
        self._number = number
        self._seen: set[tuple[int | str, ...]] = set()
        self._lines: dict[Any, int] = {}
        self._last: dict[FrameType, int] = {}

    def start(self) -> None:
        """Begins to watch the lines of the user's program."""
        sys.settrace(self._enter)

    def before(self, number: int, roots: list[Any]) -> None:
        """Called before each gradient call: hooks the nodes of one that is wanted."""
        line = self._user.line()
        nodes = walk(roots)
        graph = (line, *(node.name() for node in nodes))
        wanted = graph not in self._seen if self._number is None else number == self._number
        self._seen.add(graph)
        if not wanted:
            return
        self._reach(roots, line)
        for index, node in enumerate(nodes):
            if not is_accumulator(node):
                place = {"index": index, "call": number}
                node.register_hook(self._hook(node.name(), self._lines.get(node, 0), place))

    def after(self, number: int) -> None:
        """Called after each gradient call: ends the run after the one that is wanted."""
        self._lines.clear()
        if number == self._number:
            sys.settrace(None)
            raise Finished

    def _hook(self, name: str, line: int, place: dict[str, int]) -> Any:
        def hook(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            # Named after the forward pass: what enters the node in backward is `outputs`.
            quantities = _digests("input", outputs) + _digests("output", inputs)
            self._trace.write(Event("node", line, name, quantities=quantities, data=place))

        return hook

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not self._user.owns(frame.f_code.co_filename):
            return None
        self._last[frame] = frame.f_lineno
        return self._watch

    def _watch(self, frame: FrameType, event: str, argument: Any) -> Any:
        tensors = [one for one in frame.f_locals.values() if self._is_tensor(one)]
        if event == "return" and self._is_tensor(argument):
            tensors.append(argument)
        self._reach(tensors, self._last.get(frame, frame.f_lineno))
        self._last[frame] = frame.f_lineno
        if event == "return":
            self._last.pop(frame, None)
        return self._watch

    def _reach(self, tensors: list[Any], line: int) -> None:
        waiting = [one.grad_fn for one in tensors if one.grad_fn is not None]
        while waiting:
            node = waiting.pop()
            if node not in self._lines:
                self._lines[node] = line
                waiting.extend(child for child, _ in node.next_functions if child is not None)

    def _is_tensor(self, value: Any) -> bool:
        return isinstance(value, self._torch.Tensor)


def _digests(role: str, gradients: tuple[Any, ...]) -> tuple[Quantity, ...]:
    return tuple(
        Quantity.of(f"{role}{index}", role, np.array(one.detach().cpu().numpy()))
        for index, one in enumerate(gradients)
        if one is not None
    )
