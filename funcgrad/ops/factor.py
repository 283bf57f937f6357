"""Factors of matrices as results, and what is solved with given factors."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..op import op
from ..together import together
from .choose import where
from .compare import eq
from .complexes import is_complex
from .creation import new_ones, tril, triu
from .decompose import linalg_cholesky_ex
from .index import zeros_of
from .join import cat
from .matmul import matmul
from .matrix import _pinv_self, linalg_pinv
from .powers import log
from .scan import cumprod
from .shape import mH, mT
from .slicing import narrow
from .solve import (
    check_matrix,
    check_square,
    inv,
    linalg_inv_ex,
    linalg_slogdet,
    linalg_solve_ex,
    linalg_solve_triangular,
    solve,
)
from .view import expand, permute, reshape, unsqueeze

# -- with information instead of errors ------------------------------------------------------------


@composite(face="linalg")
def cholesky_ex(A, *, upper=False, check_errors=False):
    """`cholesky`, and 1 where the matrix is not positive-definite instead of an error.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.cholesky_ex(4 * jnp.eye(1))
    (Array([[2.]], dtype=float32), Array(0, dtype=int32))
    """
    return linalg_cholesky_ex(A, upper=upper)


@composite(face="linalg")
def inv_ex(A, *, check_errors=False):
    """`inv`, and where it failed instead of an error.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.inv_ex(2 * jnp.eye(1))
    (Array([[0.5]], dtype=float32), Array(0, dtype=int32))
    """
    return linalg_inv_ex(A)


@composite(face="linalg")
def solve_ex(A, B, *, left=True, check_errors=False):
    """`solve`, and where it failed instead of an error.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.solve_ex(2 * jnp.eye(1), jnp.array([4.0]))
    (Array([2.], dtype=float32), Array(0, dtype=int32))
    """
    result, _, _, info = linalg_solve_ex(A, B, left=left)
    return result, info


# -- LU --------------------------------------------------------------------------------------------


def _lu_backward(P, L, U, grad_L, grad_U):
    """The formulas of ATen's `linalg_lu_backward`, by the shape of the matrix."""
    rows, columns = L.shape[-2], U.shape[-1]
    below = None if grad_L is None else tril(matmul(mH(L), grad_L), -1)
    if rows == columns:
        above = None if grad_U is None else triu(matmul(grad_U, mH(U)))
        whole = _by_L(L, _by_U(U, _sum(below, above)))
    else:
        whole = (_lu_wide if rows < columns else _lu_tall)(L, U, grad_L, grad_U)
    return matmul(P, whole)


def _sum(first, second):
    return first if second is None else second if first is None else first + second


def _by_U(U, x):
    return linalg_solve_triangular(mH(U), x, upper=False, left=False)


def _by_L(L, x):
    return linalg_solve_triangular(mH(L), x, upper=True, unitriangular=True)


def _lu_wide(L, U, grad_L, grad_U):
    rows, columns = U.shape[-2:]
    first = None if grad_L is None else matmul(mH(L), grad_L)
    if grad_U is None:
        inner = first
    else:
        second = matmul(triu(grad_U), mH(U))
        inner = -second if first is None else first - second
    left = _by_U(narrow(U, -1, 0, rows), tril(inner, -1))
    if grad_U is None:
        left = _by_L(L, left)
        return cat([left, zeros_of(left, (*left.shape[:-1], columns - rows))], -1)
    left = left + triu(narrow(grad_U, -1, 0, rows))
    return _by_L(L, cat([left, narrow(grad_U, -1, rows, columns - rows)], -1))


def _lu_tall(L, U, grad_L, grad_U):
    rows, columns = L.shape[-2:]
    first = None if grad_U is None else matmul(grad_U, mH(U))
    if grad_L is None:
        inner = first
    else:
        second = matmul(mH(L), tril(grad_L, -1))
        inner = -second if first is None else first - second
    top = _by_L(narrow(L, -2, 0, columns), triu(inner))
    if grad_L is None:
        top = _by_U(U, top)
        return cat([top, zeros_of(top, (*top.shape[:-2], rows - columns, columns))], -2)
    top = top + tril(narrow(grad_L, -2, 0, columns), -1)
    return _by_U(U, cat([top, narrow(grad_L, -2, columns, rows - columns)], -2))


