"""The largest element of each window, and where it was."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Size
from .creation import zeros_like
from .view import squeeze, unsqueeze
from .windows import per_dim, windows_of

# -- places in the last dimensions -----------------------------------------------------------------


def _flat(x, rank: int):
    """``x`` with its last ``rank`` dimensions as one."""
    return x.reshape(*x.shape[: x.ndim - rank], -1)


def scattered(x, indices, shape, rank: int):
    """Zeros of ``shape`` to which ``x`` is added at ``indices`` into the last dimensions."""
    flat, where = _flat(x, rank), _flat(indices, rank)
    lead = np.prod(flat.shape[:-1], dtype=int)
    plane = int(np.prod(shape[len(shape) - rank :]))
    base = jnp.zeros((lead, plane), x.dtype)
    rows = jnp.arange(lead)[:, None]
    added = base.at[rows, where.reshape(lead, -1)].add(flat.reshape(lead, -1), mode="drop")
    return added.reshape(shape)


@op("_pool_gather", grad_fn="GatherBackward0", face="private",
    vjp=dict(self=lambda grad, self_sym_sizes, indices, rank: (
        _pool_scatter(grad, indices, self_sym_sizes, rank)
    )))  # fmt: skip
def _pool_gather(self, indices, rank: int):
    """The elements at ``indices`` into the last ``rank`` dimensions as one."""
    picked = jnp.take_along_axis(_flat(self, rank), _flat(indices, rank), -1)
    return picked.reshape(indices.shape)


@op("_pool_scatter", grad_fn="ScatterBackward0", face="private",
    vjp=dict(self=lambda grad, indices, rank: _pool_gather(grad, indices, rank)))  # fmt: skip
def _pool_scatter(self, indices, sizes: Size, rank: int):
    """The adjoint of `_pool_gather`."""
    return scattered(self, indices, sizes, rank)


# -- windows ---------------------------------------------------------------------------------------


def _better(first, second):
    """The larger of two (value, index); nan is largest and the later nan wins, else the earlier."""
    (a, i), (b, j) = first, second
    a_nan, b_nan = a != a, b != b
    tie = jnp.where(a_nan, i > j, i < j)
    wins = jnp.where(a_nan == b_nan, (a > b) | (((a == b) | a_nan) & tie), a_nan)
    return jnp.where(wins, a, b), jnp.where(wins, i, j)


def lowest(dtype):
    """The neutral element of the maximum."""
    return -np.inf if types.is_floating(dtype) else np.iinfo(dtype).min


def _pooled(name, rank, self, kernel_size, stride, padding, dilation, ceil_mode):
    if self.dtype == jnp.bool_ or types.is_complex(self.dtype):
        raise RuntimeError(f'"{name}" not implemented for {self.dtype}')
    windows = windows_of(name, self, rank, kernel_size, stride, padding, dilation, ceil_mode)
    plane = self.shape[-rank:]
    places = jnp.arange(np.prod(plane), dtype=jnp.int32).reshape(plane)
    places = jnp.broadcast_to(places, self.shape)
    first = np.array(lowest(self.dtype), self.dtype), np.int32(np.iinfo(np.int32).max)
    if 0 in self.shape:
        shape = (*self.shape[:-rank], *windows.out)
        return jnp.zeros(shape, self.dtype), jnp.zeros(shape, types.index_dtype())
    values, indices = lax.reduce_window(
        (self, places), first, _better, *windows.arguments(self.ndim)
    )
    return values, indices.astype(types.index_dtype())


def _backward(rank: int):
    """The formula of a max pooling op, and ATen's op that it calls."""
    name = f"max_pool{rank}d_with_indices_backward"

    @op(
        name, grad_fn=f"MaxPool{rank}DWithIndicesBackwardBackward0", face="private",
        vjp=dict(
            grad_output=lambda grad, indices: _pool_gather(grad, indices, rank),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(
        grad_output, self, kernel_size: Size, stride: Size, padding: Size, dilation: Size,
        ceil_mode: bool, indices,
    ):  # fmt: skip
        """The gradient of max pooling: all of it goes where the largest element was."""
        return scattered(grad_output, indices, self.shape, rank)

    return backward


max_pool2d_with_indices_backward = _backward(2)
max_pool3d_with_indices_backward = _backward(3)


@op(
    "max_pool2d_with_indices", grad_fn="MaxPool2DWithIndicesBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(
        self=lambda grad_result0, self, kernel_size, stride, padding, dilation, ceil_mode, result1:
        max_pool2d_with_indices_backward(
            grad_result0, self, kernel_size, stride, padding, dilation, ceil_mode, result1)
    ),
)  # fmt: skip
def max_pool2d_with_indices(
    self, kernel_size: Size, stride: Size = (), padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False,
):  # fmt: skip
    """The largest elements of windows over two dimensions, and their places in the plane."""
    return _pooled("max_pool2d", 2, self, kernel_size, stride, padding, dilation, ceil_mode)


@op(
    "max_pool3d_with_indices", grad_fn="MaxPool3DWithIndicesBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(
        self=lambda grad_result0, self, kernel_size, stride, padding, dilation, ceil_mode, result1:
        max_pool3d_with_indices_backward(
            grad_result0, self, kernel_size, stride, padding, dilation, ceil_mode, result1)
    ),
)  # fmt: skip
def max_pool3d_with_indices(
    self, kernel_size: Size, stride: Size = (), padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False,
):  # fmt: skip
    """The largest elements of windows over three dimensions, and their places in the volume."""
    return _pooled("max_pool3d", 3, self, kernel_size, stride, padding, dilation, ceil_mode)


