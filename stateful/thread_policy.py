"""Another policy for the kernels of one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import execute as seam


@contextmanager
def run_by(policy: Callable) -> Iterator[None]:
    """Inside, ``policy`` runs the kernels of this thread."""
    thread, otherwise = threading.get_ident(), seam.policy

    def here(fn: Any, static: tuple, leaves: Sequence) -> tuple[Any, list]:
        chosen = policy if threading.get_ident() == thread else otherwise
        return chosen(fn, static, leaves)

    seam.policy = here
    try:
        yield
    finally:
        seam.policy = otherwise
