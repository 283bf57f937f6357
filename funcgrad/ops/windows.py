"""What pooling shares: the arguments of windows, the size of the result, padding for XLA."""

from __future__ import annotations

from typing import NamedTuple


def per_dim(value, rank: int, name: str) -> tuple[int, ...]:
    """One number for all dimensions, or one for each."""
    value = (value,) if isinstance(value, int) else tuple(value)
    if len(value) not in (1, rank):
        raise RuntimeError(
            f"{name} must either be a single int, or a tuple of {rank} ints, but got {list(value)}"
        )
    return value * rank if len(value) == 1 else value


class Windows(NamedTuple):
    """Windows over the last ``len(kernel)`` dimensions of an array."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]
    sides: tuple[tuple[int, int], ...]
    """The padding in front and behind that makes XLA count the same windows."""

    def arguments(self, rank: int):
        """The window arguments of `jax.lax.reduce_window`, with leading dimensions."""
        ones = (1,) * (rank - len(self.kernel))
        return (
            ones + self.kernel, ones + self.stride, ((0, 0),) * len(ones) + self.sides,
            (1,) * rank, ones + self.dilation,
        )  # fmt: skip


def windows_of(name: str, x, rank: int, kernel, stride, padding, dilation, ceil_mode) -> Windows:
    """The windows of a pooling op over ``x``, checked as PyTorch does. No stride: the kernel's."""
    if x.ndim not in (rank + 1, rank + 2) or 0 in tuple(x.shape[1:]):
        raise RuntimeError(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim "
            f"batch size for input, but got: {list(x.shape)}"
        )
    kernel = per_dim(kernel, rank, "kernel_size")
    stride = per_dim(stride, rank, "stride") if stride else kernel
    padding = per_dim(padding, rank, "padding")
    dilation = per_dim(dilation, rank, "dilation")
    if 0 in stride:
        raise RuntimeError(f"{name}: stride should not be zero")
    if any(k <= 0 for k in kernel) or any(d <= 0 for d in dilation):
        raise RuntimeError(
            f"{name}: kernel size and dilation should be greater than zero, but got kernel size "
            f"{list(kernel)} and dilation {list(dilation)}"
        )
    for p, k, d in zip(padding, kernel, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )
    out, sides = [], []
    for n, k, s, p, d in zip(x.shape[-rank:], kernel, stride, padding, dilation, strict=True):
        count = _count(n, d * (k - 1) + 1, s, p, ceil_mode)
        if count < 1:
            raise RuntimeError(
                f"{name}: Given input size: {list(x.shape)}. Calculated output size is too small"
            )
        out.append(count)
        sides.append((p, max(p, (count - 1) * s + d * (k - 1) + 1 - n - p)))
    return Windows(kernel, stride, padding, dilation, tuple(out), tuple(sides))


def _count(n: int, extent: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """How many windows fit; rounding up, the last must not start behind the input."""
    spare = n + 2 * padding - extent + (stride - 1 if ceil_mode else 0)
    count = spare // stride + 1
    if ceil_mode and (count - 1) * stride >= n + padding:
        count -= 1
    return count
