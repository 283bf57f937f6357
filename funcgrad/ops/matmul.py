"""Products of matrices and vectors."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..composite import composite
from ..op import op
from ..signature import Scalar
from .view import (
    _squeeze_result,
    _unsafe_view,
    expand,
    in_order,
    is_in_order,
    reshape,
    t,
    transpose,
    unsqueeze,
)

# -- checks ----------------------------------------------------------------------------------------


def _check_dtypes(first, second, names: str):
    if first.dtype != second.dtype:
        raise RuntimeError(
            f"expected {names} to have the same dtype, but got: {first.dtype} != {second.dtype}. "
            "Convert one of them first"
        )


def _check_rank(x, rank: int, what: str):
    if x.ndim != rank:
        kind = {1: "vector", 2: "matrix", 3: "3D tensor"}[rank]
        raise RuntimeError(f"{what} must be a {kind}, got {x.ndim}-D tensor")


def _check_matrices(first, second):
    _check_rank(first, 2, "self")
    _check_rank(second, 2, "mat2")
    if first.shape[1] != second.shape[0]:
        raise RuntimeError(
            "mat1 and mat2 shapes cannot be multiplied "
            f"({first.shape[0]}x{first.shape[1]} and {second.shape[0]}x{second.shape[1]})"
        )
    if first.dtype != second.dtype:
        raise RuntimeError(
            "mat1 and mat2 must have the same dtype, but got "
            f"{first.dtype} and {second.dtype}. Convert one of them first "
            "(expected m1 and m2 to have the same dtype)"
        )


def _scaled(x, factor):
    """``x * factor.conj()``, without a multiplication where the factor is known to be 1."""
    if isinstance(factor, int | float | complex):
        return x if factor == 1 else x * factor.conjugate()
    return x * factor.conj()


# -- two matrices ----------------------------------------------------------------------------------


def _by_columns(sizes, strides) -> bool:
    return strides is not None and tuple(strides) == (1, sizes[0])


def _of_left(grad, right, sizes, strides):
    """The gradient of a matrix with these sizes and strides; it lies in memory as that does."""
    if _by_columns(sizes, strides):
        return t(mm(right.conj(), t(grad)))
    return mm(grad, t(right).conj())


def _of_right(grad, left, sizes, strides):
    if _by_columns(sizes, strides):
        return t(mm(t(grad), left.conj()))
    return mm(t(left).conj(), grad)


@op("mm", grad_fn="MmBackward0", vjp=dict(
    self=lambda grad, mat2, self_sym_sizes, self_sym_strides: (
        _of_left(grad, mat2, self_sym_sizes, self_sym_strides)),
    mat2=lambda grad, self, mat2_sym_sizes, mat2_sym_strides: (
        _of_right(grad, self, mat2_sym_sizes, mat2_sym_strides)),
))  # fmt: skip
def mm(self, mat2):
    """The product of two matrices of one dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mm(jnp.ones((2, 3)), jnp.ones((3, 4))).shape
    (2, 4)
    """
    _check_matrices(self, mat2)
    return jnp.matmul(self, mat2)


@op("bmm", grad_fn="BmmBackward0", vjp=dict(
    self=lambda grad, mat2: bmm(grad, transpose(mat2, 1, 2).conj()),
    mat2=lambda grad, self: bmm(transpose(self, 1, 2).conj(), grad),
))  # fmt: skip
def bmm(self, mat2):
    """The products of two stacks of matrices.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.bmm(jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    _check_rank(self, 3, "batch1")
    _check_rank(mat2, 3, "batch2")
    expected = [self.shape[0], self.shape[2]]
    if list(mat2.shape[:2]) != expected:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {expected} but got: "
            f"{list(mat2.shape[:2])}."
        )
    _check_dtypes(self, mat2, "batch1 and batch2")
    return jnp.matmul(self, mat2)


