"""Distributions of counts and classes."""

from __future__ import annotations

import math
from typing import Any

from .. import modes
from . import constraints
from .distribution import Distribution, ExponentialFamily, lazy_property
from .draws import poisson_sample
from .functions import (
    binary_cross_entropy_with_logits,
    broadcast_all,
    broadcast_tensors,
    clamp_probs,
    finfo,
    full_like,
    one_hot,
    softplus,
    where,
    xlogy,
)


def _check_one(probs, logits) -> None:
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class _TwoWay(Distribution):
    """A probability, given as it is or as a log-odds ratio."""

    def _set(self, probs, logits):
        _check_one(probs, logits)
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        return probs if probs is not None else logits

    @property
    def _param(self) -> Any:
        return self.__dict__.get("probs", self.__dict__.get("logits"))

    @lazy_property
    def logits(self):
        """The logarithm of the odds."""
        safe = clamp_probs(self.probs)
        return safe.log() - (-safe).log1p()

    @lazy_property
    def probs(self):
        """The probability of 1."""
        return self.logits.sigmoid()


class Bernoulli(_TwoWay, ExponentialFamily):
    """1 with probability ``probs``, else 0.

    >>> import stateful as torch
    >>> torch.distributions.Bernoulli(0.25).log_prob(torch.tensor(1.0))
    tensor(-1.3863)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set(probs, logits)
        super().__init__(self._param.shape, (), validate_args)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        found = (self.probs >= 0.5).to(self.probs.dtype)
        return found.masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    @property
    def param_shape(self):
        """The shape of the parameter."""
        return self._param.size()

    def sample(self, sample_shape=()):
        with modes.no_grad():
            return self.probs.expand(self._extended_shape(sample_shape)).bernoulli()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        values = self._param.new_tensor([0.0, 1.0]).view(-1, *[1] * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values


class Geometric(_TwoWay):
    """The number of failures before the first success.

    >>> import stateful as torch
    >>> torch.distributions.Geometric(0.5).log_prob(torch.tensor(1.0))
    tensor(-1.3863)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set(probs, logits)
        super().__init__(self._param.shape, (), validate_args)

    @property
    def mean(self):
        return 1.0 / self.probs - 1.0

    @property
    def mode(self):
        return self.probs * 0

    @property
    def variance(self):
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape=()):
        with modes.no_grad():
            shape = self._extended_shape(sample_shape)
            noise = self.probs.new_empty(shape).uniform_(finfo(self.probs.dtype).tiny, 1)
            return (noise.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.clone()
        probs = probs.masked_fill((probs == 1) & (value == 0), 0)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self):
        return (
            binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
        )


