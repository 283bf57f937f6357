"""Orthogonal polynomials, elementwise in the argument and in the degree. PyTorch has no derivative.

All follow one recurrence: from the polynomials of degree 0 and 1, each next one of the two before.
Inside of (-1, 1) the Chebyshev polynomials of high degree are written with cosines, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax

from ..op import op


def _recurred(x, n, first, step: Callable):
    """The polynomial of degree ``n``: 1, ``first(x)``, then ``step(k, x, p[k], p[k - 1])``.

    0 for a negative degree; a degree is rounded towards 0.
    """
    x, n = jnp.broadcast_arrays(x, n)
    degree = jnp.trunc(n)
    last = jnp.max(degree, initial=0).astype(jnp.int32)

    def following(k, pair):
        before, present = pair
        after = step(k.astype(x.dtype), x, present, before)
        more = k < degree
        return jnp.where(more, present, before), jnp.where(more, after, present)

    _, found = lax.fori_loop(1, last, following, (jnp.ones_like(x), first(x)))
    found = jnp.where(degree == 0, 1, jnp.where(degree < 0, 0, found))
    return found.astype(x.dtype)


def _chebyshev_step(k, x, present, before):
    return (x + x) * present - before


def _is_even(n):
    return jnp.trunc(n) % 2 == 0


def _sign(x, n):
    """1 for positive ``x`` and for even ``n``, else -1."""
    return jnp.where((x > 0) | _is_even(n), 1, -1)


def _chebyshev(x, n, first, high: int, trigonometric: Callable, at_end: Callable):
    """A Chebyshev polynomial; ``trigonometric``: of the angle and the degree, above ``high``;
    ``at_end``: at 1 and -1."""
    x, n = jnp.broadcast_arrays(x, n)
    degree = jnp.trunc(n)
    found = _recurred(x, n, first, _chebyshev_step)
    inside = (degree > high) & (jnp.abs(x) < 1)
    angle = jnp.arccos(jnp.where(inside, x, 0))
    found = jnp.where(inside, trigonometric(angle, degree), found)
    found = jnp.where((jnp.abs(x) == 1) & (degree >= 0), at_end(x, degree), found)
    return found.astype(x.dtype)


def _t(x, n, high=6):
    return _chebyshev(x, n, lambda x: x, high, lambda a, n: jnp.cos(n * a), _sign)


def _u(x, n, high=8):
    return _chebyshev(
        x, n, lambda x: x + x, high,
        lambda a, n: jnp.sin((n + 1) * a) / jnp.sin(a),
        lambda x, n: (n + 1) * _sign(x, n),
    )  # fmt: skip


def _v(x, n, high=8):
    return _chebyshev(
        x, n, lambda x: x + x - 1, high,
        lambda a, n: jnp.cos((n + 0.5) * a) / jnp.cos(a / 2),
        lambda x, n: jnp.where(x > 0, 1, (n + n + 1) * _sign(x, n)),
    )  # fmt: skip


def _w(x, n, high=8):
    return _chebyshev(
        x, n, lambda x: x + x + 1, high,
        lambda a, n: jnp.sin((n + 0.5) * a) / jnp.sin(a / 2),
        lambda x, n: jnp.where(x > 0, n + n + 1, _sign(x, n)),
    )  # fmt: skip


@op("special_chebyshev_polynomial_t", face="special", promotes="float")
def special_chebyshev_polynomial_t(x, n):
    """The Chebyshev polynomial of the first kind."""
    return _t(x, n)


@op("special_chebyshev_polynomial_u", face="special", promotes="float")
def special_chebyshev_polynomial_u(x, n):
    """The Chebyshev polynomial of the second kind."""
    return _u(x, n)


@op("special_chebyshev_polynomial_v", face="special", promotes="float")
def special_chebyshev_polynomial_v(x, n):
    """The Chebyshev polynomial of the third kind."""
    return _v(x, n)


@op("special_chebyshev_polynomial_w", face="special", promotes="float")
def special_chebyshev_polynomial_w(x, n):
    """The Chebyshev polynomial of the fourth kind."""
    return _w(x, n)


@op("special_shifted_chebyshev_polynomial_t", face="special", promotes="float")
def special_shifted_chebyshev_polynomial_t(x, n):
    """The Chebyshev polynomial of the first kind of ``2 x - 1``."""
    return _t(x + x - 1, n)


@op("special_shifted_chebyshev_polynomial_u", face="special", promotes="float")
def special_shifted_chebyshev_polynomial_u(x, n):
    """The Chebyshev polynomial of the second kind of ``2 x - 1``."""
    return _u(x + x - 1, n, 6)


@op("special_shifted_chebyshev_polynomial_v", face="special", promotes="float")
def special_shifted_chebyshev_polynomial_v(x, n):
    """The Chebyshev polynomial of the third kind of ``2 x - 1``."""
    return _v(x + x - 1, n, 6)


@op("special_shifted_chebyshev_polynomial_w", face="special", promotes="float")
def special_shifted_chebyshev_polynomial_w(x, n):
    """The Chebyshev polynomial of the fourth kind of ``2 x - 1``."""
    return _w(x + x - 1, n, 4)


def _limited(x, n):
    """nan for the degrees whose Hermite polynomials overflow, as in PyTorch."""
    highest = 512 if x.dtype == jnp.float64 else 128
    return jnp.where(jnp.trunc(n) > highest, jnp.nan, 0).astype(x.dtype)


@op("special_hermite_polynomial_h", face="special", promotes="float")
def special_hermite_polynomial_h(x, n):
    """The physicist's Hermite polynomial."""
    return _limited(x, n) + _recurred(
        x, n, lambda x: x + x, lambda k, x, p, q: (x + x) * p - 2 * k * q
    )


@op("special_hermite_polynomial_he", face="special", promotes="float")
def special_hermite_polynomial_he(x, n):
    """The probabilist's Hermite polynomial."""
    return _limited(x, n) + _recurred(x, n, lambda x: x, lambda k, x, p, q: x * p - k * q)


@op("special_laguerre_polynomial_l", face="special", promotes="float")
def special_laguerre_polynomial_l(x, n):
    """The Laguerre polynomial."""
    return _recurred(
        x, n, lambda x: 1 - x, lambda k, x, p, q: ((k + k + (1 - x)) * p - k * q) / (k + 1)
    )


@op("special_legendre_polynomial_p", face="special", promotes="float")
def special_legendre_polynomial_p(x, n):
    """The Legendre polynomial."""
    return _recurred(x, n, lambda x: x, lambda k, x, p, q: ((k + k + 1) * x * p - k * q) / (k + 1))
