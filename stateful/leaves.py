"""The arguments of a call as the seam takes them: values and numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funcgrad.op import Op

from . import execute as seam
from .execute import Kernel, Value
from .lazy import DATA
from .result_layouts import laid, stride_of


def run_otherwise(op: Op, template: tuple, leaves: list) -> tuple[Kernel, list[Value], int]:
    """As `lazy.step`, under any policy and for arguments of any kind."""
    values, requiring = read_leaves(op, leaves)
    kernel, results = seam.policy(op, template, values)
    given = [None if type(leaf) in DATA else stride_of(leaf) for leaf in leaves]
    return laid(kernel, given), results, requiring


def read_leaves(op: Op, leaves: list) -> tuple[list, int]:
    """Values and numbers for the seam, and a bit for each leaf that requires a gradient."""
    leaves[:] = [leaf if hasattr(leaf, "_storage") else as_leaf(op, leaf) for leaf in leaves]
    requiring = 0
    for number, leaf in enumerate(leaves):
        if type(leaf) not in DATA and leaf.requires_grad:
            requiring |= 1 << number
    return [leaf if type(leaf) in DATA else leaf._read() for leaf in leaves], requiring


def as_leaf(op: Op, leaf: Any) -> Any:
    """A leaf that is no Tensor as something in `DATA`: numpy scalars, arrays."""
    if type(leaf) in DATA:
        return leaf
    if isinstance(leaf, np.generic):
        return leaf.item()
    if isinstance(leaf, int | float | complex):
        return complex(leaf) if isinstance(leaf, complex) else leaf.real
    if isinstance(leaf, jax.Array | np.ndarray):
        return Value.of(jnp.asarray(leaf))
    raise TypeError(f"{op.name}(): every tensor argument must be Tensor, not {type(leaf).__name__}")
