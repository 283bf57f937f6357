"""Elementwise ops of two and three operands beyond arithmetic."""

from __future__ import annotations

import jax.numpy as jnp

from .. import types
from ..composite import overloads
from ..op import op
from ..signature import Scalar
from ..types import promote_float
from .choose import masked_fill_scalar, where
from .compare import isfinite
from .creation import zeros_like
from .powers import exp, pow


def _number(value, like):
    """A number as an array of the dtype of ``like``."""
    return types.cast(value, like.dtype)


@op(
    "addcmul", grad_fn="AddcmulBackward0", inplace=True, promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        tensor1=lambda grad, tensor2, value: grad * (tensor2 * value).conj(),
        tensor2=lambda grad, tensor1, value: grad * (tensor1 * value).conj(),
    ),
)  # fmt: skip
def addcmul(self, tensor1, tensor2, *, value: Scalar = 1):
    """Elementwise ``self + value * tensor1 * tensor2``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addcmul(jnp.ones(2), jnp.ones(2), jnp.ones(2), value=2)
    Array([3., 3.], dtype=float32)
    """
    return self + _number(value, self) * tensor1 * tensor2


@op(
    "addcdiv", grad_fn="AddcdivBackward0", inplace=True, promotes=True,
    vjp=dict(
        self=lambda grad: grad,
        tensor1=lambda grad, tensor2, value: grad * (value / tensor2).conj(),
        tensor2=lambda grad, tensor1, tensor2, value: (
            -grad * (value * tensor1 / (tensor2 * tensor2)).conj()
        ),
    ),
)  # fmt: skip
def addcdiv(self, tensor1, tensor2, *, value: Scalar = 1):
    """Elementwise ``self + value * tensor1 / tensor2``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.addcdiv(jnp.ones(2), jnp.ones(2), jnp.ones(2), value=2)
    Array([3., 3.], dtype=float32)
    """
    if not jnp.issubdtype(self.dtype, jnp.inexact):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported. Use floating operands"
        )
    return self + _number(value, self) * (tensor1 / tensor2)


def _lerped(self, end, weight):
    """From the nearer end, as ATen does, so that both ends are exact."""
    small = jnp.abs(weight) < 0.5
    step = weight * (end - self)
    return jnp.where(small, self + step, end - (end - self) * (1 - weight))


@op(
    "lerp.Scalar", grad_fn="LerpBackward0", inplace=True,
    vjp=dict(
        self=lambda grad, weight: grad * (1 - weight.conjugate()),
        end=lambda grad, weight: grad * weight.conjugate(),
    ),
)  # fmt: skip
def lerp_scalar(self, end, weight: Scalar):
    """Elementwise ``self + weight * (end - self)`` for a number ``weight``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lerp(jnp.zeros(2), jnp.ones(2), 0.25)
    Array([0.25, 0.25], dtype=float32)
    """
    if self.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {self.dtype} for `end` but got dtype {end.dtype}")
    return _lerped(self, end, _number(weight, self))


@op(
    "lerp.Tensor", grad_fn="LerpBackward1", inplace=True,
    vjp=dict(
        self=lambda grad, weight: grad * (1 - weight).conj(),
        end=lambda grad, weight: grad * weight.conj(),
        weight=lambda grad, self, end: grad * (end - self).conj(),
    ),
)  # fmt: skip
def lerp_tensor(self, end, weight):
    """Elementwise ``self + weight * (end - self)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lerp(jnp.zeros(2), jnp.ones(2), jnp.array([0.25, 0.5]))
    Array([0.25, 0.5 ], dtype=float32)
    """
    if self.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {self.dtype} for `end` but got dtype {end.dtype}")
    if jnp.ndim(weight) and weight.dtype != self.dtype:
        raise RuntimeError(f"expected dtype {self.dtype} for `weight` but got dtype {weight.dtype}")
    return _lerped(self, end, jnp.asarray(weight).astype(self.dtype))


lerp = overloads("lerp", lerp_scalar, lerp_tensor)


@op("nan_to_num", grad_fn="NanToNumBackward0", inplace=True,
    vjp=dict(self=lambda grad, self: grad * isfinite(self)))  # fmt: skip
def nan_to_num(
    self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
):
    """Elementwise replacement of nan (by 0) and infinities (by the largest finite numbers).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nan_to_num(jnp.array([jnp.nan, jnp.inf]), posinf=1.0)
    Array([0., 1.], dtype=float32)
    """
    if not jnp.issubdtype(self.dtype, jnp.inexact):
        return self
    given = [None if x is None else _number(x, self).real for x in (nan, posinf, neginf)]
    return jnp.nan_to_num(
        self, nan=0.0 if nan is None else given[0], posinf=given[1], neginf=given[2]
    )


def _copysign_self(grad, self, result):
    """At 0 the gradient is 0."""
    return grad * masked_fill_scalar(result / self, self == 0, 0)


@op("copysign.Tensor", grad_fn="CopysignBackward0", inplace=True, promotes="float",
    vjp=dict(self=_copysign_self, other=lambda grad: zeros_like(grad)))  # fmt: skip
def copysign_tensor(self, other):
    """Elementwise magnitude of ``self`` with the sign of ``other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.copysign(jnp.ones(2), jnp.array([-1.0, 2.0]))
    Array([-1.,  1.], dtype=float32)
    """
    return jnp.copysign(self, other)


@op("copysign.Scalar", grad_fn="CopysignBackward1", inplace=True, vjp=dict(self=_copysign_self))
def copysign_scalar(self, other: Scalar):
    """Elementwise magnitude of ``self`` with the sign of a number.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.copysign(jnp.ones(2), -3.0)
    Array([-1., -1.], dtype=float32)
    """
    return jnp.copysign(*promote_float(self, other))


