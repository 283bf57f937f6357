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
from .join import cat
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


@op("_reflection_pad_backward", grad_fn="ReflectionPadBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, padding: _reflection_pad(grad, padding)))  # fmt: skip
def _reflection_pad_backward(grad_output, input_sizes: Size, padding: Size):
    """The gradient of reflection: every copy adds to its origin."""
    return _given_back(grad_output, input_sizes, padding, _reflected)


@op("_replication_pad_backward", grad_fn="ReplicationPadBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, padding: _replication_pad(grad, padding)))  # fmt: skip
def _replication_pad_backward(grad_output, input_sizes: Size, padding: Size):
    """The gradient of replication: every copy adds to its origin."""
    return _given_back(grad_output, input_sizes, padding, _replicated)


def _reflection_gradient(grad, self_sym_sizes, padding):
    return _reflection_pad_backward(grad, self_sym_sizes, padding)


def _replication_gradient(grad, self_sym_sizes, padding):
    return _replication_pad_backward(grad, self_sym_sizes, padding)


@op("reflection_pad1d", grad_fn="ReflectionPad1DBackward0", face="private",
    vjp=dict(self=_reflection_gradient))  # fmt: skip
def reflection_pad1d(self, padding: Size):
    """Reflection over the last dimension."""
    _check_reflection(self, padding)
    return _taken(self, padding, _reflected)


@op("reflection_pad2d", grad_fn="ReflectionPad2DBackward0", face="private",
    vjp=dict(self=_reflection_gradient))  # fmt: skip
def reflection_pad2d(self, padding: Size):
    """Reflection over the last two dimensions."""
    _check_reflection(self, padding)
    return _taken(self, padding, _reflected)


@op("reflection_pad3d", grad_fn="ReflectionPad3DBackward0", face="private",
    vjp=dict(self=_reflection_gradient))  # fmt: skip
def reflection_pad3d(self, padding: Size):
    """Reflection over the last three dimensions."""
    _check_reflection(self, padding)
    return _taken(self, padding, _reflected)


@op("replication_pad1d", grad_fn="ReplicationPad1DBackward0", face="private",
    vjp=dict(self=_replication_gradient))  # fmt: skip
def replication_pad1d(self, padding: Size):
    """Replication over the last dimension."""
    return _taken(self, padding, _replicated)


@op("replication_pad2d", grad_fn="ReplicationPad2DBackward0", face="private",
    vjp=dict(self=_replication_gradient))  # fmt: skip
def replication_pad2d(self, padding: Size):
    """Replication over the last two dimensions."""
    return _taken(self, padding, _replicated)


@op("replication_pad3d", grad_fn="ReplicationPad3DBackward0", face="private",
    vjp=dict(self=_replication_gradient))  # fmt: skip
def replication_pad3d(self, padding: Size):
    """Replication over the last three dimensions."""
    return _taken(self, padding, _replicated)


_BY_LENGTH = {
    "reflect": {2: reflection_pad1d, 4: reflection_pad2d, 6: reflection_pad3d},
    "replicate": {2: replication_pad1d, 4: replication_pad2d, 6: replication_pad3d},
}


def _reflection_pad(x, padding):
    return _BY_LENGTH["reflect"][len(padding)](x, padding)


def _replication_pad(x, padding):
    return _BY_LENGTH["replicate"][len(padding)](x, padding)


# -- around a circle -------------------------------------------------------------------------------


def _circular(x, padding):
    """The other end of each dimension in front of it and behind it; negative widths cut off."""
    for dim, (low, high) in enumerate(_per_side(padding, x.ndim)):
        n = x.shape[dim]
        if max(low, high) > n:
            raise RuntimeError(
                "Padding value causes wrapping around more than once: padding "
                f"({low}, {high}) at dimension {dim} of size {n}"
            )
        if n + low + high < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if low < 0 or high < 0:
            x = slice_tensor(x, dim, max(-low, 0), n - max(-high, 0))
        n = x.shape[dim]
        parts = [x]
        if low > 0:
            parts.insert(0, slice_tensor(x, dim, n - low, n))
        if high > 0:
            parts.append(slice_tensor(x, dim, 0, high))
        x = parts[0] if len(parts) == 1 else cat(parts, dim)
    return x


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
