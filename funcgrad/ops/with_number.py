"""Arithmetic with a number, as PyTorch's C++ code writes it: overloads that Python never shows.

``x + 2`` in Python is ``add.Tensor``; inside PyTorch's own functions it is ``add.Scalar``, whose
node is `AddBackward1`.
"""

from __future__ import annotations

from .. import types
from ..op import op
from ..signature import Scalar, Size
from .norm import Order, _norm_self, linalg_vector_norm


@op("add.Scalar", grad_fn="AddBackward1", face="private", vjp=dict(self=lambda grad: grad))
def add_number(self, other: Scalar, alpha: Scalar = 1):
    """``self + alpha * other``."""
    self, other = types.promote(self, other)
    return self + other * types.cast(alpha, self.dtype)


@op("sub.Scalar", grad_fn="SubBackward1", face="private", vjp=dict(self=lambda grad: grad))
def sub_number(self, other: Scalar, alpha: Scalar = 1):
    """``self - alpha * other``."""
    self, other = types.promote(self, other)
    return self - other * types.cast(alpha, self.dtype)


@op("mul.Scalar", grad_fn="MulBackward1", face="private",
    vjp=dict(self=lambda grad, other: grad * other.conjugate()))  # fmt: skip
def mul_number(self, other: Scalar):
    """``self * other``."""
    self, other = types.promote(self, other)
    return self * other


@op("div.Scalar", grad_fn="DivBackward1", face="private",
    vjp=dict(self=lambda grad, other: grad / other.conjugate()))  # fmt: skip
def div_number(self, other: Scalar):
    """``self / other``; integers become the default dtype."""
    self, other = types.promote_float(self, other)
    return self / other


@op("norm.ScalarOpt_dim", grad_fn="NormBackward1", face="private",
    vjp=dict(self=lambda grad, self, p, dim, keepdim, result: (
        _norm_self(grad, self, p, dim, keepdim, result)
    )))  # fmt: skip
def norm_over(self, p: Order | None, dim: Size, keepdim: bool = False):
    """The ``p``-norm over some dimensions."""
    return linalg_vector_norm.fn(self, p, dim, keepdim)