def _split(factors):
    """L and U of both factors in one matrix."""
    rows, columns = factors.shape[-2:]
    rank = min(rows, columns)
    one = jnp.eye(rows, rank, dtype=factors.dtype)
    return jnp.tril(factors[..., :, :rank], -1) + one, jnp.triu(factors[..., :rank, :])


def _permutation_matrix(order, dtype):
    places = order[..., None, :] == jnp.arange(order.shape[-1])[:, None]
    return places.astype(dtype)


@op("_lu", grad_fn="LinalgLuBackward0", face="private", outputs=("L", "U", "P"),
    vjp=dict(A=lambda P, L, U, grad_L=None, grad_U=None: (
        _lu_backward(P, L, U, grad_L, grad_U))))  # fmt: skip
def linalg_lu(A):
    """``A = P L U`` with L below and U above the diagonal, and a permutation P, which is last."""
    check_matrix(A, "linalg.lu")
    factors, _, order = lax.linalg.lu(A)
    return *_split(factors), _permutation_matrix(order, A.dtype)


def _unpacked(rows, columns, grad_L, grad_U):
    """The gradient of both factors in one matrix, from those of the factors."""
    rank = min(rows, columns)
    if rows < columns:
        dim, rest = -1, grad_U
        grad_U = None if rest is None else narrow(rest, -1, 0, rank)
    else:
        dim, rest = -2, grad_L
        if rows > columns and rest is not None:
            grad_L = narrow(rest, -2, 0, rank)
    square = _sum(
        None if grad_L is None else tril(grad_L, -1), None if grad_U is None else triu(grad_U)
    )
    if rows == columns:
        return square
    if rest is not None:
        return cat([square, narrow(rest, dim, rank, rest.shape[dim] - rank)], dim)
    missing = list(square.shape)
    missing[dim] = max(rows, columns) - rank
    return cat([square, zeros_of(square, tuple(missing))], dim)


@op("_lu_unpacked", grad_fn="LuUnpackBackward0", face="private", outputs=("L", "U", "P"),
    vjp=dict(LU_data=lambda LU_data_sym_sizes, grad_L=None, grad_U=None: (
        _unpacked(*LU_data_sym_sizes[-2:], grad_L, grad_U))))  # fmt: skip
def lu_unpack(LU_data, LU_pivots):
    """L, U and the permutation P of what `lu_factor` gives."""
    order = _permutation(LU_pivots, LU_data.shape[-2])
    return *_split(LU_data), _permutation_matrix(order, LU_data.dtype)


@composite(face="linalg")
def lu(A, *, pivot=True):
    """``A = P L U`` with a permutation P, L below and U above the diagonal.

    >>> import jax.numpy as jnp, funcgrad
    >>> P, L, U = funcgrad.linalg.lu(jnp.array([[0.0, 1.0], [2.0, 0.0]]))
    >>> P
    Array([[0., 1.],
           [1., 0.]], dtype=float32)
    """
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    L, U, P = linalg_lu(A)
    return P, L, U


def _lu_factor_A(grad_LU, LU, pivots):
    rank = min(LU.shape[-2:])
    L, U, P = lu_unpack(LU, pivots)
    return _lu_backward(P, L, U, narrow(grad_LU, -1, 0, rank), narrow(grad_LU, -2, 0, rank))


@op("_lu_factor_ex", grad_fn="LinalgLuFactorExBackward0", face="private",
    outputs=("LU", "pivots", "info"), vjp=dict(A=_lu_factor_A))  # fmt: skip
