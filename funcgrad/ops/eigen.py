"""Eigenvalues of any square matrix, and functions of matrices."""

from __future__ import annotations

import jax.numpy as jnp
from jax.scipy import linalg as jsl

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import dtype as as_dtype
from .choose import where
from .complexes import real
from .decompose import eigenvector_terms, svdvals
from .extrema import amax
from .matmul import matmul
from .matrix import linalg_norm
from .places import diagonal
from .shape import mH
from .slicing import narrow
from .solve import check_matrix, check_square, inv, linalg_solve_ex
from .view import unsqueeze

# -- eigenvalues -----------------------------------------------------------------------------------


def _eig_self(eigenvalues, eigenvectors, grad_eigenvalues=None, grad_eigenvectors=None):
    """The formula of ATen's `linalg_eig_backward`; the vectors keep their length."""
    V, L = eigenvectors, eigenvalues
    if grad_eigenvectors is None:
        return linalg_solve_ex(mH(V), unsqueeze(grad_eigenvalues, -1) * mH(V))[0]
    inner = matmul(mH(V), grad_eigenvectors)
    lengths = real(diagonal(inner, 0, -2, -1))
    inner = inner - matmul(mH(V), V * unsqueeze(lengths, -2))
    inner = eigenvector_terms(inner, L.conj(), grad_eigenvalues)
    return linalg_solve_ex(mH(V), matmul(inner, mH(V)))[0]


@op("linalg_eig", grad_fn="LinalgEigBackward0", face="private",
    outputs=("eigenvalues", "eigenvectors"), vjp=dict(self=_eig_self))  # fmt: skip
def linalg_eig(self):
    """Complex eigenvalues, in LAPACK's order, and eigenvectors of length 1."""
    check_square(self, "linalg.eig")
    return tuple(jnp.linalg.eig(self))


@composite(face="linalg")
def eig(A):
    """Complex eigenvalues and eigenvectors of a square matrix. On the CPU only, as in JAX.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.eig(jnp.array([[0.0, 1.0], [-1.0, 0.0]]))[0]
    Array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    return linalg_eig(A)


@composite(face="linalg")
def eigvals(A):
    """Complex eigenvalues of a square matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.eigvals(jnp.array([[0.0, 1.0], [-1.0, 0.0]]))
    Array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    return linalg_eig(A)[0]


# -- the exponential -------------------------------------------------------------------------------


@op("linalg_matrix_exp", grad_fn="LinalgMatrixExpBackward0", face="private",
    vjp=derived("self"))  # fmt: skip
def linalg_matrix_exp(self):
    """The exponential of a matrix."""
    check_square(self, "linalg.matrix_exp")
    return jsl.expm(self) if self.size else self


@composite(face="linalg")
def matrix_exp(A):
    """The exponential of a square matrix, ``I + A + A @ A / 2 + ...``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.matrix_exp(jnp.zeros((2, 2)))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return linalg_matrix_exp(A)


# -- how regular a matrix is -----------------------------------------------------------------------


@composite(face="linalg")
def matrix_rank(A, tol=None, *, atol=None, rtol=None, hermitian=False):
    """How many singular values are above ``max(atol, rtol * largest)``.

    ``rtol`` is the larger side times the precision of the dtype, or 0 if ``atol`` is given.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.matrix_rank(jnp.ones((3, 3)))
    Array(1, dtype=int32)
    """
    check_matrix(A, "linalg.matrix_rank")
    atol, rtol = (tol, 0.0) if tol is not None else (atol, rtol)
    if rtol is None:
        eps = float(jnp.finfo(types.to_real(as_dtype(A.dtype))).eps)
        rtol = eps * max(A.shape[-2:]) if atol is None else 0.0
    values = svdvals(A)
    bound = amax(values, (-1,), True) * _column(rtol)
    if atol is not None:
        bound = where(bound > _column(atol), bound, _column(atol))
    return (values > bound).sum(-1)


def _column(tolerance):
    """One tolerance for each matrix of a batch."""
    return unsqueeze(tolerance, -1) if getattr(tolerance, "ndim", 0) else tolerance


@composite(face="linalg")
def cond(A, p=None):
    """The condition number: the largest over the smallest singular value, or by another norm.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.cond(jnp.array([[4.0, 0.0], [0.0, 2.0]]))
    Array(2., dtype=float32)
    """
    check_matrix(A, "linalg.cond")
    if p in (None, 2, -2):
        values = svdvals(A)
        largest, smallest = narrow(values, -1, 0, 1), narrow(values, -1, values.shape[-1] - 1, 1)
        ratio = smallest / largest if p == -2 else largest / smallest
        return ratio.squeeze(-1)
    check_square(A, "linalg.cond")
    return linalg_norm(A, p, (-2, -1)) * linalg_norm(inv(A), p, (-2, -1))
