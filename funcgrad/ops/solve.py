"""Inverses, determinants and systems of linear equations.

The formulas are those of ``torch/csrc/autograd/FunctionsManual.cpp``. A singular matrix is an error
where values are at hand; inside a compiled program the result has inf or nan.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..composite import composite
from ..derivative import derived
from ..op import op
from ..together import together
from .choose import where
from .compare import eq
from .complexes import is_complex, real
from .copying import to_dtype
from .creation import ones_like, tril, triu, zeros_like
from .known import holds
from .matmul import matmul
from .places import diag_embed, diagonal
from .shape import mH, mT
from .view import expand, squeeze, transpose, unsqueeze


class LinAlgError(RuntimeError):
    """A matrix does not allow what was asked of it. As in PyTorch, a `RuntimeError`.

    >>> import jax.numpy as jnp, funcgrad
    >>> try:
    ...     funcgrad.linalg.inv(jnp.zeros((2, 2)))
    ... except funcgrad.ops.solve.LinAlgError:
    ...     print("singular")
    singular
    """


def check_square(x, name: str):
    """PyTorch's errors for what is no square matrix of inexact numbers."""
    check_matrix(x, name)
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {x.shape[-2]} by "
            f"{x.shape[-1]} matrices"
        )


def check_matrix(x, name: str):
    """PyTorch's errors for what is no matrix of inexact numbers."""
    if x.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions. Got {x.ndim}"
        )
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype}"
        )


def raise_if_failed(info, message: str):
    """PyTorch's error for a factorization that failed, where values are at hand.

    ``message``: "name: what it means", with a place for the number in ``info``.
    """
    if holds((info != 0).any()):
        found = np.asarray(info)
        first = int(np.flatnonzero(found)[0])
        name, _, text = message.partition(": ")
        where = f"(Batch element {first}): " if found.ndim else ""
        raise LinAlgError(f"{name}: {where}{text.format(found.flat[first])}")


def _first_zero(factors):
    """1 plus the place of the first zero on the diagonal, 0 if there is none: LAPACK's info."""
    zero = jnp.diagonal(factors, axis1=-2, axis2=-1) == 0
    if not zero.shape[-1]:
        return jnp.zeros(zero.shape[:-1], jnp.int32)
    return jnp.where(zero.any(-1), jnp.argmax(zero, axis=-1) + 1, 0).astype(jnp.int32)


# -- inverse ---------------------------------------------------------------------------------------


def _inverse_self(grad_inverse, inverse):
    return -matmul(mH(inverse), matmul(grad_inverse, mH(inverse)))


@op("linalg_inv_ex", grad_fn="LinalgInvExBackward0", face="private",
    outputs=("inverse", "info"), vjp=dict(A=_inverse_self))  # fmt: skip
def linalg_inv_ex(A, *, check_errors: bool = False):
    """The inverse, and where it failed: 0, or the first zero on the diagonal of U."""
    check_square(A, "linalg.inv")
    if not A.size:
        return A, jnp.zeros(A.shape[:-2], jnp.int32)
    factors, _, order = lax.linalg.lu(A)
    one = jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape)
    permuted = jnp.take_along_axis(one, order[..., None], -2)
    half = lax.linalg.triangular_solve(
        factors, permuted, left_side=True, lower=True, unit_diagonal=True
    )
    return lax.linalg.triangular_solve(factors, half, left_side=True), _first_zero(factors)


@composite(face="linalg")
def inv(A):
    """The inverse of a matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.inv(2 * jnp.eye(2))
    Array([[0.5, 0. ],
           [0. , 0.5]], dtype=float32)
    """
    inverse, info = linalg_inv_ex(A)
    raise_if_failed(
        info, "linalg.inv: The diagonal element {} is zero, the inversion could not be completed "
        "because the input matrix is singular."
    )  # fmt: skip
    return inverse


@composite()
def inverse(input):
    """`linalg.inv` under its old name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.inverse(2 * jnp.eye(2))
    Array([[0.5, 0. ],
           [0. , 0.5]], dtype=float32)
    """
    return inv(input)


# -- systems ---------------------------------------------------------------------------------------


def _is_vector(A, B) -> bool:
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


def _solve(mask, grad_result, A, result, left):
    vector = _is_vector(A, result)
    grad = unsqueeze(grad_result, -1) if vector else grad_result
    of_B = linalg_solve_ex(mH(A), grad, left=left)[0]
    of_A = None
    if mask[0]:
        X = unsqueeze(result, -1) if vector else result
        of_A = -matmul(of_B, mH(X)) if left else -matmul(mH(X), of_B)
    return of_A, squeeze(of_B, -1) if vector else of_B


