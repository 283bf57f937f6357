"""Small programs are compiled for one thread.

XLA's CPU programs offer every matrix product to a pool of threads. Where the arrays are small, one
thread is done before the others have heard of it: a step of a tiny network takes 5 of 90
microseconds less.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import jax

from .execute import Aval

SMALL = 1024
"""Elements of the largest array of a small program."""
ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}


def options_for(avals: Iterable[Aval]) -> dict | None:
    """What to tell the compiler of a program with these arrays (``jax.jit(compiler_options=)``)."""
    small = all(aval.struct.size <= SMALL for aval in avals)
    return ONE_THREAD if small and _is_known() else None


@functools.cache
def _is_known() -> bool:
    """Whether the compiler in use knows the option; the names of options are not for ever."""
    if jax.default_backend() != "cpu":
        return False
    try:
        jax.jit(lambda: 0, compiler_options=ONE_THREAD).lower().compile()
    except RuntimeError:
        return False
    return True
