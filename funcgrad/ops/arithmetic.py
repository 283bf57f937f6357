"""Sums, products, quotients and remainders, elementwise and with broadcasting.

The formulas here and in the other files are those of PyTorch's ``derivatives.yaml``.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from .. import types, unsupported
from ..composite import composite, overloads
from ..op import op
from ..signature import Scalar
from ..types import promote, promote_float
from .creation import zeros_like


def _scaled(grad, alpha):
    """``grad`` times the conjugate of the Python number ``alpha``; ``grad`` itself for 1."""
    if type(alpha) in (int, float):
        return grad if alpha == 1 else grad * alpha
    return grad * alpha.conjugate()


def _times(x, alpha):
    """``x * alpha`` where ``alpha`` is a number that must not change the dtype of ``x``."""
    if type(alpha) is int and alpha == 1:
        return x
    alpha = jnp.asarray(alpha)
    if types.is_differentiable(alpha.dtype) and not types.is_differentiable(x.dtype):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if alpha.dtype == jnp.bool_ != x.dtype:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    return x * alpha.astype(x.dtype)


@op(
    "add.Tensor", grad_fn="AddBackward0", inplace=True, dunder="add", promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        other=lambda grad, alpha: _scaled(grad, alpha),
    ),
)  # fmt: skip
def add(self, other, *, alpha: Scalar = 1):
    """Elementwise ``self + alpha * other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.add(jnp.ones(2), jnp.ones(2), alpha=3)
    Array([4., 4.], dtype=float32)
    """
    if self.dtype == jnp.bool_:
        return jnp.logical_or(self, _times(other, alpha))
    return self + _times(other, alpha)


@op(
    "sub.Tensor", grad_fn="SubBackward0", inplace=True, dunder="sub", promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        other=lambda grad, alpha: _scaled(-grad, alpha),
    ),
)  # fmt: skip
def sub(self, other, *, alpha: Scalar = 1):
    """Elementwise ``self - alpha * other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sub(jnp.ones(2), 3.0)
    Array([-2., -2.], dtype=float32)
    """
    return self - _times(other, alpha)


@op(
    "rsub.Tensor", grad_fn="RsubBackward0", promotes=True,
    vjp=dict(
        self=lambda grad, alpha: _scaled(-grad, alpha),
        other=lambda grad: grad,
    ),
)  # fmt: skip
def rsub_tensor(self, other, *, alpha: Scalar = 1):
    """Elementwise ``other - alpha * self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rsub(jnp.ones(2), jnp.full(2, 3.0))
    Array([2., 2.], dtype=float32)
    """
    return other - _times(self, alpha)


@op("rsub.Scalar", grad_fn="RsubBackward1",
    vjp=dict(self=lambda grad, alpha: _scaled(-grad, alpha)))  # fmt: skip
def rsub_scalar(self, other: Scalar, alpha: Scalar = 1):
    """Elementwise ``other - alpha * self`` for a number ``other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.rsub(jnp.ones(2), 3.0)
    Array([2., 2.], dtype=float32)
    """
    unsupported.check_no_bool((self, other))
    self, other = promote(self, other)
    return other - _times(self, alpha)


rsub = overloads("rsub", rsub_tensor, rsub_scalar)


@op(
    "mul.Tensor", grad_fn="MulBackward0", inplace=True, dunder="mul", promotes=True,
    vjp=dict(
        self=lambda grad, other: grad * other.conj(),
        other=lambda grad, self: grad * self.conj(),
    ),
)  # fmt: skip
def mul(self, other):
    """Elementwise ``self * other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.mul(jnp.ones(2), 3.0)
    Array([3., 3.], dtype=float32)
    """
    return jnp.logical_and(self, other) if self.dtype == jnp.bool_ else self * other


@op(
    "div.Tensor", grad_fn="DivBackward0", inplace=True, dunder="truediv", promotes="float",
    vjp=dict(
        self=lambda grad, other: grad / other.conj(),
        other=lambda grad, self, other: -grad * ((self / other) / other).conj(),
    ),
)  # fmt: skip
def div_tensor(self, other):
    """Elementwise ``self / other``; integers become the default floating dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.div(jnp.ones(2), 4)
    Array([0.25, 0.25], dtype=float32)
    """
    return self / other


def _div_mode_self(grad, other, rounding_mode):
    """A rounded quotient is flat: its gradient is zero."""
    return grad / other.conj() if rounding_mode is None else zeros_like(grad)


def _div_mode_other(grad, self, other, rounding_mode):
    if rounding_mode is None:
        return -grad * ((self / other) / other).conj()
    return zeros_like(grad)


@op(
    "div.Tensor_mode", grad_fn="DivBackward2", inplace=True,
    vjp=dict(self=_div_mode_self, other=_div_mode_other),
)  # fmt: skip
def div_tensor_mode(self, other, *, rounding_mode: str | None = None):
    """Elementwise ``self / other``, rounded: None, ``"trunc"`` (to zero) or ``"floor"``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.div(jnp.array([-3.0, 3.0]), 2.0, rounding_mode="floor")
    Array([-2.,  1.], dtype=float32)
    """
    if rounding_mode is None:
        self, other = promote_float(self, other)
        return self / other
    self, other = promote(self, other)
    if rounding_mode == "floor":
        return _floor_quotient(self, other)
    if rounding_mode == "trunc":
        return (
            lax.div(*jnp.broadcast_arrays(self, other)) if _whole(self) else jnp.trunc(self / other)
        )
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


div = overloads("div", div_tensor, div_tensor_mode)
divide = overloads("divide", div_tensor, div_tensor_mode)


def _whole(x) -> bool:
    return not jnp.issubdtype(x.dtype, jnp.inexact)


def _floor_quotient(self, other):
    """Python's floor division, as ATen's ``div_floor``: exact remainder first, then rounding."""
    unsupported.check("floor_divide", self.dtype)
    if _whole(self):
        return jnp.floor_divide(self, other)
    rest = lax.rem(*jnp.broadcast_arrays(self, other))
    quotient = (self - rest) / other
    quotient = jnp.where((rest != 0) & ((other < 0) != (rest < 0)), quotient - 1, quotient)
    floor = jnp.floor(quotient)
    floor = jnp.where(quotient - floor > 0.5, floor + 1, floor)
    floor = jnp.where(quotient == 0, jnp.copysign(jnp.zeros_like(floor), self / other), floor)
    return jnp.where(other == 0, self / other, floor)


@op("floor_divide", inplace=True, dunder="floordiv", promotes=True)
def floor_divide(self, other):
    """Elementwise quotient rounded to minus infinity; not differentiable, as in PyTorch.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.floor_divide(jnp.array([-3, 3]), 2)
    Array([-2,  1], dtype=int32)
    """
    return _floor_quotient(self, other)


@op("remainder.Scalar", grad_fn="RemainderBackward0", inplace=True, dunder="mod",
    vjp=dict(self=lambda grad: grad))  # fmt: skip
def remainder_scalar(self, other: Scalar):
    """Elementwise remainder by a number, with the sign of ``other`` (Python's ``%``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.remainder(jnp.array([-3, 3]), 2)
    Array([1, 1], dtype=int32)
    """
    self, other = promote(self, other)
    unsupported.check("remainder.Tensor", self.dtype)
    return jnp.remainder(self, other)


@op(
    "remainder.Tensor", grad_fn="RemainderBackward1", inplace=True, promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        other=lambda grad, self, other: -grad * div(self, other, rounding_mode="floor"),
    ),
)  # fmt: skip
def remainder_tensor(self, other):
    """Elementwise remainder with the sign of ``other`` (Python's ``%``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.remainder(jnp.array([-3, 3]), jnp.array([2, 2]))
    Array([1, 1], dtype=int32)
    """
    return jnp.remainder(self, other)


remainder = overloads("remainder", remainder_scalar, remainder_tensor)


@op("fmod.Scalar", grad_fn="FmodBackward0", inplace=True,
    vjp=dict(self=lambda grad: grad))  # fmt: skip
def fmod_scalar(self, other: Scalar):
    """Elementwise remainder by a number, with the sign of ``self`` (C's ``fmod``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fmod(jnp.array([-3, 3]), 2)
    Array([-1,  1], dtype=int32)
    """
    self, other = promote(self, other)
    unsupported.check("fmod.Tensor", self.dtype)
    return jnp.fmod(self, other)


@op(
    "fmod.Tensor", grad_fn="FmodBackward1", inplace=True, promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        other=lambda grad, self, other: -grad * div(self, other, rounding_mode="trunc"),
    ),
)  # fmt: skip
def fmod_tensor(self, other):
    """Elementwise remainder with the sign of ``self`` (C's ``fmod``).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.fmod(jnp.array([-3, 3]), jnp.array([2, 2]))
    Array([-1,  1], dtype=int32)
    """
    return jnp.fmod(self, other)


fmod = overloads("fmod", fmod_scalar, fmod_tensor)


@op("neg", grad_fn="NegBackward0", inplace=True, dunder="neg", vjp=dict(self=lambda grad: -grad))
def neg(self):
    """Elementwise ``-self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.neg(jnp.ones(2))
    Array([-1., -1.], dtype=float32)
    """
    if self.dtype == jnp.bool_:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return -self


@composite()
def positive(self):
    """``self`` itself: the unary plus.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.positive(jnp.ones(2))
    Array([1., 1.], dtype=float32)
    """
    return self


@op("reciprocal", grad_fn="ReciprocalBackward0", inplace=True, promotes="float",
    vjp=dict(self=lambda grad, result: -grad * (result * result).conj()))  # fmt: skip
def reciprocal(self):
    """Elementwise ``1 / self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.reciprocal(jnp.array([2.0, 4.0]))
    Array([0.5 , 0.25], dtype=float32)
    """
    return 1 / self


@op("_ratio", grad_fn="DivBackward0", face="private", vjp=dict(
    self=lambda grad, other: ratio(grad, other.conj()),
    other=lambda grad, self, other: -grad * ratio(ratio(self, other), other).conj(),
))  # fmt: skip
def ratio(self, other):
    """``self / other``, and 0 where ``other`` is 0."""
    nothing = other == 0
    return jnp.where(nothing, 0, self / jnp.where(nothing, 1, other))