# -- adaptive --------------------------------------------------------------------------------------


def spans(n: int, count: int):
    """Where the ``count`` adaptive windows over ``n`` elements start and end."""
    i = np.arange(count)
    return i * n // count, -(-(i + 1) * n // count)


def adaptive_table(n: int, count: int):
    """The places of each adaptive window, padded to equal length, and which of them are real."""
    start, end = spans(n, count)
    steps = np.arange(int((end - start).max(initial=1)))
    places = start[:, None] + steps
    return np.minimum(places, max(n - 1, 0)), places < end[:, None]


def check_adaptive(name: str, x, size, rank: int) -> tuple[int, ...]:
    """The size of the result; None keeps that of the input."""
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}: Expected {rank + 1}D or {rank + 2}D tensor, but got {list(x.shape)}"
        )
    if 0 in tuple(x.shape[-rank:]):
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, but input has "
            f"sizes {list(x.shape)}"
        )
    size = (size,) * rank if size is None or isinstance(size, int) else tuple(size)
    if len(size) != rank:
        raise RuntimeError(f"{name}: internal error: output_size.size() must be {rank}")
    return tuple(
        n if wanted is None else wanted for n, wanted in zip(x.shape[-rank:], size, strict=True)
    )


def _adaptive(name, self, output_size, rank):
    check_adaptive(name, self, output_size, rank)
    plane = self.shape[-rank:]
    tables = [adaptive_table(n, count) for n, count in zip(plane, output_size, strict=True)]
    flat, real = np.zeros((1,) * (2 * rank), np.int32), np.ones((1,) * (2 * rank), bool)
    for i, (places, inside) in enumerate(tables):
        shape = [1] * (2 * rank)
        shape[i], shape[rank + i] = places.shape
        flat = flat * plane[i] + places.reshape(shape)
        real = real & inside.reshape(shape)
    flat = flat.reshape(*output_size, -1)
    real = real.reshape(*output_size, -1)
    values = jnp.where(real, _flat(self, rank)[..., flat], lowest(self.dtype))
    shape = values.shape[:-1]
    if 0 in shape:
        return jnp.zeros(shape, self.dtype), jnp.zeros(shape, types.index_dtype())
    where = jnp.broadcast_to(jnp.where(real, flat, np.iinfo(np.int32).max), values.shape)
    first = np.array(lowest(self.dtype), self.dtype), np.int32(np.iinfo(np.int32).max)
    operands = values, where.astype(jnp.int32)
    best, indices = lax.reduce(operands, first, _better, (values.ndim - 1,))
    return best, indices.astype(types.index_dtype())


