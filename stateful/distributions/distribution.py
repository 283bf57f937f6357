"""`Distribution`: shapes, checks of arguments, and what every distribution can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import modes
from . import constraints
from .functions import Size, Tensor, is_traced


class lazy_property:
    """A property that is computed once, with gradients, and then kept as an attribute.

    >>> from stateful.distributions.distribution import lazy_property
    >>> class Circle:
    ...     @lazy_property
    ...     def area(self):
    ...         print("computed")
    ...         return 3.14
    >>> circle = Circle()
    >>> circle.area, circle.area
    computed
    (3.14, 3.14)
    """

    def __init__(self, wrapped):
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance, owner=None) -> Any:
        if instance is None:
            return self
        with modes.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class Distribution:
    """A family of random variables: a batch of independent ones, each with events of one shape.

    ``arg_constraints`` maps the names of parameters to what they may be; ``support`` is what a
    value may be. Both are checked unless ``validate_args`` is False, and except while a function is
    traced. Raises ValueError for a parameter or a value outside.

    >>> import stateful as torch
    >>> class Zero(torch.distributions.Distribution):
    ...     arg_constraints = {}
    ...     def sample(self, sample_shape=()):
    ...         return torch.zeros(sample_shape)
    >>> Zero().sample((2,))
    tensor([0., 0.])
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = True
    arg_constraints: Any = {}
    support: Any = None

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether arguments are checked where ``validate_args`` is not given."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args takes a bool, not {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args: bool | None = None):
        self._batch_shape: Any = Size(batch_shape)
        self._event_shape: Any = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name), lazy_property):
                continue
            value = getattr(self, name)
            if isinstance(value, Tensor) and not is_traced(value):
                self._refuse(
                    constraint, value, f"Expected parameter {name} (Tensor of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}",
                )  # fmt: skip

    @staticmethod
    def _refuse(constraint: Any, value: Any, sentence: str) -> None:
        with modes.no_grad():
            valid = constraint.check(value)
        if not valid.all():
            raise ValueError(f"{sentence}, but found invalid values:\n{value.detach()}")

    # -- shapes ----------------------------------------------------------------------------------

    @property
    def batch_shape(self) -> Any:
        """The shape over which the parameters differ."""
        return self._batch_shape

    @property
    def event_shape(self) -> Any:
        """The shape of one draw of one member of the batch."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Iterable[int] = ()) -> Any:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def expand(self, batch_shape, _instance=None) -> Any:
        """The same distribution with its parameters broadcast to another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        rank = len(self._batch_shape)
        for name, value in self.__dict__.items():
            if isinstance(value, Tensor):
                value = value.expand((*batch_shape, *value.shape[rank:]))
            elif isinstance(value, Distribution):
                value = value.expand((*batch_shape, *value.batch_shape[rank:]))
            new.__dict__[name] = value
        new._batch_shape = Size(batch_shape)
        return new

    # -- to be defined ---------------------------------------------------------------------------

    @property
    def mean(self) -> Any:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """The most likely value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Any:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape=()) -> Any:
        """Draws, without a gradient."""
        with modes.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()) -> Any:
        """Draws that are a differentiable function of the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Any:
        """``sample((n,))``."""
        return self.sample((n,))

    def log_prob(self, value) -> Any:
        """The logarithm of the density, or of the probability, at ``value``."""
        raise NotImplementedError

    def cdf(self, value) -> Any:
        """The probability of at most ``value``."""
        raise NotImplementedError

    def icdf(self, value) -> Any:
        """The inverse of `cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values of a discrete distribution."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """The entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Any:
        """``exp(entropy())``."""
        return self.entropy().exp()

    # -- helpers ---------------------------------------------------------------------------------

    def _validate_sample(self, value) -> None:
        """Raises ValueError unless ``value`` has a fitting shape and is in the support."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        event = len(self._event_shape)
        if event and tuple(value.shape[value.dim() - event :]) != tuple(self._event_shape):
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        wanted = tuple(self._batch_shape) + tuple(self._event_shape)
        for have, want in zip(reversed(value.shape), reversed(wanted), strict=False):
            if have != 1 and want != 1 and have != want:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.shape} vs {Size(wanted)}."
                )
        if self.support is not None and not is_traced(value):
            self._refuse(
                self.support, value, f"Expected value argument (Tensor of shape "
                f"{tuple(value.shape)}) to be within the support ({self.support!r}) of the "
                f"distribution {self!r}",
            )  # fmt: skip

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """A distribution of an exponential family.

    >>> import stateful as torch
    >>> isinstance(torch.distributions.Normal(0.0, 1.0), torch.distributions.ExponentialFamily)
    True
    """