@op("_linalg_solve_ex", grad_fn="LinalgSolveExBackward0", face="private",
    outputs=("result", "LU", "pivots", "info"), vjp=together(_solve, "A", "B"))  # fmt: skip
def linalg_solve_ex(A, B, *, left: bool = True, check_errors: bool = False):
    """``X`` with ``A X = B`` (or ``X A = B``), the factors of A, and where it failed."""
    check_square(A, "linalg.solve")
    if A.dtype != B.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype} and B of type {B.dtype} instead"
        )
    vector = _is_vector(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    right = B[..., None] if vector else B
    if right.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and "
            f"{right.shape[-2]}x{right.shape[-1]})"
        )
    batch = jnp.broadcast_shapes(A.shape[:-2], right.shape[:-2])
    A, right = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (A, right))
    factors, pivots, order = lax.linalg.lu(A)
    right = right if left else jnp.swapaxes(right, -1, -2)
    source = factors if left else lax.linalg.lu(jnp.swapaxes(A, -1, -2))[0]
    order = order if left else lax.linalg.lu(jnp.swapaxes(A, -1, -2))[2]
    x = jnp.take_along_axis(right, order[..., None], -2)
    x = lax.linalg.triangular_solve(source, x, left_side=True, lower=True, unit_diagonal=True)
    x = lax.linalg.triangular_solve(source, x, left_side=True)
    x = x if left else jnp.swapaxes(x, -1, -2)
    return x[..., 0] if vector else x, factors, pivots + 1, _first_zero(factors)


@composite(face="linalg")
def solve(A, B, *, left=True):
    """``X`` with ``A X = B``, or ``X A = B`` if not ``left``; ``B`` may be a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.solve(2 * jnp.eye(2), jnp.ones(2))
    Array([0.5, 0.5], dtype=float32)
    """
    result, _, _, info = linalg_solve_ex(A, B, left=left)
    raise_if_failed(info, "torch.linalg.solve: The solver failed because the input matrix is "
                          "singular.")  # fmt: skip
    return result


def _triangular(mask, grad, self, result, upper, left, unitriangular):
    of_B = linalg_solve_triangular(
        mH(self), grad, upper=not upper, left=left, unitriangular=unitriangular
    )
    if not mask[0]:
        return None, of_B
    whole = -matmul(of_B, mH(result)) if left else -matmul(mH(result), of_B)
    return triu(whole, int(unitriangular)) if upper else tril(whole, -int(unitriangular)), of_B


@op("linalg_solve_triangular", grad_fn="LinalgSolveTriangularBackward0", face="private",
    vjp=together(_triangular, "self", "B"))  # fmt: skip
def linalg_solve_triangular(
    self, B, *, upper: bool, left: bool = True, unitriangular: bool = False
):
    """``X`` with ``self X = B``, for a triangular matrix; its other half is not read."""
    check_square(self, "linalg.solve_triangular")
    batch = jnp.broadcast_shapes(self.shape[:-2], B.shape[:-2])
    A, B = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (self, B))
    return lax.linalg.triangular_solve(
        A, B, left_side=left, lower=not upper, unit_diagonal=unitriangular
    )


@composite(face="linalg")
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """``X`` with ``A X = B`` (or ``X A = B``) for a triangular matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.solve_triangular(2 * jnp.eye(2), jnp.ones((2, 1)), upper=True)
    Array([[0.5],
           [0.5]], dtype=float32)
    """
    return linalg_solve_triangular(A, B, upper=upper, left=left, unitriangular=unitriangular)


def _triangular_solve(
    mask, self, A, solution, upper, transpose, unitriangular,
    grad_solution=None, grad_cloned_coefficient=None,
):  # fmt: skip
    of_b = of_A = None
    if grad_solution is not None:
        of_b = triangular_solve(grad_solution, A.conj(), upper, not transpose, unitriangular)[0]
        if mask[1]:
            of_A = -matmul(solution.conj(), mT(of_b)) if transpose else -matmul(of_b, mH(solution))
            of_A = triu(of_A, int(unitriangular)) if upper else tril(of_A, -int(unitriangular))
    of_b = zeros_like(self) if of_b is None else of_b
    of_A = zeros_like(A) if of_A is None else of_A
    return of_b, of_A if grad_cloned_coefficient is None else of_A + grad_cloned_coefficient


