"""Writing back what is seen through a view op, as functions of arrays that `execute` runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from funcgrad.op import Op
from funcgrad.ops.view import view_dtype

SHARING = frozenset({"expand", "unfold", "as_strided"})
"""View ops that may show one element of their input in several places."""

_BITS = frozenset({"_conj", "_neg_view"})


class PutAtPositions:
    """Writes what is seen through a chain of steps to the position of each element.

    Every place that shows an element shows what was written to any of them, which going back step
    by step could not tell from the old elements beside it. What equals the old element was not
    written: of a mask on elements that share memory, its True wins.
    """

    def run(self, steps: tuple, arrays: Sequence) -> Any:
        """``arrays``: what the chain starts from, and what is to be seen at its end."""
        base, value = arrays
        for step in reversed(steps):
            if step.op.name in _BITS:  # elements are seen in another way, in the same place
                value = step.op.fn(value)
        places = jnp.arange(base.size).reshape(base.shape)
        for step in steps:
            if step.op.name in _BITS:
                continue
            seen = step.op.run(step.template, [places])
            places = seen[step.output] if isinstance(seen, tuple | list) else seen
        flat, places = base.reshape(-1), places.reshape(-1)
        value = value.reshape(-1).astype(base.dtype)
        places = jnp.where(value == flat[places], base.size, places)
        return flat.at[places].set(value, mode="drop").reshape(base.shape)

    trace = run

    def __repr__(self):
        return "put_at_positions"


put_at_positions = PutAtPositions()


class Put:
    """Writes one output of a view op back into its input, by the op's own formula."""

    def __init__(self, op: Op, output: int):
        self.op, self.output = op, output

    def run(self, static: tuple, arrays: Sequence):
        """``arrays``: the input and the new output."""
        below, value = arrays
        if self.op is view_dtype:
            return jnp.reshape(view_dtype.fn(value, below.dtype), below.shape)
        if self.op.name in ("real", "imag"):
            return _put_part(self.op.name, below, value)
        kind = jnp.int8 if below.dtype == value.dtype else value.dtype
        placed = pull_back(self.op, static, self.output, below, value)
        ones = jnp.ones(value.shape, kind)
        if jnp.iscomplexobj(ones):
            ones = ones * (1 + 1j)
        touched = pull_back(
            self.op, static, self.output, jnp.zeros(below.shape, jnp.int8), ones
        )  # fmt: skip
        return jnp.where(touched != 0, placed.astype(below.dtype), below)

    trace = run

    def __repr__(self):
        return f"put_{self.op.name}"


def _put_part(name: str, below: Any, value: Any) -> Any:
    """A complex array with another real or imaginary part."""
    if not jnp.iscomplexobj(below):
        return value
    real, imag = jnp.real(below), jnp.imag(below)
    return lax.complex(value, imag) if name == "real" else lax.complex(real, value)


@functools.cache
def put(op: Op, output: int) -> Put:
    """The one `Put` of a view op's output."""
    return Put(op, output)


def pull_back(op: Op, template: tuple, output: int, below: Any, grad: Any) -> Any:
    """The formula of a view op on the gradient of one output."""
    args = op.unbind(template, [below])
    if not isinstance(op.outputs, str):
        return op.apply_formula("self", [grad], op.saved_values(["self"], args, []))
    shapes = op.run(template, [below])
    grads = [jnp.zeros(s.shape, s.dtype) for s in shapes]
    grads[output] = grad
    return op.apply_formula("self", grads, op.saved_values(["self"], args, []))
