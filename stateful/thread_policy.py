"""Another policy for the kernels of one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import execute as seam


class _Chosen(threading.local):
    """The policies that this thread has asked for, innermost last."""

    def __init__(self):
        self.policies: list[Callable] = []


class _Asking:
    """How many threads ask for a policy of their own, and what runs the kernels of the others."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0
        self.otherwise: Callable = seam.eager

    def begin(self) -> None:
        """One more; the first puts the policy in place that looks who is there."""
        with self.lock:
            if not self.count:
                self.otherwise, seam.policy = seam.policy, _of_this_thread
            self.count += 1

    def end(self) -> None:
        """One less; the last puts back what was there."""
        with self.lock:
            self.count -= 1
            if not self.count:
                seam.policy = self.otherwise


_chosen, _asking = _Chosen(), _Asking()


def _of_this_thread(fn: Any, static: tuple, leaves: Sequence) -> tuple[Any, list]:
    policy = _chosen.policies[-1] if _chosen.policies else _asking.otherwise
    return policy(fn, static, leaves)


@contextmanager
def run_by(policy: Callable) -> Iterator[None]:
    """Inside, ``policy`` runs the kernels of this thread; other threads may do the same."""
    _asking.begin()
    _chosen.policies.append(policy)
    try:
        yield
    finally:
        _chosen.policies.pop()
        _asking.end()
