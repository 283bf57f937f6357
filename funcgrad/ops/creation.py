"""Arrays from shapes and numbers."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType, Scalar, Size
from ..unsupported import check_number

# Layout, device, pinned memory and memory format have no meaning for a value: they are the
# business of a face with tensors, not of a pure function.


class Number:
    """A Python number that is part of the program, because a shape depends on it."""


def _dtype_of_number(value, dtype):
    """The dtype of a tensor filled with ``value``: bool, int64, or the default dtypes."""
    if dtype is not None:
        return types.canonical(dtype)
    kind = jnp.asarray(value).dtype
    if kind == jnp.bool_:
        return kind
    if jnp.issubdtype(kind, jnp.integer):
        return types.index_dtype()
    if types.is_complex(kind):
        return types.canonical(types.default_complex_dtype())
    return _floating(None)


def _floating(dtype):
    return types.canonical(types.default_dtype() if dtype is None else dtype)


def _like(self, dtype):
    return self.dtype if dtype is None else types.canonical(dtype)


def check_size(name: str, size):
    """PyTorch's error for a shape with a negative length."""
    for length in size:
        if length < 0:
            raise RuntimeError(
                f"{name}: Dimension size must be non-negative. Trying to create tensor with "
                f"negative dimension {length}: {list(size)}"
            )
    return size


@op("zeros", face="torch")
def zeros(size: Size, *, dtype: DType | None = None):
    """Zeros of shape ``size``.

    >>> import funcgrad
    >>> funcgrad.zeros(2)
    Array([0., 0.], dtype=float32)
    """
    return jnp.zeros(check_size("zeros", size), _floating(dtype))


@op("ones", face="torch")
def ones(size: Size, *, dtype: DType | None = None):
    """Ones of shape ``size``.

    >>> import funcgrad
    >>> funcgrad.ones(2)
    Array([1., 1.], dtype=float32)
    """
    return jnp.ones(check_size("ones", size), _floating(dtype))


@op("full", face="torch")
def full(size: Size, fill_value: Scalar, *, dtype: DType | None = None):
    """``fill_value`` in shape ``size``; the dtype is that of the number unless given.

    >>> import funcgrad
    >>> funcgrad.full((2,), 3)
    Array([3, 3], dtype=int32)
    """
    dtype = _dtype_of_number(fill_value, dtype)
    check_number(fill_value, dtype)
    return jnp.full(check_size("full", size), fill_value, dtype)


@op("scalar_tensor", face="torch")
def scalar_tensor(s: Scalar, *, dtype: DType | None = None):
    """A number as a zero-dim array of the default dtype.

    >>> import funcgrad
    >>> funcgrad.scalar_tensor(3)
    Array(3., dtype=float32)
    """
    return types.cast(s, _floating(dtype))


@op("zeros_like", face="torch")
def zeros_like(self, *, dtype: DType | None = None):
    """Zeros with the shape and dtype of ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.zeros_like(jnp.arange(2))
    Array([0, 0], dtype=int32)
    """
    return jnp.zeros(self.shape, _like(self, dtype))


@op("ones_like", face="torch")
def ones_like(self, *, dtype: DType | None = None):
    """Ones with the shape and dtype of ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ones_like(jnp.arange(2))
    Array([1, 1], dtype=int32)
    """
    return jnp.ones(self.shape, _like(self, dtype))


@op("full_like", face="torch")
def full_like(self, fill_value: Scalar, *, dtype: DType | None = None):
    """``fill_value`` with the shape and dtype of ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.full_like(jnp.arange(2), 3)
    Array([3, 3], dtype=int32)
    """
    return jnp.full(self.shape, types.cast(fill_value, _like(self, dtype)))


@op("new_zeros", face="method")
def new_zeros(self, size: Size, *, dtype: DType | None = None):
    """Zeros of shape ``size`` in the dtype of ``self``."""
    return jnp.zeros(size, _like(self, dtype))


@op("new_ones", face="method")
def new_ones(self, size: Size, *, dtype: DType | None = None):
    """Ones of shape ``size`` in the dtype of ``self``."""
    return jnp.ones(size, _like(self, dtype))


@op("new_full", face="method")
def new_full(self, size: Size, fill_value: Scalar, *, dtype: DType | None = None):
    """``fill_value`` in shape ``size`` and the dtype of ``self``."""
    return jnp.full(size, types.cast(fill_value, _like(self, dtype)))


def _count(start, end, step) -> int:
    """How many numbers ``arange`` has. Their count is part of a shape, so they must be known."""
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError(
            "upper bound and lower bound inconsistent with step sign: "
            f"start {start}, end {end}, step {step}"
        )
    return math.ceil((end - start) / step)


def _range_dtype(*numbers) -> np.dtype:
    """int64 for integers, else the default dtype."""
    whole = all(isinstance(x, int | np.integer) for x in numbers)
    return np.dtype(np.int64) if whole else types.default_dtype()