def linalg_lu_factor_ex(A):
    """Both factors in one matrix, LAPACK's pivots, and where it failed."""
    check_matrix(A, "linalg.lu_factor_ex")
    factors, pivots, _ = lax.linalg.lu(A)
    zero = jnp.diagonal(factors, axis1=-2, axis2=-1) == 0
    info = jnp.where(zero.any(-1), jnp.argmax(zero, -1) + 1, 0).astype(jnp.int32)
    return factors, pivots + 1, info


@composite(face="linalg")
def lu_factor(A, *, pivot=True):
    """Both factors in one matrix, and the rows that were swapped, for `lu_solve`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.lu_factor(jnp.array([[0.0, 1.0], [2.0, 0.0]]))[1]
    Array([2, 2], dtype=int32)
    """
    return linalg_lu_factor_ex(A)[:2]


def _permutation(pivots, rows: int):
    """The order of rows that LAPACK's swaps lead to."""
    order = jnp.broadcast_to(jnp.arange(rows), (*pivots.shape[:-1], rows))
    return lax.linalg.lu_pivots_to_permutation(pivots - 1, rows) if rows else order


def _lu_solve(mask, grad, LU, pivots, left, adjoint, result):
    """With ``A = P L U`` the gradient of A is taken apart into that of L and that of U."""
    of_B = linalg_lu_solve(LU, pivots, grad, left, not adjoint) if mask[1] else None
    if not mask[0]:
        return None, of_B
    L, U, P = lu_unpack(LU, pivots)
    if left != adjoint:
        outer = -matmul(grad, mH(result)) if left else -matmul(mH(grad), result)
        of_U = linalg_solve_triangular(mH(U), outer, upper=False)
        of_L = linalg_solve_triangular(mH(L), matmul(of_U, mH(U)), upper=True, unitriangular=True)
    else:
        outer = matmul(mT(P), result if left else mH(result))
        outer = -matmul(matmul(outer, mH(grad) if left else grad), P)
        of_L = linalg_solve_triangular(mH(L), outer, upper=True, left=False, unitriangular=True)
        of_U = linalg_solve_triangular(mH(U), matmul(mH(L), of_L), upper=False, left=False)
    return tril(of_L, -1) + triu(of_U), of_B


@op("_lu_solve", grad_fn="LinalgLuSolveBackward0", face="private",
    vjp=together(_lu_solve, "LU", "B"))  # fmt: skip
def linalg_lu_solve(LU, pivots, B, left: bool, adjoint: bool):
    """``X`` with ``A X = B`` for the A that has these factors."""
    flipped = adjoint != (not left)
    right = B if left else jnp.swapaxes(B, -1, -2).conj()
    batch = jnp.broadcast_shapes(LU.shape[:-2], right.shape[:-2])
    LU = jnp.broadcast_to(LU, (*batch, *LU.shape[-2:]))
    right = jnp.broadcast_to(right, (*batch, *right.shape[-2:]))
    order = jnp.broadcast_to(_permutation(pivots, LU.shape[-1]), (*batch, LU.shape[-1]))
    options = dict(left_side=True, transpose_a=flipped, conjugate_a=flipped)
    if not flipped:
        x = jnp.take_along_axis(right, order[..., None], -2)
        x = lax.linalg.triangular_solve(LU, x, lower=True, unit_diagonal=True, **options)
        x = lax.linalg.triangular_solve(LU, x, **options)
    else:
        x = lax.linalg.triangular_solve(LU, right, **options)
        x = lax.linalg.triangular_solve(LU, x, lower=True, unit_diagonal=True, **options)
        x = jnp.take_along_axis(x, jnp.argsort(order, -1)[..., None], -2)
    return x if left else jnp.swapaxes(x, -1, -2).conj()


@composite("lu_solve", face="linalg")
def lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """``X`` with ``A X = B``, or ``X A = B``, from the factors of `lu_factor`.

    >>> import jax.numpy as jnp, funcgrad
    >>> factors = funcgrad.linalg.lu_factor(2 * jnp.eye(2))
    >>> funcgrad.linalg.lu_solve(*factors, jnp.ones((2, 1)))[0]
    Array([0.5], dtype=float32)
    """
    return linalg_lu_solve(LU, pivots, B, left, adjoint)