def _adaptive_backward(rank: int):
    @op(
        f"adaptive_max_pool{rank}d_backward", face="private",
        grad_fn=f"AdaptiveMaxPool{rank}DBackwardBackward0",
        vjp=dict(
            grad_output=lambda grad, indices: _pool_gather(grad, indices, rank),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(grad_output, self, indices):
        """The gradient of adaptive max pooling: all of it goes where the largest element was."""
        return scattered(grad_output, indices, self.shape, rank)

    return backward


_adaptive_backward_2d, _adaptive_backward_3d = _adaptive_backward(2), _adaptive_backward(3)


@op(
    "adaptive_max_pool2d", grad_fn="AdaptiveMaxPool2DBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad_result0, self, result1: (
        _adaptive_backward_2d(grad_result0, self, result1)
    )),
)  # fmt: skip
def adaptive_max_pool2d_op(self, output_size: Size):
    """The largest elements of adaptive windows over two dimensions, and their places."""
    return _adaptive("adaptive_max_pool2d()", self, output_size, 2)


@op(
    "adaptive_max_pool3d", grad_fn="AdaptiveMaxPool3DBackward0", face="private",
    outputs=("result0", "result1"),
    vjp=dict(self=lambda grad_result0, self, result1: (
        _adaptive_backward_3d(grad_result0, self, result1)
    )),
)  # fmt: skip
def adaptive_max_pool3d_op(self, output_size: Size):
    """The largest elements of adaptive windows over three dimensions, and their places."""
    return _adaptive("adaptive_max_pool3d()", self, output_size, 3)


# -- torch.nn.functional ---------------------------------------------------------------------------


def _answer(values, indices, return_indices: bool):
    return (values, indices) if return_indices else values


def _wide(kernel_size, stride, padding, dilation):
    """Windows over one dimension as windows over two, the first of which has size 1."""
    stride = () if stride is None else per_dim(stride, 1, "stride")
    return (
        (1, *per_dim(kernel_size, 1, "kernel_size")),
        (1, *stride) if stride else (),
        (0, *per_dim(padding, 1, "padding")),
        (1, *per_dim(dilation, 1, "dilation")),
    )


@composite(face="nn")
def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest element of each window of ``(N, C, L)`` or ``(C, L)``.

    The whole gradient goes to the first of equal elements; nan counts as largest.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_pool1d(jnp.array([[1.0, 3.0, 2.0]]), 2, 1)
    Array([[3., 3.]], dtype=float32)
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"max_pool1d() Expected 2D or 3D input tensor, but got {list(input.shape)}"
        )
    values, indices = max_pool2d_with_indices(
        unsqueeze(input, -2), *_wide(kernel_size, stride, padding, dilation), ceil_mode
    )
    return _answer(squeeze(values, -2), squeeze(indices, -2), return_indices)


@composite(face="nn")
def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest element of each window of ``(N, C, H, W)`` or ``(C, H, W)``.

    ``return_indices`` gives their places in the plane too.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_pool2d(jnp.arange(4.0).reshape(1, 2, 2), 2)
    Array([[[3.]]], dtype=float32)
    """
    pooled = max_pool2d_with_indices(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )
    return _answer(*pooled, return_indices)


@composite(face="nn")
def max_pool3d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest element of each window of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max_pool3d(jnp.arange(8.0).reshape(1, 2, 2, 2), 2)
    Array([[[[7.]]]], dtype=float32)
    """
    pooled = max_pool3d_with_indices(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )
    return _answer(*pooled, return_indices)


@composite(face="nn")
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The largest elements of ``output_size`` windows that cover the last dimension evenly.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_max_pool1d(jnp.arange(4.0)[None], 2)
    Array([[1., 3.]], dtype=float32)
    """
    (size,) = check_adaptive("adaptive_max_pool1d()", input, output_size, 1)
    values, indices = adaptive_max_pool2d_op(unsqueeze(input, -2), (1, size))
    return _answer(squeeze(values, -2), squeeze(indices, -2), return_indices)


@composite(face="nn")
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The largest elements of windows that cover the last two dimensions evenly.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_max_pool2d(jnp.arange(4.0).reshape(1, 2, 2), (1, None))
    Array([[[2., 3.]]], dtype=float32)
    """
    size = check_adaptive("adaptive_max_pool2d()", input, output_size, 2)
    return _answer(*adaptive_max_pool2d_op(input, size), return_indices)


@composite(face="nn")
def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The largest elements of windows that cover the last three dimensions evenly.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adaptive_max_pool3d(jnp.arange(8.0).reshape(1, 2, 2, 2), 1)
    Array([[[[7.]]]], dtype=float32)
    """
    size = check_adaptive("adaptive_max_pool3d()", input, output_size, 3)
    return _answer(*adaptive_max_pool3d_op(input, size), return_indices)
