"""Bessel functions, Airy's and the scaled error function, which SciPy computes on the host.

Only `erfcx` has a derivative in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special as sp

from ..op import op

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _on_host(function: Callable, x):
    """``function`` of numpy arrays, elementwise on ``x``."""

    def called(x):
        with np.errstate(all="ignore"):
            return np.asarray(function(np.asarray(x))).astype(x.dtype)

    wanted = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(called, wanted, x, vmap_method="broadcast_all")


@op("special_airy_ai", face="special", promotes="float")
def special_airy_ai(x):
    """Airy's function Ai."""
    return _on_host(lambda x: sp.airy(x)[0], x)


@op("special_bessel_j0", face="special", promotes="float")
def special_bessel_j0(self):
    """The Bessel function of the first kind and order 0."""
    return _on_host(sp.j0, self)


@op("special_bessel_j1", face="special", promotes="float")
def special_bessel_j1(self):
    """The Bessel function of the first kind and order 1."""
    return _on_host(sp.j1, self)


@op("special_bessel_y0", face="special", promotes="float")
def special_bessel_y0(self):
    """The Bessel function of the second kind and order 0."""
    return _on_host(sp.y0, self)


@op("special_bessel_y1", face="special", promotes="float")
def special_bessel_y1(self):
    """The Bessel function of the second kind and order 1."""
    return _on_host(sp.y1, self)


@op("special_modified_bessel_i0", face="special", promotes="float")
def special_modified_bessel_i0(self):
    """The modified Bessel function of the first kind and order 0."""
    return _on_host(sp.i0, self)


@op("special_modified_bessel_i1", face="special", promotes="float")
def special_modified_bessel_i1(self):
    """The modified Bessel function of the first kind and order 1."""
    return _on_host(sp.i1, self)


@op("special_modified_bessel_k0", face="special", promotes="float")
def special_modified_bessel_k0(self):
    """The modified Bessel function of the second kind and order 0."""
    return _on_host(sp.k0, self)


@op("special_modified_bessel_k1", face="special", promotes="float")
def special_modified_bessel_k1(self):
    """The modified Bessel function of the second kind and order 1."""
    return _on_host(sp.k1, self)


@op("special_scaled_modified_bessel_k0", face="special", promotes="float")
def special_scaled_modified_bessel_k0(x):
    """`special_modified_bessel_k0` times ``exp(x)``."""
    return _on_host(sp.k0e, x)


@op("special_scaled_modified_bessel_k1", face="special", promotes="float")
def special_scaled_modified_bessel_k1(x):
    """`special_modified_bessel_k1` times ``exp(x)``."""
    return _on_host(sp.k1e, x)


@op("special_spherical_bessel_j0", face="special", promotes="float")
def special_spherical_bessel_j0(x):
    """``sin(x) / x``, the spherical Bessel function of the first kind and order 0."""
    away = jnp.where((x == 0) | jnp.isinf(x), 1, x)
    found = jnp.where(x == 0, 1, jnp.sin(away) / away)
    return jnp.where(jnp.isinf(x), 0, found).astype(x.dtype)


@op("special_erfcx", grad_fn="SpecialErfcxBackward0", face="special", promotes="float",
    vjp=dict(self=lambda grad, self, result: (
        (2.0 * self * result - _TWO_OVER_ROOT_PI) * grad
    )))  # fmt: skip
def special_erfcx(self):
    """``exp(x ** 2)`` times the complementary error function."""
    return _on_host(sp.erfcx, self)
