"""Run a program on Tensors for a whole batch at once: the Tensors hold what `jax.vmap` traces with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from .dispatch import Face, wrap
from .execute import Value


def over_batch(program: Callable, arrays: Sequence, in_axes: Any = 0, size: int | None = None) -> list:
    """``program`` on Tensors, each a slice of one of ``arrays``; results have the batch in front.

    What is None among the results stays None.
    """
    shown: list = []

    def run(slices):
        outs = program(*[wrap(Value.of(s)) for s in slices])
        shown[:] = outs
        return [o._array for o in outs if isinstance(o, Face.tensor)]

    with jax.enable_x64(True):
        results = iter(jax.vmap(run, in_axes=(in_axes,), axis_size=size)(list(arrays)))
        return [wrap(Value.of(next(results))) if isinstance(o, Face.tensor) else o for o in shown]
