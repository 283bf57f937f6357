"""Windows, and the transform of a signal piece by piece."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp

from .. import types
from ..composite import composite
from ..op import op
from ..signature import DType
from ..signature import dtype as as_dtype
from .complexes import is_complex, view_as_real
from .creation import ones
from .fourier import fft_c2c, fft_c2r, fft_r2c
from .pad import constant_pad_nd, pad
from .places import unfold
from .slicing import narrow
from .view import expand, reshape, squeeze, transpose, unsqueeze

# -- windows ---------------------------------------------------------------------------------------


def _places(name: str, count: int, periodic: bool, dtype):
    """0 to 1 over a period, and the dtype of the window."""
    if count < 0:
        raise RuntimeError(f"{name}(): window_length must be non-negative, got {count}")
    dtype = types.canonical(types.default_dtype() if dtype is None else dtype)
    if not types.is_floating(dtype):
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    steps = count if periodic else count - 1
    return jnp.arange(count).astype(dtype) / max(steps, 1), dtype


def _cosines(name: str, count: int, periodic: bool, dtype, *weights: float):
    t, dtype = _places(name, count, periodic, dtype)
    if count == 1:
        return jnp.ones(1, dtype)
    total = sum(
        (-1) ** k * weight * jnp.cos(2 * math.pi * k * t) for k, weight in enumerate(weights)
    )
    return jnp.asarray(total, dtype)


@op("hann_window.periodic", face="torch")
def hann_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None):
    """One period of ``(1 - cos) / 2``.

    >>> import funcgrad
    >>> funcgrad.hann_window(4).round(3)
    Array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return _cosines("hann_window", window_length, periodic, dtype, 0.5, 0.5)


@op("hamming_window.periodic_alpha_beta", face="torch")
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: DType | None = None,
):  # fmt: skip
    """One period of ``alpha - beta * cos``.

    >>> import funcgrad
    >>> funcgrad.hamming_window(2, alpha=0.5, beta=0.5)
    Array([0., 1.], dtype=float32)
    """
    return _cosines("hamming_window", window_length, periodic, dtype, alpha, beta)


@op("blackman_window.periodic", face="torch")
def blackman_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None):
    """One period of ``0.42 - 0.5 * cos + 0.08 * cos`` of the double.

    >>> import funcgrad
    >>> funcgrad.blackman_window(2).round(3) + 0
    Array([0., 1.], dtype=float32)
    """
    return _cosines("blackman_window", window_length, periodic, dtype, 0.42, 0.5, 0.08)


