"""How a gamma or a Dirichlet variable moves with its parameter, its place in the distribution held.

For a cumulative distribution ``F(x; a)`` that is ``-(dF/da) / (dF/dx)``: the implicit
reparameterization of Figurnov et al. 2018. There is no closed form. As in PyTorch it is a series
near a bound, a saddle point expansion (Rice) for large parameters, and a rational function between
them; the numbers are those of ``aten/src/ATen/native/Distributions.h``. All of it is computed in
float64 where that is enabled.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import digamma

from ..op import op

# fmt: off
_GAMMA = np.array([
    [[0.16009398, -0.094634809, 0.025146376, -0.0030648343],
     [1, 0.32668115, 0.10406089, 0.0014179084]],
    [[0.53487893, 0.1298071, 0.065735949, -0.0015649758],
     [0.16639465, 0.020070113, -0.0035938915, -0.00058392623]],
    [[0.040121004, -0.0065914022, -0.0026286047, -0.0013441777],
     [0.017050642, -0.0021309326, 0.00085092367, -1.5247877e-07]],
])
"""Coefficients by the power of ``u``, numerator or denominator, the power of ``v``."""

_BETA = np.array([
    [[[1.003668233, -0.01061107488, -0.0657888334, 0.01201642863],
      [0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033],
      [-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013]],
     [[0.221950385, -0.3187676331, 0.01799915743, 0.01074823814],
      [-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057],
      [0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05]],
     [[-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565],
      [0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181],
      [0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05]]],
    [[[1, -0.02924021934, -0.04438342661, 0.007285809825],
      [0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521],
      [-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149]],
     [[0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273],
      [0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956],
      [-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05]],
     [[0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05],
      [0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05],
      [-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06]]],
])
"""Coefficients by numerator or denominator, the powers of ``u``, of ``a``, of ``b``."""
# fmt: on


def _wide(*arrays):
    dtype = jax.dtypes.canonicalize_dtype(np.float64)
    return [x.astype(dtype) for x in jnp.broadcast_arrays(*arrays)]


def _powers(x, count: int):
    return jnp.stack([x**i for i in range(count)])


def _not_nan(x):
    return jnp.where(jnp.isnan(x), 0, x)


# -- gamma -----------------------------------------------------------------------------------------


def _gamma_small(alpha, x):
    """The power series of the incomplete gamma function, to the fifth power."""
    term, first, second = jnp.ones_like(x), 1 / alpha, 1 / alpha**2
    for i in range(1, 6):
        term = term * -x / i
        first = first + term / (alpha + i)
        second = second + term / (alpha + i) ** 2
    power = x**alpha
    density = x ** (alpha - 1) * jnp.exp(-x)
    slope = (jnp.log(x) - digamma(alpha)) * power * first - power * second
    return _not_nan(-slope / density)


def _gamma_middle(alpha, x):
    """The limit of `_gamma_large` at its removable singularity ``x = alpha``."""
    first = 1 + 24 * alpha * (1 + 12 * alpha)
    second = 1440 * alpha**2 + 6 * x * (53 - 120 * x) - 65 * x**2 / alpha + alpha * (107 + 3600 * x)
    return first * second / (1244160 * alpha**4)


def _gamma_large(alpha, x):
    """The saddle point expansion."""
    width, away = jnp.sqrt(8 * alpha), alpha - x
    ratio = jnp.log(x / alpha)
    bent = (x - alpha - alpha * ratio) ** -1.5
    both = width / away + jnp.where(x < alpha, -bent, bent)
    inner = ratio * both - jnp.sqrt(2 / alpha) * (alpha + x) / away**2
    stirling = 1 + 1 / (12 * alpha) * (1 + 1 / (24 * alpha))
    return -stirling * x * inner / width


def _gamma_between(alpha, x):
    u, v = _powers(jnp.log(x / alpha), 3), _powers(jnp.log(alpha), 4)
    over, under = jnp.einsum("ikj,i...,j...->k...", _GAMMA.astype(x.dtype), u, v)
    return jnp.exp(over / under)


def _refused(grad):
    raise NotImplementedError(
        "the derivative for '_standard_gamma_grad' is not implemented. A draw can be "
        "differentiated once; for more use sample() and log_prob()"
    )


@op("_standard_gamma_grad", grad_fn="NotImplemented", face="private",
    vjp=dict(self=_refused, output=_refused))  # fmt: skip
def standard_gamma_grad(self, output):
    """The derivative of a gamma variable ``output`` of rate 1 in its shape parameter ``self``."""
    alpha, x = _wide(self, output)
    near = (0.9 * alpha <= x) & (x <= 1.1 * alpha)
    large = jnp.where(near, _gamma_middle(alpha, x), _gamma_large(alpha, x))
    found = jnp.where(alpha > 8, large, _gamma_between(alpha, x))
    return jnp.where(x < 0.8, _gamma_small(alpha, x), found).astype(output.dtype)


# -- Dirichlet -------------------------------------------------------------------------------------


def _beta_low(x, alpha, beta):
    """In ``alpha``, by the series of the incomplete beta function at 0, to the tenth power."""
    factor = digamma(alpha) - digamma(alpha + beta) - jnp.log(x)
    term, total = jnp.ones_like(x), (factor + 1 / alpha) / alpha
    for i in range(1, 11):
        term = term * (i - beta) * x / i
        total = total + term / (alpha + i) * (factor + 1 / (alpha + i))
    return _not_nan(x * (1 - x) ** -beta * total)


def _beta_low_other(x, alpha, beta):
    """In ``beta``, by the same series, to the eighth power."""
    factor = digamma(alpha + beta) - digamma(beta)
    term, product, slope, total = jnp.ones_like(x), jnp.ones_like(x), 0.0, factor / alpha
    for i in range(1, 9):
        term = term * -x / i
        slope = slope * (beta - i) + product
        product = product * (beta - i)
        total = total + term / (alpha + i) * (slope + factor * product)
    return _not_nan(-((1 - x) ** (1 - beta)) * total)


def _beta_middle(x, alpha, beta):
    """The limit of `_beta_large` at its removable singularity, the mean."""
    total = alpha + beta
    terms = [
        47 * x * beta**4,
        (43 + 20 * (16 + 27 * beta) * x) * beta**3,
        3 * (59 + 180 * beta - 90 * x) * beta**2,
        (453 + 1620 * beta * (1 - x) - 455 * x) * beta,
        8 * (1 - x) * (135 * beta - 11),
    ]
    polynomial = sum(term * alpha**i for i, term in enumerate(terms))
    scale = (1 + 12 * alpha) * (1 + 12 * beta) / total**2
    return scale / (1 - x) * polynomial / (12960 * alpha**3 * beta**2 * (1 + 12 * total))


def _stirling(x):
    return 1 + 1 / (12 * x) + 1 / (288 * x**2)


def _beta_large(x, alpha, beta):
    """The saddle point expansion."""
    total = alpha + beta
    away = alpha * (x - 1) + beta * x
    first = (2 * alpha**2 + alpha * beta) * (x - 1) - x * beta**2
    first = first / (jnp.sqrt(2 * alpha / beta) * total**1.5 * away**2)
    below, above = jnp.log(alpha / (total * x)), jnp.log(beta / (total * (1 - x)))
    bent = (beta * above + alpha * below) ** -1.5
    bent = jnp.where(x < alpha / total, bent, -bent)
    inner = first + 0.5 * below * (jnp.sqrt(8 * alpha * beta / total) / away + bent)
    stirling = _stirling(alpha) * _stirling(beta) / _stirling(total)
    return stirling * -x / jnp.sqrt(2 * alpha * beta / total) * inner


def _beta_between(x, alpha, total):
    u = jnp.log(x)
    a = jnp.log(alpha) - u
    b = jnp.log(total) - a
    powers = _powers(u, 3), _powers(a, 3), _powers(b, 4)
    over, under = jnp.einsum("kija,i...,j...,a...->k...", _BETA.astype(x.dtype), *powers)
    return over / under * x * (digamma(total) - digamma(alpha)) / (total - alpha)


@op("_dirichlet_grad", face="private")
def dirichlet_grad(x, alpha, total):
    """The derivative in ``alpha`` of a beta variable ``x``, over ``1 - x``.

    ``total``: the sum of both parameters, of all of a Dirichlet variable.
    """
    dtype = x.dtype
    x, alpha, total = _wide(x, alpha, total)
    beta, boundary = total - alpha, total * x * (1 - x)
    spread = jnp.sqrt(alpha * beta / (total + 1)) / total
    near = jnp.abs(x - alpha / total) <= 0.1 * spread
    large = jnp.where(near, _beta_middle(x, alpha, beta), _beta_large(x, alpha, beta))
    found = jnp.where((alpha > 6) & (beta > 6), large, _beta_between(x, alpha, total))
    high = -_beta_low_other(1 - x, beta, alpha)
    found = jnp.where((x >= 0.5) & (boundary < 0.75), high, found)
    low = (x <= 0.5) & (boundary < 2.5)
    return jnp.where(low, _beta_low(x, alpha, beta), found).astype(dtype)