@op("mv", grad_fn="MvBackward0", vjp=dict(
    self=lambda grad, vec: outer(grad, vec.conj()),
    vec=lambda grad, self: mv(t(self.conj()), grad),
))  # fmt: skip
def mv(self, vec):
    """The product of a matrix and a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mv(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    if self.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got 1, {self.ndim}, {vec.ndim}: mv takes a matrix "
            "and a vector"
        )
    if self.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({self.shape[0]}), mat ({self.shape[0]}x{self.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    _check_dtypes(self, vec, "mat and vec")
    return jnp.matmul(self, vec)


@op("dot", grad_fn="DotBackward0", vjp=dict(
    self=lambda grad, tensor: grad * tensor.conj(),
    tensor=lambda grad, self: grad * self.conj(),
))  # fmt: skip
def dot(self, tensor):
    """The sum of products of two vectors, without conjugation.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.dot(jnp.ones(3), jnp.ones(3))
    Array(3., dtype=float32)
    """
    _check_vectors(self, tensor, "dot")
    return jnp.matmul(self, tensor)


@op("vdot", grad_fn="VdotBackward0", vjp=dict(
    self=lambda grad, other: grad.conj() * other,
    other=lambda grad, self: grad * self,
))  # fmt: skip
def vdot(self, other):
    """The sum of products of two vectors, the first one conjugated.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.vdot(jnp.array([1j]), jnp.array([1j]))
    Array(1.+0.j, dtype=complex64)
    """
    _check_vectors(self, other, "vdot")
    return jnp.matmul(self.conj(), other)


def _check_vectors(first, second, name: str):
    if first.ndim != 1 or second.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {first.ndim}D and {second.ndim}D tensors")
    if first.dtype != second.dtype:
        raise RuntimeError(
            f"{name} : expected both vectors to have same dtype, but found {first.dtype} and "
            f"{second.dtype}"
        )
    if first.shape != second.shape:
        raise RuntimeError(
            "inconsistent tensor size, expected tensor "
            f"{list(first.shape)} and src {list(second.shape)} to have the same number of "
            f"elements, but got {first.shape[0]} and {second.shape[0]} elements respectively"
        )


@composite()
def outer(self, vec2):
    """All products of an element of the one vector and one of the other.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.outer(jnp.ones(2), jnp.ones(3)).shape
    (2, 3)
    """
    for name, x in (("self", self), ("vec2", vec2)):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return reshape(self, (self.shape[0], 1)) * vec2


@composite()
def ger(self, vec2):
    """`outer` under its old name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ger(jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0]))
    Array([[3., 4.],
           [6., 8.]], dtype=float32)
    """
    return outer(self, vec2)


# -- a product added to something ------------------------------------------------------------------


def _added(base, product, beta, alpha):
    """``beta * base + alpha * product``; a ``beta`` of 0 ignores ``base``, nan and inf included."""
    _check_factor(product, beta, "beta")
    _check_factor(product, alpha, "alpha")
    if base.dtype != product.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {base.dtype} and {product.dtype}"
        )
    try:
        base = jnp.broadcast_to(base, product.shape)
    except ValueError:
        raise RuntimeError(
            f"The expanded size of the tensor {list(base.shape)} must match the existing size "
            f"{list(product.shape)} of the product"
        ) from None
    kept = jnp.where(beta == 0, jnp.zeros((), product.dtype), beta * base)
    return (kept + alpha * product).astype(product.dtype)


def _check_factor(product, factor, name: str):
    integral = jnp.issubdtype(product.dtype, jnp.integer)
    if integral and jnp.issubdtype(jnp.result_type(factor), jnp.inexact):
        raise RuntimeError(
            f"For integral input tensors, argument {name} must not be a floating point number."
        )


@op("addmm", grad_fn="AddmmBackward0", inplace=True, vjp=dict(
    self=lambda grad, beta: _scaled(grad, beta),
    mat1=lambda grad, mat2, alpha, mat1_sym_sizes, mat1_sym_strides: (
        _scaled(_of_left(grad, mat2, mat1_sym_sizes, mat1_sym_strides), alpha)),
    mat2=lambda grad, mat1, alpha, mat2_sym_sizes, mat2_sym_strides: (
        _scaled(_of_right(grad, mat1, mat2_sym_sizes, mat2_sym_strides), alpha)),
))  # fmt: skip
def addmm(self, mat1, mat2, *, beta: Scalar = 1, alpha: Scalar = 1):
    """``beta * self + alpha * (mat1 @ mat2)``, ``self`` broadcast to the product.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addmm(jnp.ones(2), jnp.ones((1, 3)), jnp.ones((3, 2)))
    Array([[4., 4.]], dtype=float32)
    """
    _check_rank(mat1, 2, "mat1")
    _check_matrices(mat1, mat2)
    return _added(self, jnp.matmul(mat1, mat2), beta, alpha)


# -- any rank --------------------------------------------------------------------------------------


@composite()
def matmul(input, other):
    """The product of vectors, matrices or stacks of matrices, by PyTorch's rules of rank.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.matmul(jnp.ones((5, 2, 3)), jnp.ones((3, 4))).shape
    (5, 2, 4)
    """
    ranks = input.ndim, other.ndim
    if 0 in ranks:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {ranks[0]}D and "
            f"{ranks[1]}D"
        )
    if ranks == (1, 1):
        return dot(input, other)
    if ranks == (2, 1):
        return mv(input, other)
    if ranks == (1, 2):
        return _squeeze_result(mm(unsqueeze(input, 0), other), 0)
    if ranks == (2, 2):
        return mm(input, other)
    if min(ranks) <= 2:
        return _folded(input, other)
    return _batched(input, other)


def _folded(first, second):
    """A stack times one matrix or vector, as a single product of matrices."""
    if first.ndim >= second.ndim:
        *stack, inner = first.shape
        rows = reshape(first, (math.prod(stack), inner))
        product = mm(rows, second) if second.ndim == 2 else mv(rows, second)
        return _unsafe_view(product, (*stack, *second.shape[1:]))
    turned = transpose(second, -2, -1)
    right = t(first) if first.ndim == 2 else first
    rows = reshape(turned, (math.prod(turned.shape[:-1]), turned.shape[-1]))
    product = mm(rows, right) if right.ndim == 2 else mv(rows, right)
    folded = _unsafe_view(product, (*turned.shape[:-1], *right.shape[1:]))
    return in_order(transpose(folded, -2, -1)) if first.ndim == 2 else folded


def _batched(first, second):
    *left_batch, n, m = first.shape
    *right_batch, k, p = second.shape
    batch = _broadcast_batch(left_batch, right_batch)
    count = math.prod(batch)
    left = reshape(expand(first, (*batch, n, m)), (count, n, m))
    right = reshape(expand(second, (*batch, k, p)), (count, k, p))
    return _unsafe_view(bmm(left, right), (*batch, n, p))


def _broadcast_batch(first, second):
    if first == second:
        return first
    try:
        return jnp.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        raise RuntimeError(
            f"The size of tensor a {list(first)} must match the size of tensor b {list(second)} in "
            "the batch dimensions of matmul"
        ) from None


@composite(face="nn")
def linear(input, weight, bias=None):
    """``input @ weight.T + bias``: ``(*, in) , (out, in), (out) -> (*, out)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linear(jnp.ones((5, 3)), jnp.ones((2, 3)), jnp.zeros(2)).shape
    (5, 2)
    """
    if bias is None or weight.ndim != 2:
        product = matmul(input, t(weight))
        return product if bias is None else product + bias
    if input.ndim == 2:
        return addmm(bias, input, t(weight))
    if not is_in_order(input):
        return matmul(input, t(weight)) + bias
    rows = reshape(input, (math.prod(input.shape[:-1]), input.shape[-1]))
    return reshape(addmm(bias, rows, t(weight)), (*input.shape[:-1], weight.shape[0]))
