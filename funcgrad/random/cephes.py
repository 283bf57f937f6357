"""float32 log, sine and cosine as PyTorch's vectorised normal kernel computes them.

They are the single-precision polynomials of Moshier's Cephes library, evaluated with fused
multiply-adds. A float32 fused multiply-add is done here in float64 and rounded once more, which for
these arguments gives the same bits. All functions take numpy or JAX arrays (`xp` says which).
"""

import numpy as np

from .rounding import fence

# fmt: off
_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
_SIN = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
# fmt: on
_TWO_PI = np.float32(2 * np.pi)
_SQRT_HALF = np.float32(np.sqrt(0.5))


def radius_and_angle(xp, first, second):
    """`r * cos(t), r * sin(t)` for `r = sqrt(-2 log(1 - first))`, `t = 2 pi second`; float32."""
    radius = xp.sqrt(np.float32(-2) * log(xp, np.float32(1) - first))
    sine, cosine = sincos(xp, fence(xp, second * _TWO_PI))
    return radius * cosine, radius * sine


def log(xp, x):
    """The natural logarithm of normal positive float32 values."""
    bits = x.view(np.int32)
    mantissa = ((bits & np.int32(0x7FFFFF)) | np.int32(0x3F000000)).view(np.float32)
    small = mantissa < _SQRT_HALF
    exponent = ((bits >> np.int32(23)) - np.int32(126) - small).astype(np.float32)
    x = (mantissa - np.float32(1)) + mantissa * small.astype(np.float32)
    z = x * x
    y = _polynomial(x, _LOG) * x
    y = _fma(y, z, exponent * np.float32(-2.12194440e-4)) - z * np.float32(0.5)
    return (x + y) + exponent * np.float32(0.693359375)


def sincos(xp, x):
    """Sine and cosine of float32 values in `[0, 2 pi]`, reduced modulo `pi / 4` in three steps."""
    j = ((x * np.float32(1.27323954473516)).astype(np.int32) + np.int32(1)) & np.int32(-2)
    k = j.astype(np.float32)
    x = (x + k * np.float32(-0.78515625)) + k * np.float32(-2.4187564849853515625e-4)
    x = _fma(k, np.float64(np.float32(-3.77489497744594108e-8)), x)
    z = x * x
    sine = _fma(_polynomial(z, _SIN) * z, x, x)
    cosine = _fma(_polynomial(z, _COS) * z, z, z * np.float32(-0.5)) + np.float32(1)
    swap = (j & np.int32(2)) != 0
    sine, cosine = xp.where(swap, cosine, sine), xp.where(swap, sine, cosine)
    return _negate(sine, j), _negate(cosine, j + np.int32(2))


def _polynomial(x, coefficients):
    y, *rest = (np.float64(np.float32(c)) for c in coefficients)
    wide = x.astype(np.float64)
    for c in rest:
        y = (wide * y + c).astype(np.float32)
    return y


def _fma(a, b, c):
    return (a.astype(np.float64) * b + c).astype(np.float32)


def _negate(x, octant):
    """`-x` where bit 2 of `octant` is set."""
    sign = (octant & np.int32(4)) << np.int32(29)
    return (x.view(np.int32) ^ sign).view(np.float32)
