"""Products beside `mm` and `matmul`: with a sum added, inner, tensor and cross products."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..composite import composite
from ..op import op
from ..signature import Scalar
from ..signature import size as as_size
from ..types import promote
from .copying import clone
from .creation import arange_start_step
from .dims import wrap_dim
from .index import index_fill_tensor, zeros_of
from .matmul import (
    _added,
    _check_dtypes,
    _check_rank,
    _scaled,
    bmm,
    dot,
    mm,
    mv,
    outer,
    vdot,
)
from .reduce import sum_all, sum_dim
from .shape import broadcast_shape, flatten
from .view import (
    _unsafe_view,
    expand,
    is_in_order,
    permute,
    reshape,
    squeeze_all,
    t,
    transpose,
    unsqueeze,
)

# -- something plus a product ----------------------------------------------------------------------


@op("addmv", grad_fn="AddmvBackward0", inplace=True, vjp=dict(
    self=lambda grad, beta: _scaled(grad, beta),
    mat=lambda grad, vec, alpha: _scaled(outer(grad, vec.conj()), alpha),
    vec=lambda grad, mat, alpha: _scaled(mv(t(mat).conj(), grad), alpha),
))  # fmt: skip
def addmv(self, mat, vec, *, beta: Scalar = 1, alpha: Scalar = 1):
    """``beta * self + alpha * (mat @ vec)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addmv(jnp.ones(2), jnp.ones((2, 3)), jnp.ones(3))
    Array([4., 4.], dtype=float32)
    """
    return _added(self, mv.fn(mat, vec), beta, alpha)


@op("addr", grad_fn="AddrBackward0", inplace=True, vjp=dict(
    self=lambda grad, beta: _scaled(grad, beta),
    vec1=lambda grad, vec2, alpha: _scaled(mv(grad, vec2.conj()), alpha),
    vec2=lambda grad, vec1, alpha: _scaled(mv(t(grad), vec1.conj()), alpha),
))  # fmt: skip
def addr(self, vec1, vec2, *, beta: Scalar = 1, alpha: Scalar = 1):
    """``beta * self + alpha * outer(vec1, vec2)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addr(jnp.ones((1, 2)), jnp.ones(1), jnp.ones(2))
    Array([[2., 2.]], dtype=float32)
    """
    _check_rank(vec1, 1, "vec1")
    _check_rank(vec2, 1, "vec2")
    return _added(*promote(self, vec1[:, None] * vec2), beta, alpha)


@op("baddbmm", grad_fn="BaddbmmBackward0", inplace=True, vjp=dict(
    self=lambda grad, beta: _scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: _scaled(bmm(grad, transpose(batch2, 1, 2).conj()), alpha),
    batch2=lambda grad, batch1, alpha: _scaled(bmm(transpose(batch1, 1, 2).conj(), grad), alpha),
))  # fmt: skip
def baddbmm(self, batch1, batch2, *, beta: Scalar = 1, alpha: Scalar = 1):
    """``beta * self + alpha * bmm(batch1, batch2)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.baddbmm(jnp.ones(2), jnp.ones((1, 1, 3)), jnp.ones((1, 3, 2)))
    Array([[[4., 4.]]], dtype=float32)
    """
    return _added(self, bmm.fn(batch1, batch2), beta, alpha)


def _same_for_all(grad, count: int):
    return expand(unsqueeze(grad, 0), (count, *grad.shape))


@op("addbmm", grad_fn="AddbmmBackward0", inplace=True, vjp=dict(
    self=lambda grad, beta: _scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: _scaled(
        bmm(_same_for_all(grad, batch2.shape[0]), transpose(batch2, 1, 2).conj()), alpha),
    batch2=lambda grad, batch1, alpha: _scaled(
        bmm(transpose(batch1, 1, 2).conj(), _same_for_all(grad, batch1.shape[0])), alpha),
))  # fmt: skip
def addbmm(self, batch1, batch2, *, beta: Scalar = 1, alpha: Scalar = 1):
    """``beta * self + alpha * bmm(batch1, batch2).sum(0)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addbmm(jnp.ones(2), jnp.ones((2, 1, 3)), jnp.ones((2, 3, 2)))
    Array([[7., 7.]], dtype=float32)
    """
    product = bmm.fn(batch1, batch2)
    return _added(self, jnp.sum(product, axis=0, dtype=product.dtype), beta, alpha)


# -- inner and tensor products ---------------------------------------------------------------------


@composite()
def inner(self, other):
    """The sum of products over the last dimension of both; numbers are factors.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.inner(jnp.ones((2, 3)), jnp.ones((4, 3))).shape
    (2, 4)
    """
    if self.ndim == 0 or other.ndim == 0:
        return self * other
    if self.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(self.shape)} and {list(other.shape)}"
        )
    return tensordot(self, other, ([-1], [-1]))


@composite(face="torch")
def tensordot(a, b, dims=2):
    """The sum of products over pairs of dimensions: the last and first ``dims``, or two lists.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.tensordot(jnp.ones((2, 3)), jnp.ones((4, 3)), ([1], [1])).shape
    (2, 4)
    """
    if isinstance(dims, int):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot expects dims >= 0 and at most the number of dimensions, got dims={dims}"
            )
        dims = (tuple(range(a.ndim - dims, a.ndim)), tuple(range(dims)))
    pairs = [as_size(d.tolist() if hasattr(d, "tolist") else d) for d in dims]
    first, second = ([wrap_dim(d, x.ndim) for d in p] for p, x in zip(pairs, (a, b), strict=True))
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    for i, k in zip(first, second, strict=True):
        if b.shape[k] == 1:
            a = sum_dim(a, i, True)
        elif a.shape[i] == 1:
            b = sum_dim(b, k, True)
        if a.shape[i] != b.shape[k]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[k]} in dim {k}"
            )
    return _contracted(a, b, first, second)


def _contracted(a, b, first, second):
    rows = [i for i in range(a.ndim) if i not in first]
    columns = [k for k in range(b.ndim) if k not in second]
    shape = tuple(a.shape[i] for i in rows) + tuple(b.shape[k] for k in columns)
    depth = math.prod(a.shape[i] for i in first)
    left, right = permute(a, (*rows, *first)), permute(b, (*second, *columns))
    if math.prod(shape) == 1:
        return reshape(_full_product(left, right), shape)
    height = math.prod(shape[: len(rows)])
    width = math.prod(shape[len(rows) :])
    return reshape(mm(reshape(left, (height, depth)), reshape(right, (depth, width))), shape)


def _full_product(left, right):
    """The sum of all products, by `dot` where both lie in order, as in ATen."""
    if is_in_order(left) and is_in_order(right):
        return dot(flatten(left), flatten(right))
    return sum_all(squeeze_all(left) * squeeze_all(right))


@composite()
def kron(self, other):
    """The Kronecker product: every element of ``self`` times all of ``other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.kron(jnp.ones((2, 2)), jnp.ones((3, 1))).shape
    (6, 2)
    """
    rank = max(self.ndim, other.ndim)
    left, right = ((1,) * (rank - x.ndim) + tuple(x.shape) for x in (self, other))
    wide = _unsafe_view(self, tuple(n for size in left for n in (size, 1)))
    deep = _unsafe_view(other, tuple(n for size in right for n in (1, size)))
    return _unsafe_view(wide * deep, tuple(n * m for n, m in zip(left, right, strict=True)))


@composite(face="torch")
def chain_matmul(*matrices):
    """The product of matrices in the cheapest order.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.chain_matmul(jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones((4, 5))).shape
    (2, 5)
    """
    return multi_dot(list(matrices)) if len(matrices) > 1 else clone(matrices[0])


@composite(face="linalg")
def multi_dot(tensors):
    """The product of matrices in the cheapest order; the first and the last may be vectors.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.multi_dot([jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones(4)]).shape
    (2,)
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    shape = (*tensors[0].shape[:-1], *tensors[-1].shape[1:])
    if tensors[0].ndim == 1:
        tensors[0] = unsqueeze(tensors[0], 0)
    if tensors[-1].ndim == 1:
        tensors[-1] = unsqueeze(tensors[-1], -1)
    for x in tensors:
        if x.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor must be 2D but got {x.ndim}D")
    product = _chain(tensors, _cheapest([x.shape[0] for x in tensors] + [tensors[-1].shape[1]]))
    return reshape(product, shape)


