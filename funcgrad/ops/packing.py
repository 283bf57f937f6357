"""Sequences of different lengths, step by step without what lies behind their ends."""

from __future__ import annotations

import jax.numpy as jnp

from ..derivative import derived
from ..op import op
from ..signature import Size


@op("_packed_gradient", face="private", vjp=derived("rows"))
def _packed_gradient(rows, input_size: Size, batch_sizes, batch_first: bool):
    """``rows`` at the places that they were packed from, zeros elsewhere."""
    starts = jnp.cumsum(batch_sizes) - batch_sizes
    longest, count = (input_size[1], input_size[0]) if batch_first else input_size[:2]
    row, steps = jnp.arange(count), batch_sizes.shape[0]
    going = row < batch_sizes[:, None]
    found = jnp.take(rows, jnp.where(going, starts[:, None] + row, 0), axis=0)
    found = jnp.where(jnp.expand_dims(going, range(2, found.ndim)), found, 0)
    found = jnp.pad(found, [(0, longest - steps)] + [(0, 0)] * (found.ndim - 1))
    return jnp.swapaxes(found, 0, 1) if batch_first else found


@op(
    "_packed_steps", grad_fn="PackPaddedSequenceBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(input=lambda grad_result0, input_sym_sizes, result1, batch_first: (
        _packed_gradient(grad_result0, input_sym_sizes, result1, batch_first)
    )),
)  # fmt: skip
def packed_steps(input, lengths: Size, batch_first: bool = False):
    """The rows of each step of ``(time, batch, ...)``, and how many they are.

    ``lengths`` do not increase.
    """
    steps = jnp.swapaxes(input, 0, 1) if batch_first else input
    counts = [sum(n > step for n in lengths) for step in range(lengths[0])]
    rows = [steps[step, :count] for step, count in enumerate(counts)]
    return jnp.concatenate(rows), jnp.asarray(counts, jnp.int64)