class Binomial(_TwoWay):
    """The number of successes in ``total_count`` trials.

    >>> import stateful as torch
    >>> torch.distributions.Binomial(2, 0.5).log_prob(torch.tensor(1.0))
    tensor(-0.6931)
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval,
        "logits": constraints.real,
    }  # fmt: skip

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        _check_one(probs, logits)
        if probs is not None:
            self.total_count, self.probs = broadcast_all(total_count, probs)
        else:
            self.total_count, self.logits = broadcast_all(total_count, logits)
        self.total_count = self.total_count.type_as(self._param)
        super().__init__(self._param.shape, (), validate_args)

    @constraints.dependent_property(is_discrete=True)
    def support(self):  # type: ignore[override]
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        factorials = (
            (self.total_count + 1).lgamma() - (value + 1).lgamma()
            - (self.total_count - value + 1).lgamma()
        )  # fmt: skip
        # log(1 + exp(logits)), without overflow
        partition = self.logits.clamp(min=0) + (-self.logits.abs()).exp().log1p()
        return value * self.logits + factorials - self.total_count * partition


class Poisson(ExponentialFamily):
    """The number of events at a rate.

    >>> import stateful as torch
    >>> torch.distributions.Poisson(2.0).log_prob(torch.tensor(1.0))
    tensor(-1.3069)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate, validate_args=None):
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, (), validate_args)

    @property
    def mean(self):
        return self.rate

    @property
    def mode(self):
        return self.rate.floor()

    @property
    def variance(self):
        return self.rate

    def sample(self, sample_shape=()):
        with modes.no_grad():
            return poisson_sample(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return xlogy(value, rate) - rate - (value + 1).lgamma()


class Categorical(Distribution):
    """A class, by probabilities (normalized here) or unnormalized log-probabilities.

    >>> import stateful as torch
    >>> torch.distributions.Categorical(torch.tensor([1.0, 3.0])).probs
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        _check_one(probs, logits)
        given: Any = probs if logits is None else logits
        if given.dim() < 1:
            name = "probs" if logits is None else "logits"
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if logits is None:
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        self._num_events = given.size(-1)
        super().__init__(given.shape[:-1], (), validate_args)

    @property
    def _param(self) -> Any:
        return self.__dict__.get("probs", self.__dict__.get("logits"))

    @lazy_property
    def logits(self):
        """Log-probabilities."""
        return clamp_probs(self.probs).log()

    @lazy_property
    def probs(self):
        """Probabilities."""
        return self.logits.softmax(-1)

    @constraints.dependent_property(is_discrete=True)
    def support(self):  # type: ignore[override]
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def param_shape(self):
        """The shape of the parameter."""
        return self._param.size()

    @property
    def mean(self):
        return full_like(self.probs[..., 0], math.nan)

    @property
    def mode(self):
        return self.probs.argmax(-1)

    @property
    def variance(self):
        return full_like(self.probs[..., 0], math.nan)

    def sample(self, sample_shape=()):
        with modes.no_grad():
            flat = self.probs.reshape(-1, self._num_events)
            drawn = flat.multinomial(math.prod(sample_shape), True).T
            return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, log_pmf = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_pmf.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self):
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        values = full_like(self._param[..., 0], 0, dtype=None).new_tensor(
            list(range(self._num_events))
        ).long().view(-1, *[1] * len(self._batch_shape))  # fmt: skip
        return values.expand((-1, *self._batch_shape)) if expand else values


class OneHotCategorical(Distribution):
    """A class as a vector with one 1.

    >>> import stateful as torch
    >>> dice = torch.distributions.OneHotCategorical(torch.tensor([0.25, 0.75]))
    >>> dice.log_prob(torch.tensor([0.0, 1.0]))
    tensor(-0.2877)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._categorical = Categorical(probs, logits, False)
        super().__init__(
            self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args
        )

    @property
    def probs(self):
        """Probabilities."""
        return self._categorical.probs

    @property
    def logits(self):
        """Log-probabilities."""
        return self._categorical.logits

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return one_hot(self.probs.argmax(-1), self.probs.shape[-1]).to(self.probs.dtype)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        with modes.no_grad():
            drawn = self._categorical.sample(sample_shape)
            return one_hot(drawn, self._event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self):
        return self._categorical.entropy()

    def __repr__(self):
        return f"{type(self).__name__}()"


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` whose draws pass gradients on to the probabilities.

    >>> import stateful as torch
    >>> p = torch.tensor([0.25, 0.75], requires_grad=True)
    >>> draw = torch.distributions.OneHotCategoricalStraightThrough(p).rsample()
    >>> draw.requires_grad, draw.sum().item()
    (True, 1.0)
    """

    has_rsample = True

    def rsample(self, sample_shape=()):
        drawn = self.sample(sample_shape)
        return drawn + (self.probs - self.probs.detach())


class Multinomial(Distribution):
    """How often each class came in ``total_count`` draws.

    >>> import stateful as torch
    >>> counts = torch.distributions.Multinomial(2, torch.tensor([0.5, 0.5]))
    >>> counts.log_prob(torch.tensor([1.0, 1.0]))
    tensor(-0.6931)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        super().__init__(
            self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args
        )

    @property
    def probs(self):
        """Probabilities."""
        return self._categorical.probs

    @property
    def logits(self):
        """Log-probabilities."""
        return self._categorical.logits

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        with modes.no_grad():
            drawn = self._categorical.sample((self.total_count, *sample_shape))
            counts = one_hot(drawn, self._event_shape[0]).sum(0)
            return counts.to(self.probs.dtype)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = where((value == 0) & (logits == -math.inf), 0.0, logits)
        return (
            (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)
        )

    def __repr__(self):
        return f"{type(self).__name__}()"


class NegativeBinomial(_TwoWay):
    """The number of successes before ``total_count`` failures.

    >>> import stateful as torch
    >>> torch.distributions.NegativeBinomial(2.0, 0.5).log_prob(torch.tensor(1.0))
    tensor(-1.3863)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0), "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        _check_one(probs, logits)
        if probs is not None:
            self.total_count, self.probs = broadcast_all(total_count, probs)
        else:
            self.total_count, self.logits = broadcast_all(total_count, logits)
        self.total_count = self.total_count.type_as(self._param)
        super().__init__(self._param.shape, (), validate_args)

    @property
    def mean(self):
        return self.total_count * self.logits.exp()

    @property
    def variance(self):
        return self.mean / (-self.logits).sigmoid()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        unnormalized = self.total_count * -softplus(self.logits) - value * softplus(-self.logits)
        normalizer = (
            -(self.total_count + value).lgamma()
            + (1.0 + value).lgamma()
            + self.total_count.lgamma()
        )
        normalizer = normalizer.masked_fill(self.total_count + value == 0.0, 0.0)
        return unnormalized - normalizer
