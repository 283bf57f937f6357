"""How ops called without tensors, or while a program is traced, behave. Thread-local."""

from __future__ import annotations

import contextlib
import threading
from typing import Any


class _Mode(threading.local):
    plain = False
    owner: Any = None


mode = _Mode()


class owned_by:  # noqa: N801 (used as a function)
    """Inside, ops without a tensor argument belong to ``owner`` too: it has ``__funcgrad_op__``."""

    __slots__ = ("_owner", "_previous")

    def __init__(self, owner: Any):
        self._owner = owner

    def __enter__(self):
        self._previous, mode.owner = mode.owner, self._owner

    def __exit__(self, *exc):
        mode.owner = self._previous


@contextlib.contextmanager
def plain():
    """Inside, ops are plain computations: whoever traces does not want to differentiate them."""
    previous, mode.plain = mode.plain, True
    try:
        yield
    finally:
        mode.plain = previous
