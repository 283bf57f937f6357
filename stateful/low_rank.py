"""A few singular values or eigenvalues of a matrix: of the whole decomposition, the first ones.

PyTorch approximates them by iterations from random vectors, which options govern; the options are
accepted, and what they approximate is computed.
"""

from __future__ import annotations

from typing import Any

from . import linalg as _linalg
from .tensor import Tensor

linalg: Any = _linalg


def svd_lowrank(
    A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None
) -> tuple[Tensor, Tensor, Tensor]:
    """``U``, ``S``, ``V`` of the ``q`` largest singular values of ``A``, or of ``A - M``.

    Shapes ``(*, m, q)``, ``(*, q)``, ``(*, n, q)``.

    >>> import stateful as torch
    >>> torch.svd_lowrank(torch.diag(torch.tensor([3.0, 2.0, 1.0])), q=2)[1].round()
    tensor([3., 2.])
    """
    q = 6 if q is None else q
    U, S, Vh = linalg.svd(A if M is None else A - M, full_matrices=False)
    return U[..., :q], S[..., :q], Vh.mH[..., :q]


def pca_lowrank(
    A: Any, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """`svd_lowrank` of a matrix whose columns are first made to have the mean 0, if ``center``.

    ``q``: 6, or the smaller size. Raises ValueError if it is larger than that.

    >>> import stateful as torch
    >>> torch.pca_lowrank(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), q=1)[1]
    tensor([1.4142])
    """
    rows, columns = A.shape[-2:]
    q = min(6, rows, columns) if q is None else q
    if not 0 <= q <= min(rows, columns):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)="
            f"{min(rows, columns)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(dim=-2, keepdim=True) if center else A, q)


def lobpcg(
    A: Any, k: int | None = None, B: Any = None, X: Any = None, n: int | None = None,
    iK: Any = None, niter: int | None = None, tol: float | None = None,
    largest: bool | None = None, method: str | None = None, tracker: Any = None,
    ortho_iparams: Any = None, ortho_fparams: Any = None, ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The ``k`` largest (or smallest) eigenvalues of ``A x = lambda B x`` and their vectors.

    ``A``: symmetric, ``(*, m, m)``; ``B``: positive definite, the identity if None. ``k``: as many
    as ``X`` has columns, or 1. Shapes ``(*, k)`` and ``(*, m, k)``. Raises ValueError if ``3 k``
    is larger than ``m``.

    >>> import stateful as torch
    >>> torch.lobpcg(torch.diag(torch.tensor([3.0, 1.0, 2.0])), k=1)[0].round()
    tensor([3.])
    """
    size = A.shape[-1]
    if A.ndim < 2 or A.shape[-2] != size:
        raise RuntimeError(f"lobpcg: A must be batches of square matrices, but has {A.shape}")
    count: int = (1 if X is None else X.shape[-1]) if k is None else k
    wanted = count if n is None else n
    if size < 3 * wanted:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={size}) is smaller "
            f"than 3 x the number of requested eigen pairs (={wanted})"
        )
    symmetric = (A + A.mH) / 2
    if B is not None:
        lower = linalg.cholesky((B + B.mH) / 2)
        half = linalg.solve_triangular(lower, symmetric, upper=False)
        symmetric = linalg.solve_triangular(lower, half.mH, upper=False)
    values, vectors = linalg.eigh(symmetric)
    if B is not None:
        vectors = linalg.solve_triangular(lower.mH, vectors, upper=True)
    if largest is None or largest:
        values, vectors = values.flip(-1), vectors.flip(-1)
    return values[..., :count], vectors[..., :count]


LOW_RANK = {function.__name__: function for function in (svd_lowrank, pca_lowrank, lobpcg)}
