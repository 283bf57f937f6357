"""Fused multiply-add, `a * b + c` with one rounding, which neither numpy nor JAX offers.

Every function takes numpy or JAX arrays (`xp` says which).
"""

import numpy as np

_FLOAT32_TAIL = np.uint64(0x1FFFFFFF)
_FLOAT32_HALF = np.uint64(0x10000000)
_SPLIT_HALF = np.uint64(1 << 26)
_SPLIT_MASK = np.uint64(2**64 - (1 << 27))


def fma32(xp, a, b: float, c: float):
    """float32 `a * b + c`.

    The float64 product is exact, the sum is not: where it was rounded onto the middle between two
    float32 values, what the rounding lost decides to which side it goes.
    """
    b, c = np.float64(np.float32(b)), np.float64(np.float32(c))
    product = a.astype(np.float64) * b
    total = product + c
    middle = (total.view(np.uint64) & _FLOAT32_TAIL) == _FLOAT32_HALF
    if xp is np and not middle.any():
        return total.astype(np.float32)
    lost = _lost_in_sum(product, c, total)
    toward = xp.where(lost > 0, np.inf, -np.inf)
    total = xp.where(middle & (lost != 0), xp.nextafter(total, toward), total)
    return total.astype(np.float32)


def fma64(xp, a, b: float, c: float):
    """float64 `a * b + c`, by error-free transformations.

    Boldo and Melquiond, "Emulation of FMA and correctly rounded sums" (2008): the small parts are
    added with rounding to odd, so that the last addition rounds as if it saw all of them.
    """
    b, c = np.float64(b), np.float64(c)
    if b == 1:
        return a + c
    product = fence(xp, a * b)
    if c == 0:
        return product + c
    error = _lost_in_product(xp, a, b, product)
    low = fence(xp, error + c)
    low_error = _lost_in_sum(error, c, low)
    high = fence(xp, product + low)
    high_error = _lost_in_sum(product, low, high)
    return high + _add_to_odd(xp, high_error, low_error)


def fence(xp, x):
    """`x`, out of reach of a compiler that would fuse its last operation with the next one."""
    return x if xp is np else xp.where(x == x, x, np.nan)


def _lost_in_sum(a, b, total):
    """The exact `a + b - total` (Knuth's TwoSum)."""
    part = total - a
    return (a - (total - part)) + (b - part)


def _lost_in_product(xp, a, b, product):
    """The exact `a * b - product` (Dekker), from halves of 26 bits whose products are exact."""
    a_high, b_high = _high_half(xp, a), _high_half(np, np.asarray(b))
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _high_half(xp, x):
    bits = (x.view(np.uint64) + _SPLIT_HALF) & _SPLIT_MASK
    return bits.view(np.float64)


def _add_to_odd(xp, a, b):
    total = a + b
    lost = _lost_in_sum(a, b, total)
    even = (total.view(np.uint64) & np.uint64(1)) == 0
    toward = xp.where(lost > 0, np.inf, -np.inf)
    return xp.where(even & (lost != 0), xp.nextafter(total, toward), total)
