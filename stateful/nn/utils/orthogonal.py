"""The parametrization `orthogonal`: a weight whose columns, or rows, are orthonormal.

With a base the weight is ``base @ Q``, and Q starts at the identity, so that any orthogonal matrix
can be assigned (trivialization: Lezcano-Casado, https://arxiv.org/abs/1909.09501).
"""

from __future__ import annotations

from typing import Any

from ... import modes
from ...creation import FACTORIES
from ...dtypes import finfo
from ...methods import FUNCTIONS
from ...sampling import SAMPLERS
from ..modules.module import Module
from . import parametrize

_torch, _linalg = FUNCTIONS["torch"], FUNCTIONS["linalg"]
_randn: Any = SAMPLERS["randn"]
MAPS = ("matrix_exp", "cayley", "householder")


def _is_orthogonal(matrix: Any) -> bool:
    rows, columns = matrix.shape[-2:]
    one = FACTORIES["eye"](columns, dtype=matrix.dtype)
    eps = 10 * rows * getattr(finfo(matrix.dtype), "eps")  # noqa: B009
    return bool(_torch["allclose"](matrix.mH @ matrix, one, atol=eps))


def _orthogonalized(matrix: Any) -> Any:
    """The Q of a QR decomposition whose R has a positive diagonal."""
    factors, tau = _torch["geqrf"](matrix)
    signs = factors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    return _linalg["householder_product"](factors, tau) * signs


class _Orthogonal(Module):
    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, use_trivialization: bool = True):
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        turned = X.size(-2) < X.size(-1)
        X = X.mT if turned else X
        Q = self._reflected(X) if self.orthogonal_map == "householder" else self._rotated(X)
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if turned else Q

    def _rotated(self, X: Any) -> Any:
        """Of the skew-symmetric matrix that ``X`` is the lower triangle of."""
        rows, columns = X.shape[-2:]
        X = X.tril()
        if rows != columns:
            rest = X.new_zeros(rows, rows - columns).expand(*X.shape[:-2], -1, -1)
            X = _torch["cat"]([X, rest], dim=-1)
        A = X - X.mH
        if self.orthogonal_map == "matrix_exp":
            Q = _linalg["matrix_exp"](A)
        else:
            one, add = FACTORIES["eye"](rows, dtype=A.dtype), _torch["add"]
            Q = _linalg["solve"](add(one, A, alpha=-0.5), add(one, A, alpha=0.5))
        return Q if rows == columns else Q[..., :columns]

    def _reflected(self, X: Any) -> Any:
        A = X.tril(diagonal=-1)
        tau = 2.0 / (1.0 + (A * A).sum(dim=-2))
        signs = X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        return _linalg["householder_product"](A, tau) * signs

    def right_inverse(self, Q: Any) -> Any:
        """What `forward` makes ``Q`` of; with a base, it is ``Q`` from now on."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {Q.shape}."
            )
        with modes.no_grad():
            turned = Q.size(-2) < Q.size(-1)
            wide = Q.mT if turned else Q
            if hasattr(self, "base"):
                self.base = self._completed(wide)
                start = FACTORIES["zeros_like"](Q)
                start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
                return start
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            factors, tau = _torch["geqrf"](wide)
            diagonal = factors.diagonal(dim1=-2, dim2=-1)
            diagonal.sign_()
            diagonal[tau == 0.0] *= -1
            return factors.mT if turned else factors

    @staticmethod
    def _completed(Q: Any) -> Any:
        """A square orthogonal matrix that starts with the columns of ``Q``."""
        rows, columns = Q.shape[-2:]
        if rows == columns:
            return Q.clone() if _is_orthogonal(Q) else _orthogonalized(Q)
        more = _randn(*Q.shape[:-2], rows, rows - columns, dtype=Q.dtype)
        return _orthogonalized(_torch["cat"]([Q, more], dim=-1))


def orthogonal(
    module: Any,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Any:
    """``module`` with an orthogonal matrix, or a batch of them, as the parameter ``name``.

    ``orthogonal_map``: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``, how it is made of a
    free matrix; by default the first of square and complex matrices and the last of others.

    >>> import stateful as torch
    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(4, 3))
    >>> torch.dist(layer.weight @ layer.weight.T, torch.eye(3)) < 1e-5
    tensor(True)
    """
    weight: Any = getattr(module, name, None)
    if not hasattr(weight, "requires_grad"):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    parametrize.register_parametrization(module, name, made, unsafe=True)
    return module
