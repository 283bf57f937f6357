"""Distributions that are powers, exponentials and ratios of others."""

from __future__ import annotations

import math

from . import constraints
from .combined import TransformedDistribution
from .continuous import Cauchy, Exponential, Gamma, Uniform
from .distribution import Distribution
from .functions import EULER, broadcast_all, finfo, full_like, where, zeros_like
from .transforms import AbsTransform, AffineTransform, ExpTransform, PowerTransform


class Weibull(TransformedDistribution):
    """``scale`` times an exponential variable to the power of ``1 / concentration``.

    >>> import stateful as torch
    >>> torch.distributions.Weibull(1.0, 2.0).log_prob(torch.tensor(1.0))
    tensor(-0.3069)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive  # type: ignore[assignment]

    def __init__(self, scale, concentration, validate_args=None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(full_like(self.scale, 1.0), validate_args)
        transforms = [
            PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale),
        ]  # fmt: skip
        super().__init__(base, transforms, validate_args)

    def expand(self, batch_shape, _instance=None):
        given = self.scale.expand(batch_shape), self.concentration.expand(batch_shape)
        return Weibull(*given, False)

    @property
    def mean(self):
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self):
        root = ((self.concentration - 1) / self.concentration) ** self.concentration.reciprocal()
        return self.scale * root

    @property
    def variance(self):
        second = (1 + 2 * self.concentration_reciprocal).lgamma().exp()
        first = (2 * (1 + self.concentration_reciprocal).lgamma()).exp()
        return self.scale.pow(2) * (second - first)

    def entropy(self):
        width = (self.scale * self.concentration_reciprocal).log()
        return EULER * (1 - self.concentration_reciprocal) + width + 1


class Pareto(TransformedDistribution):
    """``scale`` times the exponential of an exponential variable of rate ``alpha``.

    >>> import stateful as torch
    >>> torch.distributions.Pareto(1.0, 2.0).log_prob(torch.tensor(1.0))
    tensor(0.6931)
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale, alpha, validate_args=None):
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args)
        super().__init__(base, [ExpTransform(), AffineTransform(0, self.scale)], validate_args)

    def expand(self, batch_shape, _instance=None):
        return Pareto(self.scale.expand(batch_shape), self.alpha.expand(batch_shape), False)

    @constraints.dependent_property
    def support(self):  # type: ignore[override]
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self):
        alpha = self.alpha.clamp(min=1)
        return alpha * self.scale / (alpha - 1)

    @property
    def mode(self):
        return self.scale

    @property
    def variance(self):
        alpha = self.alpha.clamp(min=2)
        return self.scale.pow(2) * alpha / ((alpha - 1).pow(2) * (alpha - 2))

    def entropy(self):
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class HalfCauchy(TransformedDistribution):
    """The absolute value of a Cauchy variable around 0.

    >>> import stateful as torch
    >>> torch.distributions.HalfCauchy(1.0).log_prob(torch.tensor(0.0))
    tensor(-0.4516)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative  # type: ignore[assignment]

    def __init__(self, scale, validate_args=None):
        super().__init__(Cauchy(0, scale, False), AbsTransform(), validate_args)

    @property
    def scale(self):
        """The half width at half maximum before the absolute value."""
        return self.base_dist.scale

    def expand(self, batch_shape, _instance=None):
        return HalfCauchy(self.scale.expand(batch_shape), False)

    @property
    def mean(self):
        return full_like(self.scale, math.inf)

    @property
    def mode(self):
        return zeros_like(self.scale)

    @property
    def variance(self):
        return self.base_dist.variance

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        found = self.base_dist.log_prob(value) + math.log(2)
        return where(value >= 0, found, -math.inf)

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob):
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)


class Kumaraswamy(TransformedDistribution):
    """On (0, 1): ``1 - (1 - x ** concentration1) ** concentration0`` is the distribution function.

    >>> import stateful as torch
    >>> torch.distributions.Kumaraswamy(1.0, 1.0).mean
    tensor(0.5000)
    """

    arg_constraints = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip
    support = constraints.unit_interval  # type: ignore[assignment]

    def __init__(self, concentration1, concentration0, validate_args=None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(
            full_like(self.concentration0, 0), full_like(self.concentration0, 1), validate_args
        )
        transforms = [
            PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]  # fmt: skip
        super().__init__(base, transforms, validate_args)

    def expand(self, batch_shape, _instance=None):
        given = self.concentration1.expand(batch_shape), self.concentration0.expand(batch_shape)
        return Kumaraswamy(*given, False)

    def _moment(self, order):
        shape = 1 + order / self.concentration1
        log = shape.lgamma() + self.concentration0.lgamma() - (shape + self.concentration0).lgamma()
        return self.concentration0 * log.exp()

    @property
    def mean(self):
        return self._moment(1)

    @property
    def mode(self):
        a, b = self.concentration1, self.concentration0
        log_mode = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        log_mode[(b < 1) | (a < 1)] = math.nan
        return log_mode.exp()

    @property
    def variance(self):
        return self._moment(2) - self.mean.pow(2)

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + EULER
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()


class InverseGamma(TransformedDistribution):
    """The reciprocal of a gamma variable.

    >>> import stateful as torch
    >>> torch.distributions.InverseGamma(3.0, 1.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive  # type: ignore[assignment]

    def __init__(self, concentration, rate, validate_args=None):
        base = Gamma(concentration, rate, validate_args)
        power = PowerTransform(-base.rate.new_ones(()))
        super().__init__(base, power, validate_args)

    def expand(self, batch_shape, _instance=None):
        given = self.concentration.expand(batch_shape), self.rate.expand(batch_shape)
        return InverseGamma(*given, False)

    @property
    def concentration(self):
        """The shape of the gamma variable."""
        return self.base_dist.concentration

    @property
    def rate(self):
        """The rate of the gamma variable."""
        return self.base_dist.rate

    @property
    def mean(self):
        found = self.rate / (self.concentration - 1)
        return where(self.concentration > 1, found, math.inf)

    @property
    def mode(self):
        return self.rate / (self.concentration + 1)

    @property
    def variance(self):
        shape = self.concentration
        found = self.rate.square() / ((shape - 1).square() * (shape - 2))
        return where(shape > 2, found, math.inf)

    def entropy(self):
        shape = self.concentration
        return shape + self.rate.log() + shape.lgamma() - (1 + shape) * shape.digamma()


class FisherSnedecor(Distribution):
    """The ratio of two means of squares of ``df1`` and ``df2`` standard normal variables.

    >>> import stateful as torch
    >>> torch.distributions.FisherSnedecor(2.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1, df2, validate_args=None):
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.shape, (), validate_args)

    def expand(self, batch_shape, _instance=None):
        return FisherSnedecor(self.df1.expand(batch_shape), self.df2.expand(batch_shape), False)

    @property
    def mean(self):
        df2 = where(self.df2 <= 2, math.nan, self.df2)
        return df2 / (df2 - 2)

    @property
    def mode(self):
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        found[self.df1 <= 2] = math.nan
        return found

    @property
    def variance(self):
        df2 = where(self.df2 <= 4, math.nan, self.df2)
        above = 2 * df2.pow(2) * (self.df1 + df2 - 2)
        return above / (self.df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        above, below = (
            gamma.rsample(sample_shape).view(shape) for gamma in (self._gamma1, self._gamma2)
        )
        tiny = getattr(finfo(below.dtype), "tiny")  # noqa: B009
        return (above / below.clamp_(min=tiny)).clamp_(min=tiny)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        first, second, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        constant = (first + second).lgamma() - first.lgamma() - second.lgamma()
        power = first * ratio.log() + (first - 1) * value.log()
        return constant + power - (first + second) * (ratio * value).log1p()
