"""Continuous relaxations of discrete distributions (Maddison et al. 2016, Jang et al. 2016)."""

from __future__ import annotations

from . import constraints
from .combined import TransformedDistribution
from .discrete import Bernoulli, Categorical
from .distribution import Distribution
from .functions import clamp_probs, rand
from .transforms import ExpTransform, SigmoidTransform


class _LogitRelaxedBernoulli(Distribution):
    support = constraints.real
    has_rsample = True

    def __init__(self, temperature, probs, logits, validate_args):
        self.temperature = temperature
        self._bernoulli = Bernoulli(probs, logits, validate_args)
        super().__init__(self._bernoulli.batch_shape, (), validate_args)

    def rsample(self, sample_shape=()):
        safe = clamp_probs(self._bernoulli.probs.expand(self._extended_shape(sample_shape)))
        noise = clamp_probs(rand(safe.shape, dtype=safe.dtype))
        logistic = noise.log() - (-noise).log1p() + safe.log() - (-safe).log1p()
        return logistic / self.temperature

    def log_prob(self, value):
        away = self._bernoulli.logits - value * self.temperature
        return self.temperature.log() + away - 2 * away.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    """A Bernoulli variable made continuous: sharper the lower the temperature.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.distributions.RelaxedBernoulli(torch.tensor(1.0), torch.tensor([0.5])).rsample()
    tensor([0.4963])
    """

    support = constraints.unit_interval  # type: ignore[assignment]

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = _LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args)

    @property
    def temperature(self):
        """How far from 0 and 1."""
        return self.base_dist.temperature

    @property
    def probs(self):
        """The probability of 1."""
        return self.base_dist._bernoulli.probs

    @property
    def logits(self):
        """The logarithm of the odds."""
        return self.base_dist._bernoulli.logits


class _ExpRelaxedCategorical(Distribution):
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, temperature, probs, logits, validate_args):
        self.temperature = temperature
        self._categorical = Categorical(probs, logits)
        super().__init__(
            self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args
        )

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        logits = self._categorical.logits
        noise = clamp_probs(rand(shape, dtype=logits.dtype))
        scores = (logits - (-(noise.log())).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value):
        count = self._event_shape[0]
        logits = self._categorical.logits
        constant = (logits.new_ones(()) * count).lgamma() - self.temperature.log() * -(count - 1)
        score = logits - value * self.temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + constant


class RelaxedOneHotCategorical(TransformedDistribution):
    """A class as a point near a corner of the simplex.

    >>> import stateful as torch
    >>> p = torch.tensor([0.25, 0.75])
    >>> draw = torch.distributions.RelaxedOneHotCategorical(torch.tensor(1.0), p).rsample()
    >>> draw.sum().round(decimals=4)
    tensor(1.)
    """

    support = constraints.simplex  # type: ignore[assignment]

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = _ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)

    @property
    def temperature(self):
        """How far from the corners."""
        return self.base_dist.temperature

    @property
    def probs(self):
        """Probabilities."""
        return self.base_dist._categorical.probs

    @property
    def logits(self):
        """Log-probabilities."""
        return self.base_dist._categorical.logits
