"""Distributions made of others: `Independent`, `TransformedDistribution`, mixtures."""

from __future__ import annotations

import math
from typing import Any

from .. import modes
from . import constraints
from .discrete import Categorical
from .distribution import Distribution
from .functions import logsumexp, sum_rightmost
from .normal import Normal
from .transforms import (
    AbsTransform,
    ExpTransform,
    Transform,
)


class Independent(Distribution):
    """The last ``reinterpreted_batch_ndims`` batch dimensions of ``base`` as event dimensions.

    >>> import stateful as torch
    >>> base = torch.distributions.Normal(torch.zeros(3), torch.ones(3))
    >>> joint = torch.distributions.Independent(base, 1)
    >>> joint.batch_shape, joint.event_shape, joint.log_prob(torch.zeros(3))
    (torch.Size([]), torch.Size([3]), tensor(-2.7568))
    """

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        batch, event = base_distribution.batch_shape, base_distribution.event_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {len(batch)}"
            )
        kept = len(batch) - reinterpreted_batch_ndims
        self.base_dist, self.reinterpreted_batch_ndims = (
            base_distribution,
            reinterpreted_batch_ndims,
        )
        super().__init__(batch[:kept], (*batch[kept:], *event), validate_args)

    @property
    def has_rsample(self):  # type: ignore[override]
        """Whether the base has."""
        return self.base_dist.has_rsample

    @property
    def support(self):  # type: ignore[override]
        """The support of the base, over more dimensions."""
        base, count = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(base, count) if count else base

    @property
    def mean(self):
        return self.base_dist.mean

    @property
    def mode(self):
        return self.base_dist.mode

    @property
    def variance(self):
        return self.base_dist.variance

    def expand(self, batch_shape, _instance=None):
        moved = tuple(self._event_shape[: self.reinterpreted_batch_ndims])
        return Independent(
            self.base_dist.expand((*batch_shape, *moved)), self.reinterpreted_batch_ndims, False
        )

    def sample(self, sample_shape=()):
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=()):
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"Independent({self.base_dist}, {self.reinterpreted_batch_ndims})"


