"""Elements repeated or in another order: `repeat`, `tile`, `flip`, `roll`, `rot90`."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Size
from ..signature import size as as_size
from .copying import copied
from .dims import wrap_dim, wrap_dims
from .reduce import sum_dim
from .view import expand, reshape, unsqueeze, view_size


def _repeat_self(grad, self_sym_sizes, repeats):
    """The sum over all copies. A shape with a zero in it has nothing to add."""
    for _ in range(len(repeats) - len(self_sym_sizes)):
        grad, repeats = sum_dim(grad, (0,)), repeats[1:]
    shape: list[int] = []
    copies = []
    for count, size in zip(repeats, self_sym_sizes, strict=True):
        if count != 1:
            copies.append(len(shape))
            shape.append(count)
        shape.append(size)
    return sum_dim(reshape(grad, shape), tuple(copies)) if copies else grad


@op("repeat", grad_fn="RepeatBackward0", face="method", vjp=dict(self=_repeat_self))
def repeat(self, repeats: Size):
    """``repeats`` copies along every dimension; surplus entries are new leading dimensions."""
    if len(repeats) < self.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: got {len(repeats)} and {self.ndim}"
        )
    if any(n < 0 for n in repeats):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(repeats)}")
    return jnp.tile(self, repeats)


@composite()
def tile(input, *dims):
    """`repeat`, with ones put in front of ``dims`` where there are too few.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tile(jnp.arange(2), (2,))
    Array([0, 1, 0, 1], dtype=int32)
    """
    dims = as_size(dims)
    return repeat(input, (1,) * (input.ndim - len(dims)) + dims)


@op("flip", grad_fn="FlipBackward0", vjp=dict(self=lambda grad, dims: flip(grad, dims)))
def flip(self, dims: Size):
    """The order along ``dims`` reversed.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.flip(jnp.arange(3), (0,))
    Array([2, 1, 0], dtype=int32)
    """
    return lax.rev(self, wrap_dims(dims, self.ndim)) if self.ndim else self


@composite()
def fliplr(input):
    """The second dimension reversed.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fliplr(jnp.arange(2).reshape(1, 2))
    Array([[1, 0]], dtype=int32)
    """
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, (1,))


@composite()
def flipud(input):
    """The first dimension reversed.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.flipud(jnp.arange(2))
    Array([1, 0], dtype=int32)
    """
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, (0,))


@op("rot90", grad_fn="Rot90Backward0", vjp=dict(self=lambda grad, k, dims: rot90(grad, -k, dims)))
def rot90(self, k: int = 1, dims: Size = (0, 1)):
    """``k`` quarter turns in the plane of ``dims``, from the first towards the second.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rot90(jnp.arange(4).reshape(2, 2))
    Array([[1, 3],
           [0, 2]], dtype=int32)
    """
    if len(dims) != 2:
        raise RuntimeError(
            f"expected total rotation dims == 2, but got total rotation dims = {len(dims)}"
        )
    if self.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {self.ndim}")
    first, second = (wrap_dim(dim, self.ndim) for dim in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    return jnp.rot90(self, k, (first, second))


def _roll_self(grad, shifts, dims):
    return roll(grad, tuple(-shift for shift in shifts), dims)


@op("roll", grad_fn="RollBackward0", vjp=dict(self=_roll_self))
def roll(self, shifts: Size, dims: Size = ()):
    """Elements moved on by ``shifts`` along ``dims``, around the end; without dims as a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.roll(jnp.arange(3), 1)
    Array([2, 0, 1], dtype=int32)
    """
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return jnp.roll(self, shifts[0])
    if len(dims) != len(shifts):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    return jnp.roll(self, shifts, tuple(wrap_dim(dim, self.ndim) for dim in dims))


def repeat_each(x, count: int, dim: int | None):
    """Every part along ``dim`` ``count`` times in a row."""
    if count < 0:
        raise RuntimeError("Repeats must be non-negative")
    x = reshape(x, (math.prod(x.shape),)) if x.ndim != 1 and dim is None or not x.ndim else x
    dim = wrap_dim(0 if dim is None else dim, x.ndim)
    before, length, after = x.shape[:dim], x.shape[dim], x.shape[dim + 1 :]
    wide = expand(unsqueeze(x, dim + 1), (*before, length, count, *after))
    return view_size(copied(wide), (*before, length * count, *after))
