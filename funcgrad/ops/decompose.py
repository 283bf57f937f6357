"""Cholesky, QR, eigenvalues and singular values of matrices.

The formulas are those of ``torch/csrc/autograd/FunctionsManual.cpp``. Where two eigenvalues or
singular values are equal, their vectors have no derivative: PyTorch's gradient is inf or nan there,
unless nobody uses the vectors. A formula must be linear and cannot look whether a gradient is zero,
so here these vectors get no gradient at all.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..op import op
from .arithmetic import ratio
from .complexes import is_complex
from .creation import tril, triu
from .index import zeros_of
from .join import cat
from .matmul import matmul
from .places import diag_embed, diagonal
from .shape import mH
from .slicing import narrow
from .solve import check_matrix, check_square, linalg_solve_triangular, raise_if_failed
from .view import unsqueeze


@op("_with_diagonal", grad_fn="CopySlices", face="private",
    vjp=dict(self=lambda grad: grad - diag_embed(diagonal(grad, 0, -2, -1)),
             values=lambda grad: diagonal(grad, 0, -2, -1)))  # fmt: skip
def _with_diagonal(self, values):
    """Matrices with other numbers on their diagonals: what PyTorch writes in place."""
    return jnp.where(jnp.eye(self.shape[-1], dtype=bool), values[..., None], self)


@op("_with_ones", grad_fn="CopySlices", face="private",
    vjp=dict(self=lambda grad: grad - diag_embed(diagonal(grad, 0, -2, -1))))  # fmt: skip
def _with_ones(self):
    """Matrices with ones on their diagonals."""
    return jnp.where(jnp.eye(self.shape[-1], dtype=bool), 1, self)


@op("_with_half", grad_fn="CopySlices", face="private",
    vjp=dict(self=lambda grad: _with_half(grad)))  # fmt: skip
def _with_half(self):
    """Matrices with half their diagonals."""
    return jnp.where(jnp.eye(self.shape[-1], dtype=bool), self / 2, self)


def _differences(values):
    """``values[j] - values[i]`` in row i and column j."""
    return unsqueeze(values, -2) - unsqueeze(values, -1)


def _nothing(A):
    """What ATen returns for vectors that were not asked for."""
    return jnp.zeros(0, A.dtype)


def _check_vectors(vectors, name: str):
    if vectors.ndim < 2:
        raise RuntimeError(
            f"The derivative of {name} depends on the vectors, which were not computed. "
            "Ask for them"
        )


# -- Cholesky --------------------------------------------------------------------------------------


def _cholesky_self(grad_L, L, upper):
    factor, grad = (mH(L), mH(grad_L)) if upper else (L, grad_L)
    half = tril(matmul(mH(factor), grad))
    both = (half + mH(tril(half, -1))) * 0.5
    both = linalg_solve_triangular(mH(factor), both, upper=True)
    return linalg_solve_triangular(factor, both, upper=False, left=False)


@op("linalg_cholesky_ex", grad_fn="LinalgCholeskyExBackward0", face="private",
    outputs=("L", "info"), vjp=dict(self=_cholesky_self))  # fmt: skip
def linalg_cholesky_ex(self, *, upper: bool = False, check_errors: bool = False):
    """The triangular factor, and 1 where the matrix is not positive-definite."""
    check_square(self, "linalg.cholesky")
    source = jnp.swapaxes(self, -1, -2).conj() if upper else self
    factor = lax.linalg.cholesky(source, symmetrize_input=False)
    failed = jnp.isnan(factor).any((-2, -1)).astype(jnp.int32)
    return jnp.swapaxes(factor, -1, -2).conj() if upper else factor, failed


@composite(face="linalg")
def cholesky(A, *, upper=False):
    """The lower triangular ``L`` with ``A = L L^H``, or its adjoint.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.cholesky(4 * jnp.eye(2))
    Array([[2., 0.],
           [0., 2.]], dtype=float32)
    """
    factor, info = linalg_cholesky_ex(A, upper=upper)
    raise_if_failed(
        info, "linalg.cholesky: The factorization could not be completed because the input is not "
        "positive-definite."
    )  # fmt: skip
    return factor


@op("cholesky", grad_fn="CholeskyBackward0", face="private",
    vjp=dict(self=lambda grad, result, upper: _cholesky_self(grad, result, upper)))  # fmt: skip
def cholesky_factor(self, upper: bool = False):
    """The triangular factor alone: the older name."""
    return linalg_cholesky_ex.fn(self, upper=upper)[0]


# -- QR --------------------------------------------------------------------------------------------


def _qr_inner(Q, R, grad_Q, grad_R):
    if grad_Q is None:
        return matmul(grad_R, mH(R))
    if grad_R is None:
        return -matmul(mH(Q), grad_Q)
    return matmul(grad_R, mH(R)) - matmul(mH(Q), grad_Q)


def _qr_tall(Q, R, grad_Q, grad_R):
    upper = triu(_qr_inner(Q, R, grad_Q, grad_R))
    whole = matmul(Q, _with_half(upper + mH(upper)))
    whole = whole if grad_Q is None else whole + grad_Q
    return linalg_solve_triangular(mH(R), whole, upper=False, left=False)


def _qr_wide(Q, R, grad_Q, grad_R):
    rows, columns = Q.shape[-2], R.shape[-1]
    inner = -_qr_inner(Q, R, grad_Q, grad_R)
    turned = tril(inner - mH(inner))
    whole = matmul(Q, _with_half(turned) if is_complex(Q) else turned)
    square = linalg_solve_triangular(mH(narrow(R, -1, 0, rows)), whole, upper=False, left=False)
    rest = zeros_of(square, (*square.shape[:-1], columns - rows))
    whole = cat([square, rest], -1)
    return whole if grad_R is None else whole + matmul(Q, grad_R)


def _qr_A(Q, R, mode, grad_Q=None, grad_R=None):
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
            "Use mode='reduced'"
        )
    rows, columns = Q.shape[-2], R.shape[-1]
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols. "
            "Use mode='reduced'"
        )
    return (_qr_tall if rows >= columns else _qr_wide)(Q, R, grad_Q, grad_R)


@op("linalg_qr", grad_fn="LinalgQrBackward0", face="private", outputs=("Q", "R"),
    vjp=dict(A=_qr_A))  # fmt: skip
def linalg_qr(A, mode: str = "reduced"):
    """``A = Q R`` with orthonormal columns in Q and a triangular R."""
    check_matrix(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    if mode == "r":
        return jnp.zeros((0,), A.dtype), jnp.linalg.qr(A, mode="r")
    return tuple(jnp.linalg.qr(A, mode=mode))


@composite(face="linalg")
def qr(A, mode="reduced"):
    """``A = Q R`` with orthonormal columns in Q and a triangular R.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.linalg.qr(jnp.ones((3, 2)))]
    [(3, 2), (2, 2)]
    """
    return linalg_qr(A, mode)


# -- eigenvalues of Hermitian matrices -------------------------------------------------------------


def eigenvector_terms(turned, eigenvalues, grad_eigenvalues):
    """What the vectors give off the diagonal, and the values on it."""
    inner = ratio(turned, _with_ones(_differences(eigenvalues)))
    return inner if grad_eigenvalues is None else _with_diagonal(inner, grad_eigenvalues)


def _eigh_A(eigenvalues, eigenvectors, grad_eigenvalues=None, grad_eigenvectors=None):
    _check_vectors(eigenvectors, "linalg.eigh")
    V = eigenvectors
    if grad_eigenvectors is None:
        return matmul(V * unsqueeze(grad_eigenvalues, -2), mH(V))
    turned = matmul(mH(V), grad_eigenvectors)
    turned = (turned - mH(turned)) * 0.5  # the matrix stays Hermitian, the vectors orthonormal
    inner = eigenvector_terms(turned, eigenvalues, grad_eigenvalues)
    return matmul(V, matmul(inner, mH(V)))


@op("_linalg_eigh", grad_fn="LinalgEighBackward0", face="private",
    outputs=("eigenvalues", "eigenvectors"), vjp=dict(A=_eigh_A))  # fmt: skip
def linalg_eigh(A, UPLO: str = "L", compute_v: bool = True):
    """Eigenvalues, smallest first, and eigenvectors of a Hermitian matrix."""
    check_square(A, "linalg.eigh")
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    if not compute_v:
        return jnp.linalg.eigvalsh(A, UPLO=UPLO.upper(), symmetrize_input=False), _nothing(A)
    return tuple(jnp.linalg.eigh(A, UPLO=UPLO.upper(), symmetrize_input=False))


@composite(face="linalg")
def eigh(A, UPLO="L"):
    """Eigenvalues, smallest first, and eigenvectors of a Hermitian matrix; one half of it is read.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.eigh(jnp.eye(2))[0]
    Array([1., 1.], dtype=float32)
    """
    return linalg_eigh(A, UPLO)


@composite(face="linalg")
def eigvalsh(A, UPLO="L"):
    """Eigenvalues of a Hermitian matrix, smallest first.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.eigvalsh(jnp.eye(2))
    Array([1., 1.], dtype=float32)
    """
    return linalg_eigh(A, UPLO)[0]


# -- singular values -------------------------------------------------------------------------------


def _skew(x):
    return x - mH(x)


def _svd_vectors(U, S, Vh, grad_U, grad_Vh):
    """What the gradients of the singular vectors give off the diagonal."""
    of_U = None if grad_U is None else _skew(matmul(mH(U), grad_U))
    of_V = None if grad_Vh is None else _skew(matmul(Vh, mH(grad_Vh)))
    differences = _with_ones(_differences(S * S))
    row, column = unsqueeze(S, -2), unsqueeze(S, -1)
    if of_V is None:
        return ratio(of_U, differences) * row, None
    if of_U is None:
        return column * ratio(of_V, differences), None
    inner = ratio(of_U * row + column * of_V, differences)
    return inner, ratio(diagonal(of_U, 0, -2, -1), 2.0 * S) if is_complex(U) else None


def _svd_A(U, S, Vh, full_matrices, grad_U=None, grad_S=None, grad_Vh=None):
    _check_vectors(U, "linalg.svd")
    rank = S.shape[-1]
    if full_matrices:
        grad_U = None if grad_U is None else narrow(grad_U, -1, 0, rank)
        grad_Vh = None if grad_Vh is None else narrow(grad_Vh, -2, 0, rank)
        U, Vh = narrow(U, -1, 0, rank), narrow(Vh, -2, 0, rank)
    rows, columns = U.shape[-2], Vh.shape[-1]
    if grad_U is None and grad_Vh is None:
        if rows >= columns:
            return matmul(U, unsqueeze(grad_S, -1) * Vh)
        return matmul(U * unsqueeze(grad_S, -2), Vh)
    inner, phase = _svd_vectors(U, S, Vh, grad_U, grad_Vh)
    inner = inner if grad_S is None else inner + diag_embed(grad_S)
    inner = inner if phase is None else inner + diag_embed(phase)
    if rows > rank and grad_U is not None:
        outside = ratio(grad_U, unsqueeze(S, -2))
        left = matmul(U, inner) + outside - matmul(U, matmul(mH(U), outside))
        return matmul(left, Vh)
    if columns > rank and grad_Vh is not None:
        outside = ratio(grad_Vh, unsqueeze(S, -1))
        right = matmul(inner, Vh) + outside - matmul(matmul(outside, mH(Vh)), Vh)
        return matmul(U, right)
    return matmul(U, matmul(inner, Vh)) if rows >= columns else matmul(matmul(U, inner), Vh)


@op("_linalg_svd", grad_fn="LinalgSvdBackward0", face="private", outputs=("U", "S", "Vh"),
    vjp=dict(A=_svd_A))  # fmt: skip
def linalg_svd(
    A, full_matrices: bool = False, compute_uv: bool = True, *, driver: str | None = None
):
    """``A = U diag(S) Vh`` with the singular values S, largest first."""
    check_matrix(A, "linalg.svd")
    if not compute_uv:
        return _nothing(A), jnp.linalg.svd(A, compute_uv=False), _nothing(A)
    return tuple(jnp.linalg.svd(A, full_matrices=full_matrices))


@composite(face="linalg")
def svd(A, full_matrices=True, *, driver=None):
    """``A = U diag(S) Vh`` with the singular values S, largest first.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.linalg.svd(jnp.ones((3, 2)), full_matrices=False)]
    [(3, 2), (2,), (2, 2)]
    """
    return linalg_svd(A, full_matrices)


@composite(face="linalg")
def svdvals(A, *, driver=None):
    """The singular values of a matrix, largest first.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.svdvals(jnp.eye(2))
    Array([1., 1.], dtype=float32)
    """
    return linalg_svd(A)[1]
