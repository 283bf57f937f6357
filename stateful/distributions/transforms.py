"""Invertible functions with the logarithm of their derivative."""

from __future__ import annotations

import math
import weakref
from typing import Any

from ..creation import as_tensor
from . import constraints
from .functions import softplus, sum_rightmost, zeros_like


class Transform:
    """``y = t(x)``, ``x = t.inv(y)``, and ``t.log_abs_det_jacobian(x, y)``.

    A subclass defines `_call`, `_inverse` and `log_abs_det_jacobian`.

    >>> import stateful as torch
    >>> class Shift(torch.distributions.Transform):
    ...     def _call(self, x):
    ...         return x + 1
    >>> Shift()(torch.tensor([1.0]))
    tensor([2.])
    """

    bijective = False
    domain: Any = constraints.real
    codomain: Any = constraints.real
    sign: Any = 1

    def __init__(self, cache_size: int = 0):
        self._cache_size, self._inv = cache_size, None
        self._cached: tuple[Any, Any] = (None, None)

    @property
    def inv(self) -> Any:
        """The inverse transform."""
        inverse = None if self._inv is None else self._inv()
        if inverse is None:
            inverse = _Inverse(self)
            self._inv = weakref.ref(inverse)
        return inverse

    def with_cache(self, cache_size: int = 1) -> Any:
        """This transform, remembering the last pair if ``cache_size`` is 1."""
        self._cache_size = cache_size
        return self

    def __call__(self, x):
        if self._cache_size and x is self._cached[0]:
            return self._cached[1]
        y = self._call(x)
        self._cached = (x, y) if self._cache_size else (None, None)
        return y

    def _inv_call(self, y):
        if self._cache_size and y is self._cached[1]:
            return self._cached[0]
        x = self._inverse(y)
        self._cached = (x, y) if self._cache_size else (None, None)
        return x

    def _call(self, x) -> Any:
        raise NotImplementedError

    def _inverse(self, y) -> Any:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x, y) -> Any:
        """``log |dy / dx|``."""
        raise NotImplementedError

    def forward_shape(self, shape) -> Any:
        """The shape of ``y``."""
        return shape

    def inverse_shape(self, shape) -> Any:
        """The shape of ``x``."""
        return shape

    def __repr__(self):
        return f"{type(self).__name__}()"


class _Inverse(Transform):
    def __init__(self, transform: Transform):
        super().__init__()
        self._transform = transform
        self.bijective = transform.bijective
        self.domain, self.codomain = transform.codomain, transform.domain
        self.sign = transform.sign

    @property
    def inv(self):
        return self._transform

    def __call__(self, x):
        return self._transform._inv_call(x)

    def _inv_call(self, y):
        return self._transform(y)

    def log_abs_det_jacobian(self, x, y):
        return -self._transform.log_abs_det_jacobian(y, x)

    def __repr__(self):
        return f"{type(self).__name__.lstrip('_')}Transform({self._transform!r})"


class ComposeTransform(Transform):
    """One transform after another.

    >>> import stateful as torch
    >>> double = torch.distributions.AffineTransform(0.0, 2.0)
    >>> torch.distributions.ComposeTransform([double, double])(torch.tensor([1.0]))
    tensor([4.])
    """

    def __init__(self, parts, cache_size=0):
        super().__init__(cache_size)
        self.parts = list(parts)
        if self.parts:
            self.domain, self.codomain = self.parts[0].domain, self.parts[-1].codomain
        self.bijective = all(part.bijective for part in self.parts)

    @property
    def sign(self):  # type: ignore[override]
        return math.prod(part.sign for part in self.parts)

    def _call(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y):
        for part in reversed(self.parts):
            y = part._inv_call(y) if not isinstance(part, _Inverse) else part._transform(y)
        return y

    def log_abs_det_jacobian(self, x, y):
        if not self.parts:
            return zeros_like(x)
        rank = max(part.domain.event_dim for part in self.parts)
        total = 0.0
        for part in self.parts:
            after = part(x)
            total = total + sum_rightmost(
                part.log_abs_det_jacobian(x, after), rank - part.domain.event_dim
            )
            x = after
        return total

    def __repr__(self):
        inner = ",\n    ".join(map(repr, self.parts))
        return f"ComposeTransform(\n    {inner}\n)"


class ExpTransform(Transform):
    """``y = exp(x)``.

    >>> import stateful as torch
    >>> torch.distributions.ExpTransform().inv(torch.tensor([1.0]))
    tensor([0.])
    """

    bijective, codomain = True, constraints.positive

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class AffineTransform(Transform):
    """``y = loc + scale * x``.

    >>> import stateful as torch
    >>> t = torch.distributions.AffineTransform(1.0, 2.0)
    >>> x = torch.tensor([3.0])
    >>> t(x), t.inv(t(x)), t.log_abs_det_jacobian(x, t(x))
    (tensor([7.]), tensor([3.]), tensor([0.6931]))
    """

    bijective = True

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim
        if event_dim:
            self.domain = self.codomain = constraints.independent(constraints.real, event_dim)

    @property
    def sign(self):  # type: ignore[override]
        if isinstance(self.scale, int | float):
            return (self.scale > 0) - (self.scale < 0)
        return self.scale.sign()

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        if isinstance(self.scale, int | float):
            result = zeros_like(x) + math.log(abs(self.scale))
        else:
            result = self.scale.abs().log()
            result = result.expand(x.shape) if result.dim() <= x.dim() else result
        return sum_rightmost(result, self._event_dim)


class SigmoidTransform(Transform):
    """``y = 1 / (1 + exp(-x))``.

    >>> import stateful as torch
    >>> torch.distributions.SigmoidTransform()(torch.tensor([0.0]))
    tensor([0.5000])
    """

    bijective, codomain = True, constraints.unit_interval

    def _call(self, x):
        return x.sigmoid()

    def _inverse(self, y):
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """``y = log(1 + exp(x))``.

    >>> import stateful as torch
    >>> torch.distributions.SoftplusTransform()(torch.tensor([0.0]))
    tensor([0.6931])
    """

    bijective, codomain = True, constraints.positive

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class TanhTransform(Transform):
    """``y = tanh(x)``.

    >>> import stateful as torch
    >>> torch.distributions.TanhTransform()(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    bijective, codomain = True, constraints.interval(-1.0, 1.0)

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return y.atanh()

    def log_abs_det_jacobian(self, x, y):
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class PowerTransform(Transform):
    """``y = x ** exponent``, for positive ``x``.

    >>> import stateful as torch
    >>> torch.distributions.PowerTransform(torch.tensor(2.0))(torch.tensor([3.0]))
    tensor([9.])
    """

    bijective, domain, codomain = True, constraints.positive, constraints.positive

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size)
        self.exponent: Any = as_tensor(exponent)

    @property
    def sign(self):  # type: ignore[override]
        return self.exponent.sign()

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()


class AbsTransform(Transform):
    """``y = |x|``; not invertible.

    >>> import stateful as torch
    >>> torch.distributions.AbsTransform()(torch.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """

    codomain = constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class SoftmaxTransform(Transform):
    """``y = softmax(x)`` over the last dimension; invertible up to a constant.

    >>> import stateful as torch
    >>> torch.distributions.SoftmaxTransform()(torch.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        return (x - x.max(-1, True)[0]).softmax(-1)

    def _inverse(self, y):
        return y.log()


identity_transform = ComposeTransform([])