def _cheapest(sizes):
    """For every range of matrices where to split it; Cormen et al., section 14.2.

    Of equal costs the first split, but the second of three matrices, as in ATen.
    """
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            places = range(i, j)[:: -1 if count == 3 else 1]
            costs = [
                cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in places
            ]
            cost[i][j] = min(costs)
            split[i][j] = places[costs.index(cost[i][j])]
    return split


def _chain(tensors, split, i=0, j=None):
    j = len(tensors) - 1 if j is None else j
    if i == j:
        return tensors[i]
    k = split[i][j]
    return mm(_chain(tensors, split, i, k), _chain(tensors, split, k + 1, j))


@composite(face="linalg")
def vecdot(x, y, *, dim=-1):
    """The sum of products along ``dim``, the first one conjugated.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.vecdot(jnp.ones((2, 3)), jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    if x.ndim == 1 == y.ndim:
        return vdot(x, y)
    return sum_dim(x.conj() * y, dim)


# -- cross product and trace -----------------------------------------------------------------------


@op("linalg_cross", grad_fn="LinalgCrossBackward0", face="private", vjp=dict(
    self=lambda grad, other, dim: linalg_cross(other.conj(), grad, dim=dim),
    other=lambda grad, self, dim: linalg_cross(grad, self.conj(), dim=dim),
))  # fmt: skip
def linalg_cross(self, other, *, dim: int = -1):
    """The cross product of vectors of three along ``dim``; the other dimensions broadcast."""
    if self.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = wrap_dim(dim, self.ndim)
    if self.shape[axis] != 3 or other.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {self.shape[axis]} and "
            f"{other.shape[axis]}"
        )
    _check_dtypes(self, other, "input and other")
    broadcast_shape(self.shape, other.shape)
    a, b = (jnp.moveaxis(x, axis, 0) for x in (self, other))
    parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return jnp.stack(parts, axis=axis)


@composite("cross", face="linalg")
def cross_of_last(input, other, *, dim=-1):
    """The cross product of vectors of three along ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
    Array([0, 0, 1], dtype=int32)
    """
    return linalg_cross(input, other, dim=dim)


@composite()
def cross(input, other, dim=None):
    """The cross product along ``dim``, or along the first dimension of size 3.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
    Array([0, 0, 1], dtype=int32)
    """
    if dim is None:
        dim = next((i for i, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return linalg_cross(input, other, dim=dim)


def _trace_self(grad, self_sym_sizes):
    """The gradient on the diagonal, zeros elsewhere."""
    rows, columns = self_sym_sizes
    nothing = zeros_of(grad, (rows * columns,))
    on_diagonal = arange_start_step(0, min(rows, columns) * (columns + 1), columns + 1)
    return reshape(index_fill_tensor(nothing, 0, on_diagonal, grad), (rows, columns))


@op("trace", grad_fn="TraceBackward0", vjp=dict(self=_trace_self))
def trace(self):
    """The sum of the diagonal of a matrix.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.trace(jnp.eye(3))
    Array(3., dtype=float32)
    """
    if self.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {self.ndim}")
    return sum_all.fn(jnp.diagonal(self))
