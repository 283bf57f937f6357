"""Discrete Fourier transforms, under the names of ``torch.fft``.

The three ops are ATen's: complex to complex, real to complex, complex to real. ``normalization`` is
ATen's number: 0 leaves the sum as it is, 1 divides it by the root of the number of elements, 2 by
the number. The formulas are those of ``torch/csrc/autograd/FunctionsManual.cpp``.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType, Size
from ..signature import dtype as as_dtype
from .complexes import conj, conj_physical, real
from .copying import to_dtype
from .creation import new_zeros
from .dims import wrap_dim
from .pad import constant_pad_nd
from .placing import copy_to_slice, scale_slice
from .rearrange import roll
from .slicing import narrow

_NORMS = {
    None: (0, 2), "backward": (0, 2), "forward": (2, 0), "ortho": (1, 1),
}  # fmt: skip
"""The normalization of a forward and of a backward transform."""


def _scaled(x, count: int, normalization: int):
    if not normalization:
        return x
    factor = 1 / (math.sqrt(count) if normalization == 1 else count)
    factor = jnp.asarray(factor, types.to_real(x.dtype))
    # Part by part: a complex factor would make nan of the zero beside an infinity.
    return lax.complex(x.real * factor, x.imag * factor) if jnp.iscomplexobj(x) else x * factor


def _turned(x, dims, forward: bool):
    """The sums over ``dims``, one after the other, not normalized."""
    for dim in dims:
        transform = jnp.fft.fft if forward else jnp.fft.ifft
        x = transform(x, axis=dim, norm="backward" if forward else "forward")
    return x


def _count(shape, dims) -> int:
    return math.prod(shape[dim] for dim in dims)


# -- the ops ---------------------------------------------------------------------------------------


@op("_fft_c2c", grad_fn="FftC2CBackward0", face="private",
    vjp=dict(self=lambda grad, dim, normalization, forward: (
        fft_c2c(grad, dim, normalization, not forward)
    )))  # fmt: skip
def fft_c2c(self, dim: Size, normalization: int, forward: bool):
    """The transform of complex numbers along ``dim``."""
    return _scaled(_turned(self, dim, forward), _count(self.shape, dim), normalization)


def _half(x, dim: int):
    """The transform of real numbers up to the middle. Sums with signs alone are real, even of nan.

    These are the first and, of an even length, the last.
    """
    half = jnp.fft.rfft(x, axis=dim)
    place = lax.broadcasted_iota(np.int32, half.shape, dim % half.ndim)
    signs = (place == 0) | (2 * place == x.shape[dim])
    return lax.complex(half.real, jnp.where(signs, 0, half.imag))


def _mirrored(x, dim: int):
    """The whole transform of real numbers: what is behind the middle are conjugates."""
    half = _half(x, dim)
    count = x.shape[dim] - half.shape[dim]
    behind = jnp.flip(lax.slice_in_dim(half, 1, 1 + count, axis=dim), dim)
    return jnp.concatenate([half, behind.conj()], dim)


def _r2c_self(grad, self, dim, normalization, onesided):
    """The half that was not computed has no gradient; the input is real."""
    whole = list(grad.shape)
    whole[dim[-1]] = self.shape[dim[-1]]
    if onesided and tuple(whole) != tuple(grad.shape):
        grad = copy_to_slice(new_zeros(grad, whole), grad, dim[-1], 0)
    return real(fft_c2c(grad, dim, normalization, False))


@op("_fft_r2c", grad_fn="FftR2CBackward0", face="private", vjp=dict(self=_r2c_self))
def fft_r2c(self, dim: Size, normalization: int, onesided: bool):
    """The transform of real numbers; ``onesided`` keeps half of the last of ``dim``."""
    if onesided:
        x = _turned(_half(self, dim[-1]), dim[:-1], True)
    else:
        x = _turned(_mirrored(self, dim[-1]), dim[:-1], True)
    return _scaled(x, _count(self.shape, dim), normalization)


def _c2r_self(grad, dim, normalization):
    """All but the first (and of an even length the last) element stand for two."""
    half = fft_r2c(grad, dim, normalization, True)
    twice = grad.shape[dim[-1]] - half.shape[dim[-1]]
    return scale_slice(half, wrap_dim(dim[-1], half.ndim), 1, twice, 2) if twice else half


@op("_fft_c2r", grad_fn="FftC2RBackward0", face="private", vjp=dict(self=_c2r_self))
def fft_c2r(self, dim: Size, normalization: int, last_dim_size: int):
    """The real numbers whose transform has this half."""
    x = _turned(self, dim[:-1], False)
    x = jnp.fft.irfft(x, last_dim_size, axis=dim[-1], norm="forward")
    return _scaled(x, _count(x.shape, dim), normalization)


# -- arguments -------------------------------------------------------------------------------------


def _normalization(norm, forward: bool) -> int:
    if norm not in _NORMS:
        raise RuntimeError(
            f'Invalid normalization mode: "{norm}"; it is "backward", "forward", "ortho" or None'
        )
    return _NORMS[norm][0 if forward else 1]


def _promoted(x, complex_too: bool):
    """Integers become the default dtype, and if asked real numbers complex."""
    dtype = as_dtype(x.dtype)
    if not types.is_differentiable(dtype):
        dtype = types.default_dtype()
    return to_dtype(x, types.to_complex(dtype) if complex_too else dtype)


def _resized(x, dims, sizes):
    """Zeros added to, or elements cut from, the end of each of ``dims``."""
    added = [0] * x.ndim
    for dim, size in zip(dims, sizes, strict=True):
        have = x.shape[dim]
        if size < 1:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
        added[dim] = max(size - have, 0)
        if size < have:
            x = narrow(x, dim, 0, size)
    behind = [n for count in reversed(added) for n in (0, count)]
    return constant_pad_nd(x, behind) if any(added) else x


def _dims_and_sizes(x, s, dim) -> tuple[list[int], list[int]]:
    """``dim`` (all, or the last ones of ``s``) and the length in each, -1 for what it has."""
    if isinstance(dim, int):
        dim = (dim,)
    if isinstance(s, int):
        s = (s,)
    if dim is None:
        dims = list(range(x.ndim - len(s), x.ndim)) if s is not None else list(range(x.ndim))
    else:
        dims = [wrap_dim(d, x.ndim) for d in dim]
    if len(set(dims)) != len(dims):
        raise RuntimeError("FFT dims must be unique")
    if s is not None and len(s) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    given = [-1] * len(dims) if s is None else s
    return dims, [x.shape[d] if n == -1 else n for d, n in zip(dims, given, strict=True)]


def _complex_transform(x, s, dim, norm, forward: bool):
    x = _promoted(x, True)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        return x
    return fft_c2c(_resized(x, dims, sizes), dims, _normalization(norm, forward), forward)


def _one(n, dim):
    return (None if n is None else (n,)), (dim,)


def _need_real(name: str, x):
    if types.is_complex(as_dtype(x.dtype)):
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype}")


def _to_half(name: str, x, s, dim, norm, forward: bool):
    """From real numbers to half of their transform."""
    _need_real(name, x)
    x = _promoted(x, False)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = _resized(x, dims, sizes)
    if forward or len(dims) == 1:
        half = fft_r2c(x, dims, _normalization(norm, forward), True)
        return half if forward else conj(half)
    half = conj_physical(fft_r2c(x, dims[-1:], _normalization(norm, False), True))
    return fft_c2c(half, dims[:-1], _normalization(norm, False), False)


def _from_half(name: str, x, s, dim, norm, forward: bool):
    """From half of a transform to real numbers; their last length is even unless ``s`` says."""
    x = _promoted(x, True)
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    given = s[-1] if isinstance(s, list | tuple) else s
    last = 2 * (x.shape[dims[-1]] - 1) if given in (None, -1) else given
    if last < 1:
        raise RuntimeError(f"Invalid number of data points ({last}) specified")
    x = _resized(x, dims, [*sizes[:-1], last // 2 + 1])
    normalization = _normalization(norm, forward)
    if not forward:
        return fft_c2r(x, dims, normalization, last)
    if len(dims) > 1:
        x = fft_c2c(x, dims[:-1], normalization, True)
    return fft_c2r(conj(x), dims[-1:], normalization, last)


# -- torch.fft -------------------------------------------------------------------------------------


@composite(face="fft")
def fft(input, n=None, dim=-1, norm=None):
    """The discrete Fourier transform along ``dim``, of ``n`` elements (cut, or filled with zeros).

    ``norm="forward"`` divides by the length, ``"ortho"`` by its root.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.fft(jnp.array([1.0, 1.0]))
    Array([2.+0.j, 0.+0.j], dtype=complex64)
    """
    return _transform(input, n, dim, norm, True)


@composite(face="fft")
def ifft(input, n=None, dim=-1, norm=None):
    """The inverse of `fft`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ifft(jnp.array([2.0, 0.0])).real
    Array([1., 1.], dtype=float32)
    """
    return _transform(input, n, dim, norm, False)


def _transform(x, n, dim, norm, forward: bool):
    """In one dimension real numbers have a transform of their own, as in ATen."""
    if types.is_complex(as_dtype(x.dtype)):
        return _complex_transform(x, *_one(n, dim), norm, forward)
    x = _promoted(x, False)
    dims, sizes = _dims_and_sizes(x, *_one(n, dim))
    out = fft_r2c(_resized(x, dims, sizes), dims, _normalization(norm, forward), False)
    return out if forward else conj(out)


@composite(face="fft")
def fft2(input, s=None, dim=(-2, -1), norm=None):
    """`fft` over two dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.fft2(jnp.ones((1, 2)))
    Array([[2.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _complex_transform(input, s, dim, norm, True)


@composite(face="fft")
def ifft2(input, s=None, dim=(-2, -1), norm=None):
    """The inverse of `fft2`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ifft2(jnp.ones((1, 2)))
    Array([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _complex_transform(input, s, dim, norm, False)


@composite(face="fft")
def fftn(input, s=None, dim=None, norm=None):
    """`fft` over all dimensions ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.fftn(jnp.ones((1, 1, 2)))
    Array([[[2.+0.j, 0.+0.j]]], dtype=complex64)
    """
    return _complex_transform(input, s, dim, norm, True)


@composite(face="fft")
def ifftn(input, s=None, dim=None, norm=None):
    """The inverse of `fftn`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ifftn(jnp.ones((1, 2)))
    Array([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _complex_transform(input, s, dim, norm, False)


@composite(face="fft")
def rfft(input, n=None, dim=-1, norm=None):
    """The first half, ``n // 2 + 1`` elements, of the `fft` of real numbers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.rfft(jnp.ones(4))
    Array([4.+0.j, 0.+0.j, 0.+0.j], dtype=complex64)
    """
    return _to_half("rfft", input, *_one(n, dim), norm, True)


@composite(face="fft")
def irfft(input, n=None, dim=-1, norm=None):
    """The inverse of `rfft`: ``n`` real numbers, an even number of them unless given.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.irfft(jnp.array([2.0, 0.0]))
    Array([1., 1.], dtype=float32)
    """
    return _from_half("irfft", input, *_one(n, dim), norm, False)


@composite(face="fft")
def rfft2(input, s=None, dim=(-2, -1), norm=None):
    """`rfft` over two dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.rfft2(jnp.ones((1, 2)))
    Array([[2.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _to_half("rfft2", input, s, dim, norm, True)


@composite(face="fft")
def irfft2(input, s=None, dim=(-2, -1), norm=None):
    """The inverse of `rfft2`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.irfft2(jnp.array([[2.0, 0.0]]))
    Array([[1., 1.]], dtype=float32)
    """
    return _from_half("irfft2", input, s, dim, norm, False)


@composite(face="fft")
def rfftn(input, s=None, dim=None, norm=None):
    """`rfft` over all dimensions ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.rfftn(jnp.ones((1, 2)))
    Array([[2.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _to_half("rfftn", input, s, dim, norm, True)


@composite(face="fft")
def irfftn(input, s=None, dim=None, norm=None):
    """The inverse of `rfftn`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.irfftn(jnp.array([[2.0, 0.0]]))
    Array([[1., 1.]], dtype=float32)
    """
    return _from_half("irfftn", input, s, dim, norm, False)


@composite(face="fft")
def hfft(input, n=None, dim=-1, norm=None):
    """The real transform of the first half of a Hermitian signal.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.hfft(jnp.array([1.0, 1.0]), 2)
    Array([2., 0.], dtype=float32)
    """
    return _from_half("hfft", input, *_one(n, dim), norm, True)


@composite(face="fft")
def ihfft(input, n=None, dim=-1, norm=None):
    """The inverse of `hfft`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ihfft(jnp.array([1.0, 1.0])).real
    Array([1., 0.], dtype=float32)
    """
    return _to_half("ihfft", input, *_one(n, dim), norm, False)


@composite(face="fft")
def hfft2(input, s=None, dim=(-2, -1), norm=None):
    """`hfft` over two dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.hfft2(jnp.ones((1, 2)), (1, 2))
    Array([[2., 0.]], dtype=float32)
    """
    return _from_half("hfft2", input, s, dim, norm, True)


@composite(face="fft")
def ihfft2(input, s=None, dim=(-2, -1), norm=None):
    """The inverse of `hfft2`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ihfft2(jnp.ones((1, 2)))
    Array([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _to_half("ihfft2", input, s, dim, norm, False)


@composite(face="fft")
def hfftn(input, s=None, dim=None, norm=None):
    """`hfft` over all dimensions ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.hfftn(jnp.ones((1, 2)), (1, 2))
    Array([[2., 0.]], dtype=float32)
    """
    return _from_half("hfftn", input, s, dim, norm, True)


@composite(face="fft")
def ihfftn(input, s=None, dim=None, norm=None):
    """The inverse of `hfftn`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ihfftn(jnp.ones((1, 2)))
    Array([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _to_half("ihfftn", input, s, dim, norm, False)


# -- order and frequencies -------------------------------------------------------------------------


def _shifted(x, dim, direction: int):
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    lengths = [x.shape[d] for d in dims]
    steps = [n // 2 if direction > 0 else (n + 1) // 2 for n in lengths]
    return roll(x, steps, tuple(dims)) if lengths else x


@composite(face="fft")
def fftshift(input, dim=None):
    """Frequency 0 moved to the middle.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.fftshift(jnp.array([0, 1, -2, -1]))
    Array([-2, -1,  0,  1], dtype=int32)
    """
    return _shifted(input, dim, 1)


@composite(face="fft")
def ifftshift(input, dim=None):
    """The inverse of `fftshift`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fft.ifftshift(jnp.array([-1, 0, 1]))
    Array([ 0,  1, -1], dtype=int32)
    """
    return _shifted(input, dim, -1)


def _frequencies(places, n: int, d: float, dtype):
    dtype = types.canonical(types.default_dtype() if dtype is None else dtype)
    return places.astype(dtype) * jnp.asarray(1.0 / (n * d), dtype)


@op("fft_fftfreq", face="fft")
def fftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None):
    """The frequencies of the elements of `fft` of ``n`` samples at distance ``d``.

    >>> import funcgrad
    >>> funcgrad.fft.fftfreq(4)
    Array([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32)
    """
    places = jnp.arange(n)
    return _frequencies(jnp.where(places < (n + 1) // 2, places, places - n), n, d, dtype)


@op("fft_rfftfreq", face="fft")
def rfftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None):
    """The frequencies of the elements of `rfft`.

    >>> import funcgrad
    >>> funcgrad.fft.rfftfreq(4)
    Array([0.  , 0.25, 0.5 ], dtype=float32)
    """
    return _frequencies(jnp.arange(n // 2 + 1), n, d, dtype)