class TransformedDistribution(Distribution):
    """The distribution of ``transforms`` of a variable, one after the other.

    >>> import stateful as torch
    >>> base = torch.distributions.Uniform(0.0, 1.0)
    >>> double = torch.distributions.AffineTransform(1.0, 2.0)
    >>> torch.distributions.TransformedDistribution(base, [double]).log_prob(torch.tensor(2.0))
    tensor(-0.6931)
    """

    base_dist: Any

    def __init__(self, base_distribution, transforms, validate_args=None):
        transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in transforms):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        self.transforms = transforms
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        rank = max([len(base_distribution.event_shape), *(t.domain.event_dim for t in transforms)])
        missing = rank - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, missing) if missing else base_distribution
        for transform in transforms:
            shape = transform.forward_shape(shape)
        cut = len(shape) - rank
        super().__init__(shape[:cut], shape[cut:], validate_args)

    @property
    def has_rsample(self):  # type: ignore[override]
        """Whether the base has."""
        return self.base_dist.has_rsample

    @property
    def support(self):  # type: ignore[override]
        """What the last transform gives."""
        return self.transforms[-1].codomain if self.transforms else self.base_dist.support

    def expand(self, batch_shape, _instance=None):
        return TransformedDistribution(
            self.base_dist.expand(batch_shape), self.transforms, self._validate_args
        )

    def sample(self, sample_shape=()):
        with modes.no_grad():
            return self._push(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=()):
        return self._push(self.base_dist.rsample(sample_shape))

    def _push(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        rank, total, y = len(self._event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            rank += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(
                transform.log_abs_det_jacobian(x, y), rank - transform.domain.event_dim
            )
            y = x
        base = self.base_dist
        return total + sum_rightmost(base.log_prob(y), rank - len(base.event_shape))

    def cdf(self, value):
        sign = 1
        for transform in reversed(self.transforms):
            sign, value = sign * transform.sign, transform.inv(value)
        below = self.base_dist.cdf(value)
        return below if isinstance(sign, int) and sign == 1 else sign * (below - 0.5) + 0.5

    def icdf(self, value):
        for transform in reversed(self.transforms):
            sign = transform.sign
            value = value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5
        value = self.base_dist.icdf(value)
        for transform in self.transforms:
            value = transform(value)
        return value


class LogNormal(TransformedDistribution):
    """The exponential of a normal variable.

    >>> import stateful as torch
    >>> torch.distributions.LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive  # type: ignore[assignment]

    def __init__(self, loc, scale, validate_args=None):
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    @property
    def loc(self):
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self):
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    def expand(self, batch_shape, _instance=None):
        base = self.base_dist.expand(batch_shape)
        return LogNormal(base.loc, base.scale, False)

    @property
    def mean(self):
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self):
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self):
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self):
        return self.base_dist.entropy() + self.loc


class HalfNormal(TransformedDistribution):
    """The absolute value of a normal variable of mean 0.

    >>> import stateful as torch
    >>> torch.distributions.HalfNormal(1.0).log_prob(torch.tensor(0.0))
    tensor(-0.2258)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative  # type: ignore[assignment]

    def __init__(self, scale, validate_args=None):
        super().__init__(Normal(0, scale, False), AbsTransform(), validate_args)

    @property
    def scale(self):
        """The standard deviation before the absolute value."""
        return self.base_dist.scale

    def expand(self, batch_shape, _instance=None):
        return HalfNormal(self.scale.expand(batch_shape), False)

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self):
        return self.scale * 0

    @property
    def variance(self):
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        found = self.base_dist.log_prob(value) + math.log(2)
        return found.masked_fill(value < 0, -math.inf)

    def cdf(self, value):
        return 2 * self.base_dist.cdf(value) - 1

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)


class MixtureSameFamily(Distribution):
    """A component of a batch, chosen by a `Categorical`.

    >>> import stateful as torch
    >>> weights = torch.distributions.Categorical(torch.tensor([0.25, 0.75]))
    >>> parts = torch.distributions.Normal(torch.tensor([0.0, 4.0]), torch.ones(2))
    >>> torch.distributions.MixtureSameFamily(weights, parts).mean
    tensor(3.)
    """

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an instance of "
                "torch.distributions.Categorical"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        batch, event = component_distribution.batch_shape[:-1], component_distribution.event_shape
        count = mixture_distribution.probs.shape[-1]
        if count != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` "
                f"({component_distribution.batch_shape[-1]})"
            )
        super().__init__(batch, event, validate_args)

    @property
    def mixture_distribution(self):
        """The distribution of the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self):
        """The components, a batch."""
        return self._component_distribution

    @property
    def support(self):  # type: ignore[override]
        """The support of the components."""
        return None

    def _weights(self):
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * len(self._event_shape)))

    @property
    def mean(self):
        dim = -1 - len(self._event_shape)
        return (self._weights() * self._component_distribution.mean).sum(dim)

    @property
    def variance(self):
        dim = -1 - len(self._event_shape)
        weights, parts = self._weights(), self._component_distribution
        within = (weights * parts.variance).sum(dim)
        return within + (weights * (parts.mean - self.mean.unsqueeze(dim)).pow(2.0)).sum(dim)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value = value.unsqueeze(-1 - len(self._event_shape))
        each = self._component_distribution.log_prob(value)
        return logsumexp(each + self._mixture_distribution.logits.log_softmax(-1), -1)

    def sample(self, sample_shape=()):
        with modes.no_grad():
            rank = len(sample_shape) + len(self._batch_shape)
            event = tuple(self._event_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *[1] * (len(event) + 1)))
            return drawn.gather(rank, index.expand((*chosen.shape, 1, *event))).squeeze(rank)

    def __repr__(self):
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