@op("arange.start_step", face="private")
def arange_start_step(start: Number, end: Number, step: Number = 1, *, dtype: DType | None = None):
    """``start``, ``start + step``, ... below ``end``."""
    dtype = types.canonical(_range_dtype(start, end, step) if dtype is None else dtype)
    wide = np.int64 if jnp.issubdtype(dtype, jnp.integer) else np.float64
    numbers = wide(start) + np.arange(_count(start, end, step), dtype=wide) * wide(step)
    return jnp.asarray(numbers.astype(dtype))


@composite(face="torch")
def arange(start, end=None, step=1, *, dtype=None):
    """``start`` (0 if there is only an end), ``start + step``, ... below ``end``.

    >>> import funcgrad
    >>> funcgrad.arange(1, 4)
    Array([1, 2, 3], dtype=int32)
    """
    if end is None:
        start, end = 0, start
    # Said apart, because 4 and 4.0 are equal: as static arguments they are one and the same.
    dtype = _range_dtype(start, end, step) if dtype is None else dtype
    return arange_start_step(start, end, step, dtype=dtype)


@op("linspace", face="torch")
def linspace(start: Scalar, end: Scalar, steps: int, *, dtype: DType | None = None):
    """``steps`` numbers from ``start`` to ``end``, both included, exact from both ends.

    >>> import funcgrad
    >>> funcgrad.linspace(0, 1, 3)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return _spaced(start, end, steps, _floating(dtype))


def _spaced(start, end, steps: int, dtype):
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    start, end = types.cast(start, dtype), types.cast(end, dtype)
    wide = _floating(None) if jnp.issubdtype(dtype, jnp.integer) else dtype
    step = (end - start).astype(wide) / max(steps - 1, 1)
    index = jnp.arange(steps)
    low = start + step * index.astype(wide)
    high = end - step * (steps - 1 - index).astype(wide)
    return types.cast(jnp.where(index < steps // 2, low, high) if steps > 1 else low, dtype)


@op("logspace", face="torch")
def logspace(
    start: Scalar, end: Scalar, steps: int, base: float = 10.0, *, dtype: DType | None = None
):
    """``base`` to the powers of `linspace`.

    >>> import funcgrad
    >>> funcgrad.logspace(0, 2, 3, base=2.0)
    Array([1., 2., 4.], dtype=float32)
    """
    dtype = _floating(dtype)
    wide = _floating(None) if jnp.issubdtype(dtype, jnp.integer) else dtype
    powers = jnp.power(types.cast(base, wide), _spaced(start, end, steps, dtype))
    return types.cast(powers, dtype)


def _rows(name: str, count: int) -> int:
    if count < 0:
        raise RuntimeError(f"{name} must be greater or equal to 0, got {count}")
    return count


@op("eye", face="private")
def eye_n(n: int, *, dtype: DType | None = None):
    """The identity matrix of ``n`` rows."""
    return jnp.eye(_rows("n", n), dtype=_floating(dtype))


@op("eye.m", face="private")
def eye_m(n: int, m: int, *, dtype: DType | None = None):
    """Ones on the diagonal of an ``n`` by ``m`` matrix."""
    return jnp.eye(_rows("n", n), _rows("m", m), dtype=_floating(dtype))


@composite(face="torch")
def eye(n, m=None, *, dtype=None):
    """Ones on the diagonal of an ``n`` by ``m`` (``n``) matrix.

    >>> import funcgrad
    >>> funcgrad.eye(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye_n(n, dtype=dtype) if m is None else eye_m(n, m, dtype=dtype)


@op("tril", grad_fn="TrilBackward0", inplace=True,
    vjp=dict(self=lambda grad, diagonal: tril(grad, diagonal)))  # fmt: skip
def tril(self, diagonal: int = 0):
    """The lower triangle of matrices, from ``diagonal`` down; 0 elsewhere.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tril(jnp.ones((2, 2)))
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    return jnp.tril(_matrices("tril", self), diagonal)


@op("triu", grad_fn="TriuBackward0", inplace=True,
    vjp=dict(self=lambda grad, diagonal: triu(grad, diagonal)))  # fmt: skip
def triu(self, diagonal: int = 0):
    """The upper triangle of matrices, from ``diagonal`` up; 0 elsewhere.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.triu(jnp.ones((2, 2)))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    return jnp.triu(_matrices("triu", self), diagonal)


def _matrices(name: str, self):
    if self.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return self


@op("tril_indices", face="torch")
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None):
    """Rows and columns of the lower triangle.

    >>> import funcgrad
    >>> funcgrad.tril_indices(2, 2)
    Array([[0, 1, 1],
           [0, 0, 1]], dtype=int32)
    """
    indices = np.stack(np.tril_indices(row, offset, col))
    return jnp.asarray(indices, types.index_dtype() if dtype is None else types.canonical(dtype))


@op("triu_indices", face="torch")
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None):
    """Rows and columns of the upper triangle.

    >>> import funcgrad
    >>> funcgrad.triu_indices(2, 2)
    Array([[0, 0, 1],
           [0, 1, 1]], dtype=int32)
    """
    indices = np.stack(np.triu_indices(row, offset, col))
    return jnp.asarray(indices, types.index_dtype() if dtype is None else types.canonical(dtype))