# -- Cholesky --------------------------------------------------------------------------------------


def _cholesky_solve(mask, grad, input2, upper, result):
    """Of all elements of the factor, also those that are not read."""
    of_self = cholesky_solve(grad, input2, upper)
    if not mask[1]:
        return of_self, None
    common = matmul(of_self, mH(result))
    common = common + mH(common)
    return of_self, -(matmul(input2, common) if upper else matmul(common, input2))


@op(
    "cholesky_solve", grad_fn="CholeskySolveBackward0",
    vjp=together(_cholesky_solve, "self", "input2"),
)  # fmt: skip
def cholesky_solve(self, input2, upper: bool = False):
    """``X`` with ``A X = self`` for the A whose Cholesky factor is ``input2``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cholesky_solve(jnp.ones((2, 1)), 2 * jnp.eye(2))[0]
    Array([0.25], dtype=float32)
    """
    check_square(input2, "cholesky_solve")
    adjoint = jnp.swapaxes(input2, -1, -2).conj()
    first, second = (adjoint, input2) if upper else (input2, adjoint)
    half = linalg_solve_triangular.fn(first, self, upper=False)
    return linalg_solve_triangular.fn(second, half, upper=True)


def _cholesky_inverse_self(grad, self, upper, result):
    """Of all elements of the factor, also those that are not read."""
    common = matmul(result, matmul(grad + mH(grad), result))
    return -(matmul(self, common) if upper else matmul(common, self))


@op("cholesky_inverse", grad_fn="CholeskyInverseBackward0", vjp=dict(self=_cholesky_inverse_self))
def cholesky_inverse(self, upper: bool = False):
    """The inverse of the matrix whose Cholesky factor is ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cholesky_inverse(2 * jnp.eye(2))[0]
    Array([0.25, 0.  ], dtype=float32)
    """
    check_square(self, "cholesky_inverse")
    identity = jnp.broadcast_to(jnp.eye(self.shape[-1], dtype=self.dtype), self.shape)
    return cholesky_solve.fn(identity, self, upper)


@composite()
def logdet(self):
    """The logarithm of the determinant; nan where it is negative, -inf where it is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logdet(jnp.eye(2))
    Array(0., dtype=float32)
    """
    sign, size = linalg_slogdet(self)[:2]
    return log(sign) + size if is_complex(self) else where(eq(sign, -1.0), math.nan, size)


# -- least squares ---------------------------------------------------------------------------------


def _lstsq_self(grad_solution, grad_residuals, self, b, solution):
    pinv = linalg_pinv(self)
    found = _pinv_self(matmul(_column(grad_solution, self), mH(_column(b, self))), self, pinv)
    if 0 in grad_residuals.shape:
        return found
    missed = _missed(grad_residuals, self, b, solution)
    return found + matmul(missed, mH(_column(solution, self)))


def _lstsq_b(grad_solution, grad_residuals, self, b, solution):
    found = matmul(mH(linalg_pinv(self)), _column(grad_solution, self))
    if 0 not in grad_residuals.shape:
        found = found - _missed(grad_residuals, self, b, solution)
    return reshape(found, b.shape)


def _missed(grad_residuals, self, b, solution):
    """The gradient of the residuals at ``A X - B``; that of ``X`` is 0, where they are least."""
    rest = matmul(self, _column(solution, self)) - _column(b, self)
    return 2 * unsqueeze(grad_residuals, -2) * rest


def _column(b, A):
    """A vector as a matrix of one column."""
    return unsqueeze(b, -1) if b.ndim == 1 or b.ndim == A.ndim - 1 else b


@op("linalg_lstsq", grad_fn="LinalgLstsqBackward0", face="private",
    outputs=("solution", "residuals", "rank", "singular_values"),
    vjp=dict(self=_lstsq_self, b=_lstsq_b))  # fmt: skip
