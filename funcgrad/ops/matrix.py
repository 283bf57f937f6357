"""Norms, powers and the pseudoinverse of matrices."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..composite import composite
from ..op import op
from .creation import ones_like
from .decompose import svdvals
from .dims import wrap_dims
from .extrema import amax, amin
from .matmul import matmul
from .norm import linalg_vector_norm
from .places import diag_embed, diagonal
from .reduce import sum_dim
from .shape import mH
from .solve import check_matrix, check_square, inv
from .view import permute, unsqueeze

# -- norms -----------------------------------------------------------------------------------------


@composite(face="linalg")
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """The norm of matrices: ``"fro"``, ``"nuc"``, or 1, -1, 2, -2, inf, -inf.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.matrix_norm(3 * jnp.ones((3, 3)))
    Array(9., dtype=float32)
    """
    check_matrix(A, "linalg.matrix_norm")
    if ord == "fro":
        return linalg_vector_norm(A, 2, dim, keepdim, dtype=dtype)
    rows, columns = wrap_dims(dim, A.ndim)
    if ord in ("nuc", 2, -2):
        return _of_singular_values(A, ord, rows, columns, keepdim)
    if isinstance(ord, str) or math.fabs(ord) not in (1, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    summed, kept = (rows, columns) if math.fabs(ord) == 1 else (columns, rows)
    sums = linalg_vector_norm(A, 1, (summed,), keepdim, dtype=dtype)
    kept = kept - 1 if kept > summed and not keepdim else kept
    return (amax if ord > 0 else amin)(sums, (kept,), keepdim)


def _of_singular_values(A, ord, rows: int, columns: int, keepdim: bool):
    others = [i for i in range(A.ndim) if i not in (rows, columns)]
    values = svdvals(permute(A, (*others, rows, columns)))
    reduced = sum_dim if ord == "nuc" else amax if ord == 2 else amin
    found = reduced(values, (-1,), keepdim)
    if not keepdim:
        return found
    order = (*others, rows, columns)
    return permute(unsqueeze(found, -1), tuple(map(order.index, range(A.ndim))))


@composite("norm", face="linalg")
def linalg_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """`vector_norm` of one dimension or of all, `matrix_norm` of two with an order.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    two = A.ndim == 2 if dim is None else isinstance(dim, list | tuple) and len(dim) == 2
    if ord is None:
        return linalg_vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if two:
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: Order {ord} is for matrices; got {A.ndim} dimensions")
    return linalg_vector_norm(A, ord, dim, keepdim, dtype=dtype)


# -- powers and inverses ---------------------------------------------------------------------------


@composite(face="linalg")
def matrix_power(A, n):
    """The product of ``n`` factors ``A``; a negative power is one of the inverse.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.matrix_power(2 * jnp.eye(2), 3)[0]
    Array([8., 0.], dtype=float32)
    """
    check_square(A, "linalg.matrix_power")
    if n == 0:
        return diag_embed(ones_like(diagonal(A, 0, -2, -1)))
    factor, count, result = (inv(A) if n < 0 else A), -n if n < 0 else n, None
    if count == 3:
        return matmul(matmul(factor, factor), factor)
    while count:
        count, odd = divmod(count, 2)
        if odd:
            result = factor if result is None else matmul(result, factor)
        factor = matmul(factor, factor) if count else factor
    return result


def _pinv_self(grad, self, result):
    """The formula of ATen's `pinv_backward`."""
    turned = mH(grad)
    if self.shape[-2] <= self.shape[-1]:
        inner = matmul(turned, result)
        adjoint = mH(result)
        outer = matmul(inner, adjoint)
        return (
            -mH(matmul(result, inner)) + outer - matmul(matmul(self, result), outer)
            + matmul(matmul(adjoint, result), turned - matmul(inner, self))
        )  # fmt: skip
    inner, adjoint = matmul(result, turned), mH(result)
    turning = matmul(inner, result)
    # What the columns of the matrix do not reach: turned - self @ inner.
    missed = matmul(matmul(turned - matmul(self, inner), result), adjoint)
    outer = matmul(adjoint, inner)
    return -mH(turning) + missed + outer - matmul(matmul(outer, result), self)


@op("linalg_pinv.atol_rtol_float", grad_fn="LinalgPinvBackward0", face="private",
    vjp=dict(self=_pinv_self))  # fmt: skip
def linalg_pinv(
    self, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
):
    """The pseudoinverse; singular values up to ``max(atol, rtol * largest)`` count as 0."""
    check_matrix(self, "linalg.pinv")
    U, S, Vh = jnp.linalg.svd(self, full_matrices=False, hermitian=hermitian)
    if rtol is None:
        rtol = jnp.finfo(S.dtype).eps * max(self.shape[-2:]) if atol is None else 0.0
    bound = jnp.maximum(0.0 if atol is None else atol, rtol * S.max(-1, keepdims=True, initial=0))
    scale = jnp.where(S > bound, 1 / S, 0).astype(self.dtype)
    return jnp.swapaxes(Vh, -1, -2).conj() * scale[..., None, :] @ jnp.swapaxes(U, -1, -2).conj()


@composite(face="linalg")
def pinv(A, *, atol=None, rtol=None, hermitian=False):
    """The pseudoinverse of a matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.pinv(jnp.ones((3, 2))).shape
    (2, 3)
    """
    return linalg_pinv(A, atol=atol, rtol=rtol, hermitian=hermitian)
