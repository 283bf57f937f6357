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
from .choose import where
from .compare import eq
from .creation import ones_like, tril, zeros_like
from .join import cat
from .matmul import matmul
from .places import diag_embed, diagonal
from .shape import mH
from .slicing import narrow
from .solve import check_matrix, check_square, linalg_solve_triangular, raise_if_failed
from .view import unsqueeze


def _ratio(x, y):
    """``x / y``, and 0 where ``y`` is 0."""
    nothing = eq(y, 0)
    return where(nothing, zeros_like(x), x / where(nothing, ones_like(y), y))


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


def _qr_tall(grad_Q, grad_R, Q, R):
    inner = matmul(R, mH(grad_R)) - matmul(mH(grad_Q), Q)
    below = tril(inner, -1)
    middle = diagonal(inner, 0, -2, -1)
    symmetric = below + mH(below) + diag_embed((middle + middle.conj()) * 0.5)
    whole = grad_Q + matmul(Q, symmetric)
    return linalg_solve_triangular(mH(R), whole, upper=False, left=False)


def _qr_A(grad_Q, grad_R, Q, R, mode):
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
    if rows >= columns:
        return _qr_tall(grad_Q, grad_R, Q, R)
    rest = matmul(Q, narrow(R, -1, rows, columns - rows))
    grad_rest = narrow(grad_R, -1, rows, columns - rows)
    grad_Q = grad_Q + matmul(rest, mH(grad_rest))
    left = _qr_tall(grad_Q, narrow(grad_R, -1, 0, rows), Q, narrow(R, -1, 0, rows))
    return cat([left, matmul(Q, grad_rest)], -1)


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


def _eigh_A(grad_eigenvalues, grad_eigenvectors, eigenvalues, eigenvectors):
    _check_vectors(eigenvectors, "linalg.eigh")
    turned = matmul(mH(eigenvectors), grad_eigenvectors)
    turned = (turned - mH(turned)) * 0.5  # the matrix stays Hermitian, the vectors orthonormal
    off_diagonal = turned - diag_embed(diagonal(turned, 0, -2, -1))
    inner = _ratio(off_diagonal, _differences(eigenvalues)) + diag_embed(grad_eigenvalues)
    return matmul(eigenvectors, matmul(inner, mH(eigenvectors)))


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


def _svd_A(grad_U, grad_S, grad_Vh, U, S, Vh, full_matrices):
    _check_vectors(U, "linalg.svd")
    rank = S.shape[-1]
    if full_matrices:
        U, grad_U = narrow(U, -1, 0, rank), narrow(grad_U, -1, 0, rank)
        Vh, grad_Vh = narrow(Vh, -2, 0, rank), narrow(grad_Vh, -2, 0, rank)
    of_U, of_V = matmul(mH(U), grad_U), matmul(Vh, mH(grad_Vh))
    of_U, of_V = of_U - mH(of_U), of_V - mH(of_V)
    column, row = unsqueeze(S, -1), unsqueeze(S, -2)
    phase = diagonal(of_U, 0, -2, -1)
    numerator = of_U * row + column * of_V
    numerator = numerator - diag_embed(diagonal(numerator, 0, -2, -1))
    inner = _ratio(numerator, _differences(S * S)) + diag_embed(_ratio(phase, 2 * S) + grad_S)
    whole = matmul(matmul(U, inner), Vh)
    if U.shape[-2] > rank:
        outside = _ratio(grad_U - matmul(U, matmul(mH(U), grad_U)), row)
        whole = whole + matmul(outside, Vh)
    if Vh.shape[-1] > rank:
        outside = _ratio(grad_Vh - matmul(matmul(grad_Vh, mH(Vh)), Vh), column)
        whole = whole + matmul(U, outside)
    return whole


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
