"""Padding: with a constant, by reflection, by the nearest value, or around a circle."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .. import types
from ..composite import composite
from ..op import op
from ..signature import Scalar, Size
from .creation import new_zeros, zeros_like
from .placing import copy_to_part, copy_to_slice
from .slicing import slice_tensor

# -- a constant ------------------------------------------------------------------------------------


def _per_side(pad, rank: int) -> list[tuple[int, int]]:
    """PyTorch lists pairs from the last dimension backwards; one pair a dimension, in order."""
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * rank:
        raise RuntimeError(
            f"Length of pad should be no more than twice the number of dimensions of the input. "
            f"Pad length is {len(pad)} while the input has {rank} dimensions."
        )
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    return [(0, 0)] * (rank - len(pairs)) + pairs


@op("constant_pad_nd", grad_fn="ConstantPadNdBackward0", face="torch",
    vjp=dict(self=lambda grad, pad: constant_pad_nd(grad, tuple(-n for n in pad), 0)))  # fmt: skip
def constant_pad_nd(self, pad: Size, value: Scalar = 0):
    """``self`` in a frame of ``value``; negative widths cut off.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.constant_pad_nd(jnp.ones(2), (1, 0), 5.0)
    Array([5., 1., 1.], dtype=float32)
    """
    widths = _per_side(pad, self.ndim)
    for dim, (low, high) in enumerate(widths):
        if self.shape[dim] + low + high < 0:
            raise RuntimeError(
                f"The input size {self.shape[dim]}, plus negative padding {low} and {high} resulted"
                f" in a negative output size, which is invalid. Check dimension {dim} of the input."
            )
    return lax.pad(self, types.cast(value, self.dtype), [(low, high, 0) for low, high in widths])


# -- reflection and replication --------------------------------------------------------------------


def _reflected(n: int, low: int, high: int):
    """Where each element comes from when the ends are mirrors that are not repeated."""
    places = np.abs(np.arange(-low, n + high))
    return np.where(places >= n, 2 * (n - 1) - places, places)


def _replicated(n: int, low: int, high: int):
    """Where each element comes from when the ends go on."""
    return np.clip(np.arange(-low, n + high), 0, n - 1)


def _taken(x, padding, places):
    for dim, (low, high) in enumerate(_per_side(padding, x.ndim)):
        if low or high:
            x = jnp.take(x, places(x.shape[dim], low, high), axis=dim)
    return x


def _given_back(grad, shape, padding, places):
    """The adjoint of `_taken`."""
    like = jax.ShapeDtypeStruct(shape, grad.dtype)
    return jax.linear_transpose(lambda x: _taken(x, padding, places), like)(grad)[0]


def _check_reflection(x, padding) -> None:
    for dim, (low, high) in enumerate(_per_side(padding, x.ndim)):
        if max(low, high) >= max(x.shape[dim], 1):
            raise RuntimeError(
                "Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({low}, {high}) at dimension {dim} of input {list(x.shape)}"
            )


def _declare(kind: str, rank: int, places):
    """The op of one kind and rank, and the op of its gradient: every copy adds to its origin."""
    name, node = f"{kind}_pad{rank}d", f"{kind.title()}Pad{rank}D"

    @op(
        f"{name}_backward", grad_fn=f"{node}BackwardBackward0", face="private",
        vjp=dict(
            grad_output=lambda grad, padding: forward(grad, padding),
            self=lambda grad: zeros_like(grad),
        ),
    )  # fmt: skip
    def backward(grad_output, self, padding: Size):
        """The gradient of padding with elements of the input."""
        return _given_back(grad_output, self.shape, padding, places)

    @op(name, grad_fn=f"{node}Backward0", face="private",
        vjp=dict(self=lambda grad, self, padding: backward(grad, self, padding)))  # fmt: skip
    def forward(self, padding: Size):
        """Padding with elements of the input over the last dimensions."""
        if places is _reflected:
            _check_reflection(self, padding)
        return _taken(self, padding, places)

    return forward


# The names are those of the graph nodes in PyTorch: ReflectionPad1DBackward0, ...
_BY_LENGTH = {
    "reflect": {2 * rank: _declare("reflection", rank, _reflected) for rank in (1, 2, 3)},
    "replicate": {2 * rank: _declare("replication", rank, _replicated) for rank in (1, 2, 3)},
}


# -- around a circle -------------------------------------------------------------------------------


def _circular(x, padding):
    """The other end of each dimension in front of it and behind it; negative widths cut off.

    The last dimension first, as ATen writes them one after the other.
    """
    widths = list(enumerate(_per_side(padding, x.ndim)))[x.ndim - len(padding) // 2 :][::-1]
    _check_circle(x, widths)
    shape = list(x.shape)
    for dim, (low, high) in widths:
        shape[dim] += low + high
        x = slice_tensor(x, dim, max(-low, 0), x.shape[dim] - max(-high, 0))
    starts = [0] * x.ndim
    for dim, (low, _) in widths:
        starts[dim] = max(low, 0)
    whole = copy_to_part(new_zeros(x, shape), x, starts)
    for dim, (low, high) in widths:
        n, low, high = shape[dim], max(low, 0), max(high, 0)
        if low:
            end = slice_tensor(whole, dim, n - low - high, n - high)
            whole = copy_to_slice(whole, end, dim, 0)
        if high:
            whole = copy_to_slice(whole, slice_tensor(whole, dim, low, low + high), dim, n - high)
    return whole


def _check_circle(x, widths) -> None:
    for dim, (low, high) in widths:
        n = x.shape[dim]
        if max(low, high) > n:
            raise RuntimeError(
                "Padding value causes wrapping around more than once: padding "
                f"({low}, {high}) at dimension {dim} of size {n}"
            )
        if n + low + high < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")


# -- torch.nn.functional ---------------------------------------------------------------------------


@composite(face="nn")
def pad(input, pad, mode="constant", value=None):
    """``input`` padded by the widths ``pad``: pairs, from the last dimension backwards.

    ``mode`` is ``"constant"`` (with ``value``, else 0), ``"reflect"``, ``"replicate"`` or
    ``"circular"``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.pad(jnp.arange(3)[None], (1, 1), "reflect")
    Array([[1, 0, 1, 2, 1]], dtype=int32)
    """
    pad = tuple(pad)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(pad) not in (2, 4, 6) or input.ndim not in (len(pad) // 2 + 1, len(pad) // 2 + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor. Supported "
            "combinations for non-constant padding: 2D or 3D input with padding size 2, 3D or 4D "
            "with 4, 4D or 5D with 6: the last dimensions, without the batch and the channels."
        )
    if mode == "circular":
        return _circular(input, pad)
    return _BY_LENGTH[mode][len(pad)](input, pad)