def linalg_lstsq(self, b, rcond: float | None = None, *, driver: str | None = None):
    """The ``X`` that makes ``A X`` closest to B; the smallest of several."""
    check_matrix(self, "linalg.lstsq")
    vector = b.ndim == 1 or b.ndim == self.ndim - 1
    right = b[..., None] if vector else b
    U, S, Vh = jnp.linalg.svd(self, full_matrices=False)
    bound = (jnp.finfo(S.dtype).eps * max(self.shape[-2:])) if rcond is None else rcond
    kept = S > bound * S[..., :1]
    scale = jnp.where(kept, 1 / S, 0).astype(self.dtype)
    adjoint = jnp.swapaxes(U, -1, -2).conj() @ right
    x = jnp.swapaxes(Vh, -1, -2).conj() @ (scale[..., None] * adjoint)
    rows, columns = self.shape[-2:]
    rest = jnp.zeros((0,), S.dtype)
    if rows > columns and driver in ("gels", "gelsd", "gelss"):
        rest = (jnp.abs(self @ x - right) ** 2).sum(-2)
        rest = jnp.where((kept.sum(-1) == columns)[..., None], rest, jnp.nan)
    nothing = jnp.zeros((0,), S.dtype)
    solution = x[..., 0] if vector else x
    singular = S if driver in ("gelsd", "gelss") else nothing
    rank = kept.sum(-1) if driver != "gels" else jnp.zeros((0,), kept.sum(-1).dtype)
    return solution, rest, rank, singular


@composite(face="linalg")
def lstsq(A, B, rcond=None, *, driver=None):
    """The ``X`` that makes ``A X`` closest to ``B``; residuals, rank and singular values.

    The residuals are given for more rows than columns by every ``driver`` but the default,
    ``"gelsy"``. nan where the rank is not full.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.lstsq(jnp.ones((2, 1)), jnp.array([[1.0], [3.0]]))[0].round(3)
    Array([[2.]], dtype=float32)
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    return linalg_lstsq(A, B, rcond, driver=driver)


# -- tensors as matrices ---------------------------------------------------------------------------


@composite(face="linalg")
def tensorsolve(A, B, dims=None):
    """``X`` with ``tensordot(A, X, X.ndim) = B``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.tensorsolve(jnp.eye(6).reshape(2, 3, 6), jnp.ones((2, 3)))
    Array([1., 1., 1., 1., 1., 1.], dtype=float32)
    """
    if dims is not None:
        dims = [d % A.ndim for d in dims]
        A = permute(A, [*(d for d in range(A.ndim) if d not in dims), *dims])
    shape = tuple(A.shape[B.ndim :])
    count = math.prod(B.shape)
    if count != math.prod(shape):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {math.prod(shape)} != {count}"
        )
    return reshape(solve(reshape(A, (count, count)), reshape(B, (-1,))), shape)


@composite(face="linalg")
def tensorinv(A, ind=2):
    """The inverse of the map that `tensordot` with ``A`` makes.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.tensorinv(jnp.eye(6).reshape(2, 3, 6)).shape
    (6, 2, 3)
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    last, first = tuple(A.shape[ind:]), tuple(A.shape[:ind])
    if math.prod(last) != math.prod(first):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {math.prod(last)} != {math.prod(first)}"
        )
    return reshape(inv(reshape(A, (math.prod(first), -1))), (*last, *first))


@composite("vander", face="linalg")
def linalg_vander(x, *, N=None):
    """The powers of each element, from 0 up.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.vander(jnp.array([2, 3]))
    Array([[1, 2],
           [1, 3]], dtype=int32)
    """
    x = x if x.ndim else unsqueeze(x, 0)
    count = x.shape[-1] if N is None else N
    if count < 2:
        raise RuntimeError(f"N must be greater than 1, but it is {count}")
    powers = cumprod(expand(unsqueeze(x, -1), (*x.shape, count - 1)), -1)
    return cat([new_ones(powers, (*x.shape, 1)), powers], -1)


@composite(face="linalg")
def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """`torch.diagonal` of the last two dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.diagonal(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array([1., 4.], dtype=float32)
    """
    return A.diagonal(offset, dim1, dim2)
