"""A part of a tensor along one dimension: `select`, `slice` and `narrow`."""

from __future__ import annotations

from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Size
from .dims import slice_bounds, wrap_dim

# -- one index -------------------------------------------------------------------------------------


def _select_index(index: int, dim: int, shape) -> int:
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{dim}"
        )
    return index % shape[dim]


@op(
    "select.int", grad_fn="SelectBackward0", is_view=True,
    vjp=dict(self=lambda grad, self_sym_sizes, dim, index: select_backward(
        grad, self_sym_sizes, dim, index)),
)  # fmt: skip
def select(self, dim: int, index: int):
    """The part at ``index`` of dimension ``dim``, without that dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.select(jnp.arange(6).reshape(2, 3), 1, -1)
    Array([2, 5], dtype=int32)
    """
    if self.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, self.ndim)
    index = _select_index(index, dim, self.shape)
    return lax.index_in_dim(self, index, dim, keepdims=False)


@op(
    "select_backward", grad_fn="SelectBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, dim, index: select(grad, dim, index)),
)  # fmt: skip
def select_backward(grad_output, input_sizes: Size, dim: int, index: int):
    """``grad_output`` at ``index`` of dimension ``dim``, zeros elsewhere."""
    dim = wrap_dim(dim, len(input_sizes))
    index = _select_index(index, dim, input_sizes)
    return _placed(lax.expand_dims(grad_output, (dim,)), dim, index, 1, input_sizes[dim])


def _placed(x, dim: int, start: int, step: int, length: int):
    """Zeros of ``length`` along ``dim`` with ``x`` at ``start``, ``start + step``, ..."""
    count = x.shape[dim]
    if count == 0:
        start, step = 0, 1
    high = length - start - (max(count - 1, 0) * step + min(count, 1))
    padding = [(0, 0, 0)] * x.ndim
    padding[dim] = (start, high, step - 1)
    return lax.pad(x, x.dtype.type(0), padding)


# -- a range ---------------------------------------------------------------------------------------


def _slice_self(grad, self_sym_sizes, dim, start, end, step):
    start, end = slice_bounds(start, end, self_sym_sizes[dim])
    return slice_backward(grad, self_sym_sizes, dim, start, end, step)


@op("slice.Tensor", grad_fn="SliceBackward0", is_view=True, face="private",
    vjp=dict(self=_slice_self))  # fmt: skip
def slice_tensor(
    self, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
):
    """Every ``step``-th part of dimension ``dim`` from ``start`` until before ``end``."""
    if self.ndim == 0:
        raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, self.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    start, end = slice_bounds(start, end, self.shape[dim])
    return lax.slice_in_dim(self, start, end, step, dim)


@op(
    "slice_backward", grad_fn="SliceBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, dim, start, end, step: slice_tensor(
        grad, dim, start, end, step)),
)  # fmt: skip
def slice_backward(grad_output, input_sizes: Size, dim: int, start: int, end: int, step: int):
    """``grad_output`` at the places of the slice, zeros elsewhere."""
    dim = wrap_dim(dim, len(input_sizes))
    start, _ = slice_bounds(start, end, input_sizes[dim])
    return _placed(grad_output, dim, start, step, input_sizes[dim])


@composite()
def narrow(input, dim: int, start: int, length: int):
    """``length`` parts of dimension ``dim`` from ``start`` on.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.narrow(jnp.arange(5), 0, 1, 3)
    Array([1, 2, 3], dtype=int32)
    """
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    size = input.shape[wrap_dim(dim, input.ndim)]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if start > size - length:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_tensor(input, dim, start, start + length, 1)
