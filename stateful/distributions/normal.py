"""`Normal` and `MultivariateNormal`."""

from __future__ import annotations

import math
from typing import Any

from . import constraints
from .distribution import Distribution, ExponentialFamily, lazy_property
from .functions import (
    HALF_LOG_2PI,
    broadcast_all,
    broadcast_tensors,
    cholesky,
    eye,
    matmul,
    solve_triangular,
    standard_normal,
)


class Normal(ExponentialFamily):
    """The normal distribution with mean ``loc`` and standard deviation ``scale``.

    >>> import stateful as torch
    >>> torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(0.0))
    tensor(-0.9189)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, (), validate_args)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def stddev(self):
        return self.scale

    @property
    def variance(self):
        return self.stddev.pow(2)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        return self.loc + standard_normal(shape, self.loc) * self.scale

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        variance = self.scale**2
        return -((value - self.loc) ** 2) / (2 * variance) - self.scale.log() - HALF_LOG_2PI

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value):
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self):
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


def times_vector(matrix, vector):
    """Products of a batch of matrices and a batch of vectors."""
    return matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def _from_precision(precision):
    """The lower factor of the inverse, from the factor of the matrix read backwards."""
    backwards = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    one = eye(precision.shape[-1], dtype=precision.dtype).expand(precision.shape)
    return solve_triangular(backwards, one, upper=False)


def the_given(error: type[Exception], **matrices: Any) -> tuple[str, Any]:
    """The one of ``matrices`` that was given, with its name; raises ``error`` if not just one."""
    given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
    if len(given) != 1:
        raise error(f"Exactly one of {' or '.join(matrices)} may be specified.")
    return given[0]


def check_matrix(name: str, matrix: Any) -> None:
    """Raise ValueError if a parameter is no matrix, or batch of them."""
    if matrix.dim() < 2:
        raise ValueError(
            f"{name} must be at least two-dimensional, with optional leading batch dimensions"
        )


class MultivariateNormal(Distribution):
    """The normal distribution of vectors, by covariance, precision or a lower factor of one.

    >>> import stateful as torch
    >>> normal = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    >>> normal.log_prob(torch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None,
                 validate_args=None):  # fmt: skip
        name, matrix = the_given(
            ValueError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )  # fmt: skip
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        check_matrix(name, matrix)
        size = loc.shape[-1]
        rows, _ = broadcast_tensors(loc, matrix[..., 0])
        batch = tuple(rows.shape[:-1])
        self.loc = loc.expand((*batch, size))
        matrix = matrix.expand((*batch, size, size))
        setattr(self, name, matrix)
        super().__init__(batch, (size,), validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = _from_precision(matrix)

    @lazy_property
    def scale_tril(self):
        """The lower factor of the covariance."""
        return self._unbroadcasted_scale_tril

    @lazy_property
    def covariance_matrix(self):
        """The covariance of the elements."""
        factor = self._unbroadcasted_scale_tril
        return matmul(factor, factor.mT)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        factor = self._unbroadcasted_scale_tril
        one = eye(factor.shape[-1], dtype=factor.dtype).expand(factor.shape)
        inverse = solve_triangular(factor, one, upper=False)
        return matmul(inverse.mT, inverse)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._extended_shape())

    def rsample(self, sample_shape=()):
        noise = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + times_vector(self._unbroadcasted_scale_tril, noise)

    def _half_log_det(self):
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - self._half_log_det()

    def entropy(self):
        constant = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return (constant + self._half_log_det()).expand(self._batch_shape)


def mahalanobis(factor, difference):
    """The squared length of ``difference`` in the metric of the inverse of ``factor factor^T``."""
    whitened = solve_triangular(factor, difference.unsqueeze(-1), upper=False)
    return whitened.squeeze(-1).pow(2).sum(-1)