@op("triangular_solve", grad_fn="TriangularSolveBackward0", face="private",
    outputs=("solution", "cloned_coefficient"),
    vjp=together(_triangular_solve, "self", "A"))  # fmt: skip
def triangular_solve(
    self, A, upper: bool = True, transpose: bool = False, unitriangular: bool = False
):
    """``X`` with ``A X = self`` (or with the transpose of ``A``), and ``A`` again."""
    matrix = jnp.swapaxes(A, -2, -1) if transpose else A
    solution = linalg_solve_triangular.fn(
        matrix, self, upper=upper != transpose, unitriangular=unitriangular
    )
    return solution, jnp.broadcast_to(A, (*solution.shape[:-2], *A.shape[-2:]))


# -- determinants ----------------------------------------------------------------------------------


def _determinant_factors(A, name: str):
    """LU, pivots as LAPACK counts them, and the parity of the permutation."""
    check_square(A, name)
    factors, pivots, _ = lax.linalg.lu(A)
    swaps = (pivots != jnp.arange(A.shape[-1], dtype=pivots.dtype)).sum(-1)
    return factors, pivots + 1, 1 - 2 * (swaps % 2)


def _on_diagonal(g, A):
    """Matrices like A with the numbers ``g`` on their diagonals."""
    columns = expand(unsqueeze(g, -1), (*A.shape[:-2], A.shape[-1]))
    return transpose(diag_embed(columns), -2, -1)


def _det_A(grad_result, A, result):
    """The inverse times the determinant. Where that is exactly 0, so is PyTorch's gradient."""
    scaled = _on_diagonal(grad_result * result.conj(), A)
    if holds((result != 0).all()):
        return linalg_solve_ex(mH(A), scaled)[0]
    singular = unsqueeze(unsqueeze(eq(result, 0), -1), -1)
    one = diag_embed(ones_like(diagonal(A, 0, -2, -1)))
    return linalg_solve_ex(mH(where(singular, one, A)), scaled)[0]


@op("_linalg_det", grad_fn="LinalgDetBackward0", face="private",
    outputs=("result", "LU", "pivots"), vjp=dict(A=_det_A))  # fmt: skip
def linalg_det(A):
    """The determinant of a matrix, and its factors."""
    factors, pivots, parity = _determinant_factors(A, "linalg.det")
    diagonal = jnp.diagonal(factors, axis1=-2, axis2=-1)
    return jnp.prod(diagonal, axis=-1) * parity.astype(A.dtype), factors, pivots


@composite(face="linalg")
def det(A):
    """The determinant of a matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.det(2 * jnp.eye(2))
    Array(4., dtype=float32)
    """
    return linalg_det(A)[0]


def _slogdet_A(A, sign, grad_sign=None, grad_logabsdet=None):
    """The sign of a complex determinant has a gradient too, along the unit circle."""
    size = zeros_like(real(sign)) if grad_logabsdet is None else grad_logabsdet
    if grad_sign is not None and is_complex(A):
        size = size + _turning(grad_sign, sign)
    elif is_complex(A):
        size = to_dtype(size, A.dtype)
    return linalg_solve_ex(mH(A), _on_diagonal(size, A))[0]


@op("_turning", face="private", vjp=derived("grad_sign", "sign"))
def _turning(grad_sign, sign):
    """What of the gradient of ``sign`` turns it."""
    along = grad_sign.conj() * sign
    return -1j * along.imag


@op("_linalg_slogdet", grad_fn="LinalgSlogdetBackward0", face="private",
    outputs=("sign", "logabsdet", "LU", "pivots"), vjp=dict(A=_slogdet_A))  # fmt: skip
def linalg_slogdet(A):
    """The sign of the determinant and the logarithm of its absolute value."""
    factors, pivots, parity = _determinant_factors(A, "linalg.slogdet")
    diagonal = jnp.diagonal(factors, axis1=-2, axis2=-1)
    sign = jnp.prod(jnp.sign(diagonal), axis=-1) * parity.astype(A.dtype)
    return sign, jnp.sum(jnp.log(jnp.abs(diagonal)), axis=-1), factors, pivots


@composite(face="linalg")
def slogdet(A):
    """The sign of the determinant and the logarithm of its absolute value.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.slogdet(jnp.eye(2))
    (Array(1., dtype=float32), Array(0., dtype=float32))
    """
    return linalg_slogdet(A)[:2]
