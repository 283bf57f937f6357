"""`Wishart`, a distribution of matrices, and `LowRankMultivariateNormal`."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..creation import FACTORIES
from ..methods import FUNCTIONS
from . import constraints
from .continuous import Chi2
from .distribution import Distribution
from .functions import (
    Tensor,
    broadcast_tensors,
    cholesky,
    eye,
    finfo,
    matmul,
    polygamma,
    randn,
    solve_triangular,
    standard_normal,
    where,
)
from .normal import check_matrix, lazy_property, mahalanobis, the_given, times_vector

_torch, _linalg = FUNCTIONS["torch"], FUNCTIONS["linalg"]
_MOST_TRIES = 10


def _log_diagonal(factor: Any) -> Any:
    """The sum of the logarithms of the diagonals."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _inverse(factor: Any) -> Any:
    """The inverse of the matrix with this lower factor."""
    one = eye(factor.shape[-1], dtype=factor.dtype).expand(factor.shape)
    inverse = solve_triangular(factor, one, upper=False)
    return matmul(inverse.mT, inverse)


class Wishart(Distribution):
    """Of ``df`` times the sample covariance of normal vectors of mean 0; ``df`` > size - 1.

    >>> import stateful as torch
    >>> torch.distributions.Wishart(torch.tensor(3.0), torch.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True

    @property
    def arg_constraints(self):  # type: ignore[override]
        """The degrees of freedom are restricted by the size."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None,
                 validate_args=None):  # fmt: skip
        name, matrix = the_given(
            AssertionError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )  # fmt: skip
        check_matrix(name, matrix)
        if not isinstance(df, Tensor):
            df = matrix.new_tensor(df)
        size = matrix.shape[-1]
        flat, _ = broadcast_tensors(df, matrix[..., 0, 0])
        batch = tuple(flat.shape)
        if (df <= size - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {size - 1}.")
        self._event_shape = matrix.shape[-2:]
        self.df = df.expand(batch)
        setattr(self, name, matrix.expand((*batch, size, size)))
        super().__init__(batch, (size, size), validate_args)
        if (self.df < size).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 "
                "< df < ndim.",
                stacklevel=2,
            )
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        else:
            lower = matrix if name == "covariance_matrix" else _inverse(cholesky(matrix))
            self._unbroadcasted_scale_tril = cholesky(lower)
        places = FACTORIES["arange"](size, dtype=matrix.dtype).expand((*batch, size))
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - places)

    def expand(self, batch_shape, _instance=None):
        size = self._event_shape
        factor = self.scale_tril.expand((*batch_shape, *size))
        return Wishart(self.df.expand(batch_shape), scale_tril=factor, validate_args=False)

    @lazy_property
    def scale_tril(self):
        """The lower factor of the covariance."""
        shape = (*self._batch_shape, *self._event_shape)
        return self._unbroadcasted_scale_tril.expand(shape)

    @lazy_property
    def covariance_matrix(self):
        """The covariance of the vectors."""
        factor = self._unbroadcasted_scale_tril
        return matmul(factor, factor.mT).expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        found = _inverse(self._unbroadcasted_scale_tril)
        return found.expand((*self._batch_shape, *self._event_shape))

    def _by_df(self, tensor: Any) -> Any:
        return tensor.view((*self._batch_shape, 1, 1))

    @property
    def mean(self):
        return self._by_df(self.df) * self.covariance_matrix

    @property
    def mode(self):
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        return self._by_df(where(factor <= 0, math.nan, factor)) * self.covariance_matrix

    @property
    def variance(self):
        matrix = self.covariance_matrix
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        crossed = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._by_df(self.df) * (matrix.pow(2) + crossed)

    def _bartlett(self, sample_shape: Any) -> Any:
        """A sample by Bartlett's decomposition; singular ones are possible."""
        size = self._event_shape[-1]
        eps = getattr(finfo(self.df.dtype), "eps")  # noqa: B009
        noise = self._dist_chi2.rsample(sample_shape).sqrt().clamp(min=eps).diag_embed()
        rows, columns = _torch["tril_indices"](size, size, offset=-1)
        shape = (*sample_shape, *self._batch_shape, size * (size - 1) // 2)
        noise[..., rows, columns] = randn(shape, dtype=noise.dtype)
        factor = matmul(self._unbroadcasted_scale_tril, noise)
        return matmul(factor, factor.mT)

    def rsample(self, sample_shape=(), max_try_correction=None):
        """A sample by Bartlett's decomposition, corrected at most ``max_try_correction`` times."""
        sample = self._bartlett(tuple(sample_shape))
        batch = [-(i + 1) for i in range(len(self._batch_shape))]

        def passes(matrices: Any) -> Any:
            found = self.support.check(matrices)
            return found.amax(batch) if batch else found

        again = passes(sample)  # PyTorch asks the wrong way round: what passes is drawn again
        if not again.any():
            return sample
        warnings.warn("Singular sample detected.", stacklevel=2)
        for _ in range(_MOST_TRIES if max_try_correction is None else max_try_correction):
            fresh = self._bartlett(tuple(again[again].shape))
            sample = sample.index_put((again,), fresh)
            failed = self.support.check(fresh).logical_not()
            again = again.masked_scatter(again, failed.amax(batch) if batch else failed)
            if not again.any():
                break
        return sample

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        df, size = self.df, self._event_shape[-1]
        constant = size * math.log(2) / 2 + _log_diagonal(self._unbroadcasted_scale_tril)
        solved = _torch["cholesky_solve"](value, self._unbroadcasted_scale_tril)
        return (
            -df * constant
            - _torch["mvlgamma"](df / 2, p=size)
            + (df - size - 1) / 2 * _linalg["slogdet"](value).logabsdet
            - solved.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
        )

    def entropy(self):
        df, size = self.df, self._event_shape[-1]
        constant = size * math.log(2) / 2 + _log_diagonal(self._unbroadcasted_scale_tril)
        places = FACTORIES["arange"](size, dtype=df.dtype).expand((*df.shape, size))
        halves = (df / 2).unsqueeze(-1) - places / 2
        digammas = polygamma(0, halves).sum(-1)
        return (
            (size + 1) * constant
            + _torch["mvlgamma"](df / 2, p=size)
            - (df - size - 1) / 2 * digammas
            + df * size / 2
        )


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors with covariance ``cov_factor cov_factor^T + cov_diag``.

    >>> import stateful as torch
    >>> factor, diagonal = torch.ones(2, 1), torch.ones(2)
    >>> normal = torch.distributions.LowRankMultivariateNormal(torch.zeros(2), factor, diagonal)
    >>> normal.covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if cov_factor.shape[-2:-1] != event:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
        if cov_diag.shape[-1:] != event:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {tuple(event)}")
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        loc_, diagonal = loc.unsqueeze(-1), cov_diag.unsqueeze(-1)
        try:
            loc_, self.cov_factor, diagonal = broadcast_tensors(loc_, cov_factor, diagonal)
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, "
                f"cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc_[..., 0], diagonal[..., 0]
        super().__init__(self.loc.shape[:-1], event, validate_args)
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        small = matmul(scaled, cov_factor).contiguous()
        self._capacitance_tril = cholesky(small + eye(small.shape[-1], dtype=small.dtype))

    def expand(self, batch_shape, _instance=None):
        shape = tuple(batch_shape)
        return LowRankMultivariateNormal(
            self.loc.expand((*shape, *self._event_shape)),
            self.cov_factor.expand((*shape, *self.cov_factor.shape[-2:])),
            self.cov_diag.expand((*shape, *self._event_shape)), False,
        )  # fmt: skip

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        factor, diagonal = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return (factor.pow(2).sum(-1) + diagonal).expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def covariance_matrix(self):
        """The covariance of the elements."""
        factor = self._unbroadcasted_cov_factor
        whole = matmul(factor, factor.mT) + self._unbroadcasted_cov_diag.diag_embed()
        return whole.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self):
        """The lower factor of the covariance."""
        return cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        return _inverse(self.scale_tril)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        narrow = (*shape[:-1], self.cov_factor.shape[-1])
        inner, outer = standard_normal(narrow, self.loc), standard_normal(shape, self.loc)
        moved = times_vector(self._unbroadcasted_cov_factor, inner)
        return self.loc + moved + self._unbroadcasted_cov_diag.sqrt() * outer

    def _log_determinant(self) -> Any:
        inner = _log_diagonal(self._capacitance_tril)
        return 2 * inner + self._unbroadcasted_cov_diag.log().sum(-1)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        difference, diagonal = value - self.loc, self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diagonal.unsqueeze(-2)
        whole = (difference.pow(2) / diagonal).sum(-1)
        distance = whole - mahalanobis(self._capacitance_tril, times_vector(scaled, difference))
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_determinant() + distance)

    def entropy(self):
        constant = self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        found = 0.5 * (constant + self._log_determinant())
        return found.expand(self._batch_shape) if self._batch_shape else found