copysign = overloads("copysign", copysign_scalar, copysign_tensor)


@op("heaviside", inplace=True)
def heaviside(self, values):
    """Elementwise 0 below 0, 1 above, ``values`` at 0; not differentiable, as in PyTorch.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.heaviside(jnp.array([-1.0, 0.0, 2.0]), jnp.array(0.5))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    if self.dtype != values.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes: "
            f"{self.dtype} and {values.dtype}"
        )
    return jnp.where(self == 0, values, (self > 0).astype(self.dtype))


@op(
    "logaddexp", grad_fn="LogaddexpBackward0", promotes=True,
    vjp=dict(
        self=lambda grad, self, other: grad / (1 + exp(other - self)).conj(),
        other=lambda grad, self, other: grad / (1 + exp(self - other)).conj(),
    ),
)  # fmt: skip
def logaddexp(self, other):
    """Elementwise ``log(exp(self) + exp(other))``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logaddexp(jnp.zeros(1), jnp.zeros(1))
    Array([0.6931472], dtype=float32)
    """
    if not types.is_complex(self.dtype):
        return jnp.logaddexp(self, other)
    swap = jnp.real(self) < jnp.real(other)
    low, high = jnp.where(swap, self, other), jnp.where(swap, other, self)
    return high + jnp.log1p(jnp.exp(low - high))  # the imaginary part is not wrapped


@op(
    "logaddexp2", grad_fn="Logaddexp2Backward0", promotes=True,
    vjp=dict(
        self=lambda grad, self, other: grad / (1 + pow(2, other - self)),
        other=lambda grad, self, other: grad / (1 + pow(2, self - other)),
    ),
)  # fmt: skip
def logaddexp2(self, other):
    """Elementwise ``log2(2 ** self + 2 ** other)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.logaddexp2(jnp.zeros(1), jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    return jnp.logaddexp2(self, other)


@op("_xlogy_gradient", grad_fn="XlogyBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, other: _xlogy_gradient(grad, other),
        other=lambda grad, grad_output, other: _xlogy_other(grad, grad_output, other),
    ))  # fmt: skip
def _xlogy_gradient(grad_output, other):
    """`xlogy` of a gradient, linear in it."""
    return grad_output * jnp.log(other)


def _xlogy_self(grad, self, other):
    """Where ``self`` is 0 and the logarithm does not exist the gradient is 0."""
    return masked_fill_scalar(_xlogy_gradient(grad, other), (self == 0.0) & (other <= 0.0), 0)


def _xlogy_other(grad, self, other):
    return grad * self / other


def _xlogy(self, other):
    """0 where ``self`` is 0, unless ``other`` is nan."""
    self, other = promote_float(self, other)
    return jnp.where(other != other, other, jnp.where(self == 0, 0, self * jnp.log(other)))


@op("xlogy.Tensor", grad_fn="XlogyBackward0", inplace=True,
    vjp=dict(self=_xlogy_self, other=_xlogy_other))  # fmt: skip
def xlogy_tensor(self, other):
    """Elementwise ``self * log(other)``, 0 where ``self`` is 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.xlogy(jnp.array([0.0, 1.0]), jnp.array([0.0, 1.0]))
    Array([0., 0.], dtype=float32)
    """
    return _xlogy(self, other)


@op("xlogy.Scalar_Self", grad_fn="XlogyBackward1", vjp=dict(other=_xlogy_other))
def xlogy_scalar_self(self: Scalar, other):
    """Elementwise ``self * log(other)`` for a number ``self``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.xlogy(2, jnp.ones(1))
    Array([0.], dtype=float32)
    """
    return _xlogy(self, other)


@op("xlogy.Scalar_Other", grad_fn="XlogyBackward2", inplace=True, vjp=dict(self=_xlogy_self))
def xlogy_scalar_other(self, other: Scalar):
    """Elementwise ``self * log(other)`` for a number ``other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.xlogy(jnp.ones(1), 1)
    Array([0.], dtype=float32)
    """
    return _xlogy(self, other)


xlogy = overloads("xlogy", xlogy_scalar_other, xlogy_tensor, xlogy_scalar_self)


@op(
    "ldexp.Tensor", grad_fn="LdexpBackward0", inplace=True, promotes="float",
    vjp=dict(
        self=lambda grad, other: grad * pow(2, other).conj(),
        other=lambda grad, result: grad * result.conj() * 0.6931471805599453,
    ),
)  # fmt: skip
def ldexp(self, other):
    """Elementwise ``self * 2 ** other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ldexp(jnp.ones(1), jnp.array([3]))
    Array([8.], dtype=float32)
    """
    return self * jnp.exp2(other)


@op("nextafter", inplace=True, promotes=True, grad_fn="NextafterBackward0",
    vjp=dict(
        self=lambda grad, self, other: where(self != other, grad, 0.0),
        other=lambda grad: zeros_like(grad),
    ))  # fmt: skip
def nextafter(self, other):
    """Elementwise next floating number after ``self`` towards ``other``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nextafter(jnp.ones(1), jnp.full(1, 2.0)) > 1
    Array([ True], dtype=bool)
    """
    return jnp.nextafter(self, other)


@op("gcd", inplace=True, promotes=True)
def gcd(self, other):
    """Elementwise greatest common divisor of integers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.gcd(jnp.array([12]), jnp.array([18]))
    Array([6], dtype=int32)
    """
    return jnp.gcd(self, other)


@op("lcm", inplace=True, promotes=True)
def lcm(self, other):
    """Elementwise least common multiple of integers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.lcm(jnp.array([4]), jnp.array([6]))
    Array([12], dtype=int32)
    """
    return jnp.lcm(self, other)