@op("bartlett_window.periodic", face="torch")
def bartlett_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None):
    """A triangle.

    >>> import funcgrad
    >>> funcgrad.bartlett_window(4)
    Array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    t, dtype = _places("bartlett_window", window_length, periodic, dtype)
    if window_length == 1:
        return jnp.ones(1, dtype)
    return jnp.where(t <= 0.5, 2 * t, 2 - 2 * t)


@op("kaiser_window.beta", face="torch")
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DType | None = None
):
    """Kaiser's window.

    >>> import funcgrad
    >>> funcgrad.kaiser_window(3, False)[1]
    Array(1., dtype=float32)
    """
    t, dtype = _places("kaiser_window", window_length, periodic, dtype)
    if window_length == 1:
        return jnp.ones(1, dtype)
    inside = jnp.maximum(1 - (2 * t - 1) ** 2, 0)
    return (jsp.i0(beta * jnp.sqrt(inside)) / jsp.i0(jnp.asarray(beta, dtype))).astype(dtype)


# -- short-time transforms -------------------------------------------------------------------------


def _window(window, win_length: int, n_fft: int, dtype):
    """The window, or ones, in the middle of ``n_fft`` places."""
    if window is None:
        window = ones((win_length,), dtype=dtype)
    left = (n_fft - win_length) // 2
    return constant_pad_nd(window, (left, n_fft - win_length - left))


def _check_window(name: str, window, n_fft: int, win_length: int, hop: int) -> None:
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(
            f"{name}: expected 0 < win_length <= n_fft, but got win_length={win_length}"
        )
    if window is not None and tuple(window.shape) != (win_length,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but "
            f"got window with size {list(window.shape)}"
        )


@composite()
def stft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect",
    normalized=False, onesided=None, return_complex=None, align_to_window=None,
):  # fmt: skip
    """The Fourier transform of overlapping windows of a signal ``(L,)`` or ``(B, L)``.

    The result is ``(B, N, T)``: N frequencies (half of ``n_fft`` plus one for real signals) at T
    times. ``center`` pads the signal, so that window t is centred at ``t * hop_length``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.stft(jnp.ones(8), 4, window=jnp.ones(4), return_complex=True).shape
    (3, 9)
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    complex_input = is_complex(input) or (window is not None and is_complex(window))
    if return_complex is None:
        if not complex_input:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will "
                "further require that return_complex=True in a future PyTorch release."
            )
        return_complex = True
    _check_window("stft", window, n_fft, length, hop)
    single = input.ndim == 1
    x = unsqueeze(input, 0) if single else input
    if center:
        x = squeeze(pad(unsqueeze(x, 1), (n_fft // 2, n_fft // 2), pad_mode), 1)
    if not 0 < n_fft <= x.shape[1]:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {x.shape[1]}, but got n_fft={n_fft}")
    frames = unfold(x, 1, n_fft, hop)
    if window is not None or length < n_fft:
        frames = frames * _window(window, length, n_fft, as_dtype(x.dtype))
    onesided = (not complex_input) if onesided is None else onesided
    norm = int(bool(normalized))
    if complex_input:
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        found = fft_c2c(frames, (2,), norm, True)
    else:
        found = fft_r2c(frames, (2,), norm, onesided)
    found = transpose(found, 1, 2)
    found = squeeze(found, 0) if single else found
    return found if return_complex else view_as_real(found)


@op(
    "_overlapped", grad_fn="UnfoldBackwardBackward0", face="private",
    vjp=dict(frames=lambda grad, frames_sym_sizes, hop: (
        unfold(grad, 1, frames_sym_sizes[2], hop)
    )),
)  # fmt: skip
def _overlapped(frames, hop: int):
    """``(B, T, N)`` frames added up where they overlap."""
    batch, count, size = frames.shape
    places = jnp.arange(count)[:, None] * hop + jnp.arange(size)
    total = jnp.zeros((batch, (count - 1) * hop + size), frames.dtype)
    return total.at[:, places].add(frames)


@composite()
def istft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False,
    onesided=None, length=None, return_complex=False,
):  # fmt: skip
    """The inverse of `stft`: the signal whose windows differ least from these.

    Raises RuntimeError if the windows leave a part of the signal out.

    >>> import jax.numpy as jnp, funcgrad
    >>> spectrum = funcgrad.stft(jnp.ones(8), 4, window=jnp.ones(4), return_complex=True)
    >>> funcgrad.istft(spectrum, 4, window=jnp.ones(4)).shape
    (8,)
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    if not is_complex(input):
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    _check_window("istft", window, n_fft, size, hop)
    if onesided is None:
        onesided = input.shape[-2] != n_fft
    rows = n_fft // 2 + 1 if onesided else n_fft
    if input.shape[-2] != rows:
        raise RuntimeError(
            f"istft: expected the frequency dimension (3rd to the last) of the input tensor to "
            f"match n_fft{' / 2 + 1' if onesided else ''} ({rows}), but got {input.shape[-2]}."
        )
    single = input.ndim == 2
    x = transpose(unsqueeze(input, 0) if single else input, 1, 2)
    norm = 1 if normalized else 2
    if return_complex:
        frames = fft_c2c(x, (2,), norm, False)
    else:
        half = x if onesided else narrow(x, -1, 0, n_fft // 2 + 1)
        frames = fft_c2r(half, (2,), norm, n_fft)
    taper = _window(window, size, n_fft, as_dtype(frames.dtype))
    signal = _overlapped(frames * taper, hop)
    weight = reshape(taper * taper, (1, 1, n_fft))
    weight = _overlapped(expand(weight, (1, x.shape[1], n_fft)), hop)
    start = n_fft // 2 if center else 0
    full = n_fft + hop * (x.shape[1] - 1)
    stop = full - (n_fft // 2 if center else 0)
    end = stop if length is None else start + length
    kept = min(end, full) - start
    signal, weight = narrow(signal, 1, start, kept), narrow(weight, 1, start, kept)
    _check_cover(weight)
    found = signal / weight
    if end > full:
        found = constant_pad_nd(found, (0, end - full))
    return squeeze(found, 0) if single else found


def _check_cover(weight) -> None:
    try:
        least = float(abs(weight).min())
    except jax.errors.ConcretizationTypeError:
        return
    if least < 1e-11:
        raise RuntimeError(f"window overlap add min: {least}; there must be no gap")
