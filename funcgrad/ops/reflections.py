"""Products of Householder reflections ``1 - tau v v*``, the form that QR factors are computed in.

The first elements of each ``v`` are 0 and 1, and the rest is a column of a matrix below its
diagonal.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from ..composite import composite
from ..derivative import derived
from ..op import op
from .not_implemented import not_implemented
from .solve import check_matrix


def _reflected(columns, tau, other, backwards: bool, adjoint: bool):
    """The reflections applied to ``other`` from the left, the last one first if ``backwards``."""
    count = tau.shape[-1]
    rows = columns.shape[-2]
    lower = jnp.tril(columns[..., :count], -1) + jnp.eye(rows, count, dtype=columns.dtype)
    vectors = jnp.moveaxis(lower, -1, 0)
    scales = jnp.moveaxis(tau.conj() if adjoint else tau, -1, 0)

    def reflect(found, one):
        v, scale = one
        along = jnp.einsum("...i,...ij->...j", v.conj(), found)
        return found - scale[..., None, None] * v[..., :, None] * along[..., None, :], None

    return lax.scan(reflect, other, (vectors, scales), reverse=backwards)[0]


def _check(name: str, input, tau) -> None:
    check_matrix(input, f"torch.{name}")
    if input.shape[-2] < input.shape[-1]:
        raise RuntimeError(
            f"torch.{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if input.shape[-1] < tau.shape[-1]:
        raise RuntimeError(
            f"torch.{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if input.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"torch.{name}: Expected tau to have one dimension less than input, but got tau.ndim "
            f"equal to {tau.ndim} and input.ndim is equal to {input.ndim}"
        )
    if input.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(
            f"torch.{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but "
            f"got {list(tau.shape[:-1])}"
        )
    if input.dtype != tau.dtype:
        raise RuntimeError(
            f"torch.{name}: tau dtype {tau.dtype} does not match input dtype {input.dtype}"
        )


@op("linalg_householder_product", grad_fn="LinalgHouseholderProductBackward0", face="linalg",
    vjp=derived("input", "tau"))  # fmt: skip
def linalg_householder_product(input, tau):
    """The first columns of a product of reflections.

    ``input``: the vectors below its diagonal, (..., m, n); ``tau``: (..., k), with m >= n >= k.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.linalg.householder_product(jnp.zeros((2, 1)), jnp.array([2.0]))
    Array([[-1.],
           [ 0.]], dtype=float32)
    """
    _check("linalg.householder_product", input, tau)
    rows, columns = input.shape[-2:]
    start = jnp.broadcast_to(jnp.eye(rows, columns, dtype=input.dtype), input.shape)
    return _reflected(input, tau, start, True, False)


@composite("orgqr")
def orgqr(input, input2):
    """`linalg.householder_product`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.orgqr(jnp.zeros((2, 1)), jnp.array([2.0]))
    Array([[-1.],
           [ 0.]], dtype=float32)
    """
    return linalg_householder_product(input, input2)


@op("ormqr", grad_fn="OrmqrBackward0", vjp=derived("self", "input2", "input3"))
def ormqr(self, input2, input3, left: bool = True, transpose: bool = False):
    """A matrix times a whole product of reflections, which is not computed.

    ``self`` and ``input2`` as in `linalg.householder_product`; ``input3``: the matrix. ``left``:
    whether the product comes first; ``transpose``: its adjoint is meant.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ormqr(jnp.zeros((2, 1)), jnp.array([2.0]), jnp.ones((2, 1)))
    Array([[-1.],
           [ 1.]], dtype=float32)
    """
    side = -2 if left else -1
    if input3.shape[side] != self.shape[-2]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2], but got "
            f"{input3.shape[side]} and {self.shape[-2]}"
        )
    if left:
        return _reflected(self, input2, input3, not transpose, transpose)
    turned = jnp.swapaxes(input3, -1, -2).conj()
    found = _reflected(self, input2, turned, transpose, not transpose)
    return jnp.swapaxes(found, -1, -2).conj()


@op("geqrf", grad_fn="GeqrfBackward0", outputs=("a", "tau"),
    vjp=dict(self=not_implemented("geqrf")))  # fmt: skip
def geqrf(self):
    """The factors of QR as LAPACK keeps them: R above the diagonal, reflections below, and tau.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.geqrf(jnp.eye(1))
    (Array([[1.]], dtype=float32), Array([0.], dtype=float32))
    """
    if self.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    factors, tau = jnp.linalg.qr(self, mode="raw")
    return jnp.swapaxes(factors, -1, -2), tau
