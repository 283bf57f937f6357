"""Watching the ops that run in a block, and giving other results for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from funcgrad.op import Op

from .. import execute as seam


class Intercepted:
    """Context manager: ``handler(op, template, leaves, results)`` gives the results of every op.

    The op has been recorded when the handler is asked; what nobody holds is never computed. As
    `set_execution`, it holds for all threads. It may be entered again.
    """

    def __init__(self, handler: Callable[[Op, tuple, Any, Any], Any]):
        self.handler = handler
        self._previous: list[Callable] = []

    def __enter__(self) -> None:
        previous = seam.policy
        self._previous.append(previous)

        def policy(fn: Any, static: tuple, leaves: Any) -> Any:
            kernel, results = previous(fn, static, leaves)
            if isinstance(fn, Op):
                results = self.handler(fn, static, leaves, results)
            return kernel, results

        seam.policy = policy

    def __exit__(self, *exc: Any) -> None:
        seam.policy = self._previous.pop()
