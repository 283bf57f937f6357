"""Watching the ops that run in a block, and giving other results for them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from funcgrad.op import Op

from .. import execute as seam


@contextlib.contextmanager
def intercepted(handler: Callable[[Op, tuple, Any, Any], Any]) -> Iterator[None]:
    """Inside, ``handler(op, template, leaves, results)`` gives the results of every op.

    The op has been recorded when the handler is asked; what nobody holds is never computed. As
    `set_execution`, it holds for all threads.
    """
    previous = seam.policy

    def policy(fn: Any, static: tuple, leaves: Any) -> Any:
        kernel, results = previous(fn, static, leaves)
        if isinstance(fn, Op):
            results = handler(fn, static, leaves, results)
        return kernel, results

    seam.policy = policy
    try:
        yield
    finally:
        seam.policy = previous
