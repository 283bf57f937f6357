"""`VonMises`: a distribution of angles."""

from __future__ import annotations

import math
from typing import Any

from .. import modes
from ..dtypes import float64
from . import constraints
from .distribution import Distribution
from .functions import broadcast_all, rand, where, zeros

_SMALL = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411),
)
_LARGE = (
    (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537,
     -0.01647633, 0.00392377),
    (0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312,
     0.01787654, -0.00420059),
)  # fmt: skip
"""Of the modified Bessel functions of order 0 and 1, below and above 3.75: Abramowitz and Stegun,
9.8.1 to 9.8.4."""


def _polynomial(x: Any, coefficients: tuple) -> Any:
    found = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        found = coefficient + x * found
    return found


def _log_bessel(x: Any, order: int) -> Any:
    """The logarithm of the modified Bessel function of the first kind."""
    small = _polynomial((x / 3.75).pow(2), _SMALL[order])
    small = (x.abs() * small if order else small).log()
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return where(x < 3.75, small, large)


class VonMises(Distribution):
    """On the circle, around ``loc``: proportional to ``exp(concentration * cos(x - loc))``.

    >>> import stateful as torch
    >>> torch.distributions.VonMises(0.0, 1.0).log_prob(torch.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    def expand(self, batch_shape, _instance=None):
        return VonMises(self.loc.expand(batch_shape), self.concentration.expand(batch_shape), False)

    @property
    def mean(self):
        """The mean of the angle."""
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        """The circular variance."""
        ratio = _log_bessel(self.concentration, 1) - _log_bessel(self.concentration, 0)
        return 1 - ratio.exp()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        density = self.concentration * (value - self.loc).cos()
        return density - math.log(2 * math.pi) - _log_bessel(self.concentration, 0)

    def sample(self, sample_shape=()):
        """Draws by rejection from a wrapped Cauchy distribution (Best and Fisher, 1979)."""
        with modes.no_grad():
            return self._accepted(self._extended_shape(sample_shape)).to(self.loc.dtype)

    def _accepted(self, shape: Any) -> Any:
        loc, kappa = self.loc.double(), self.concentration.double()
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        r = where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))
        x = zeros(shape, dtype=float64)
        done = x != x
        while not done.all():
            u1, u2, u3 = rand((3, *shape), dtype=float64).unbind()
            z = (math.pi * u1).cos()
            f = (1 + r * z) / (r + z)
            c = kappa * (r - f)
            accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
            x = where(accept, (u3 - 0.5).sign() * f.acos(), x)
            done = done | accept
        return (x + math.pi + loc) % (2 * math.pi) - math.pi
