"""Run a program on Tensors for a whole batch at once: the Tensors hold what `jax.vmap` traces with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from .dispatch import Face, wrap
from .execute import Value


_WHAT = (
    "vmap: It looks like you're calling .item() on a Tensor or attempting to use a Tensor in some "
    "data-dependent control flow. We don't support that inside of vmap: a Tensor stands for a whole "
    "batch there. Use torch.where, or compute outside."
)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say in PyTorch's words that a batched Tensor has no single value to look at."""
    try:
        yield
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise RuntimeError(_WHAT) from error


def over_batch(program: Callable, arrays: Sequence, in_axes: Any = 0, size: int | None = None) -> list:
    """``program`` on Tensors, each a slice of one of ``arrays``; results have the batch in front.

    What is None among the results stays None.
    """
    shown: list = []

    def run(slices):
        outs = program(*[wrap(Value.of(s)) for s in slices])
        shown[:] = outs
        return [o._array for o in outs if isinstance(o, Face.tensor)]

    with jax.enable_x64(True), explained():
        results = iter(jax.vmap(run, in_axes=(in_axes,), axis_size=size)(list(arrays)))
        return [wrap(Value.of(next(results))) if isinstance(o, Face.tensor) else o for o in shown]
