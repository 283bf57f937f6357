"""Writes through views whose elements share memory, such as a row of an expanded tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

SHARING = frozenset({"expand", "unfold", "as_strided"})
"""View ops that may show one element of their input in several places."""


class PutAtPositions:
    """Writes what is seen through a chain of steps to the position of each element.

    Every place that shows an element shows what was written to any of them, which going back step
    by step could not tell from the old elements beside it.
    """

    def run(self, steps: tuple, arrays: Sequence) -> Any:
        """``arrays``: what the chain starts from, and what is to be seen at its end."""
        base, value = arrays
        places = jnp.arange(base.size).reshape(base.shape)
        for step in steps:
            seen = step.op.run(step.template, [places])
            places = seen[step.output] if isinstance(seen, tuple | list) else seen
        written = base.reshape(-1).at[places.reshape(-1)].set(value.reshape(-1).astype(base.dtype))
        return written.reshape(base.shape)

    trace = run

    def __repr__(self):
        return "put_at_positions"


put_at_positions = PutAtPositions()
