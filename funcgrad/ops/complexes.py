"""Complex numbers: magnitude and sign, parts and conjugates."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from .. import signature, types
from ..composite import composite
from ..op import op
from ..together import together
from ..unsupported import type_name
from .choose import where
from .creation import zeros_like
from .slicing import select
from .view import in_order


@composite()
def is_complex(self) -> bool:
    """Whether ``self`` has a complex dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.is_complex(jnp.ones(2) * 1j)
    True
    """
    return types.is_complex(signature.dtype(self.dtype))


@composite()
def is_floating_point(self) -> bool:
    """Whether ``self`` has a real floating dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.is_floating_point(jnp.ones(2))
    True
    """
    return types.is_floating(signature.dtype(self.dtype))


@op("abs.in_place", grad_fn="AbsBackward0", face="private",
    vjp=dict(self=lambda grad, self: grad * sgn(self)))  # fmt: skip
def _abs_in_place(self):
    """`abs` of real numbers."""
    if is_complex(self):
        raise RuntimeError(
            "In-place abs is not supported for complex tensors: the result is real. Use abs()."
        )
    return jnp.abs(self)


@op("abs", grad_fn="AbsBackward0", inplace=_abs_in_place, dunder="abs",
    vjp=dict(self=lambda grad, self: grad * sgn(self)))  # fmt: skip
def abs(self):
    """Elementwise absolute value; the gradient at 0 is 0 (``jax.numpy``'s is 1).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.abs(jnp.array([-1.0, 2.0]))
    Array([1., 2.], dtype=float32)
    """
    return jnp.abs(self)


def _sgn_self(grad, self, result):
    """The part of ``grad`` across the ray through ``self``, over its length; 0 at 0."""
    if not is_complex(self):
        return zeros_like(grad)
    length = abs(self)
    length = where(length == 0, math.inf, length)
    along = real(grad * result.conj())
    return (grad - along * result) / length


@op("sgn", grad_fn="SgnBackward0", inplace=True, vjp=dict(self=_sgn_self))
def sgn(self):
    """Elementwise sign; of complex numbers ``self / abs(self)``. 0 at 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sgn(jnp.array([-2.0, 0.0, 3.0]))
    Array([-1.,  0.,  1.], dtype=float32)
    """
    return jnp.sign(self) if types.is_complex(self.dtype) else _real_sign(self)


def _real_sign(x):
    """The sign of nan is 0."""
    return x if x.dtype == jnp.bool_ else jnp.where(x != x, 0, jnp.sign(x))


@op("sign", grad_fn="SignBackward0", inplace=True, vjp=dict(self=lambda grad: zeros_like(grad)))
def sign(self):
    """Elementwise sign of real numbers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.sign(jnp.array([-2.0, 0.0, 3.0]))
    Array([-1.,  0.,  1.], dtype=float32)
    """
    return _real_sign(self)


@op("view_as_real", grad_fn="ViewAsRealBackward0", is_view=True,
    vjp=dict(self=lambda grad: view_as_complex(in_order(grad))))  # fmt: skip
def view_as_real(self):
    """Complex numbers as pairs of reals in a new last dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.view_as_real(jnp.array([1 + 2j]))
    Array([[1., 2.]], dtype=float32)
    """
    if not types.is_complex(self.dtype):
        raise RuntimeError(f"view_as_real is only supported for complex tensors, not {self.dtype}")
    return jnp.stack([jnp.real(self), jnp.imag(self)], -1)


@op("view_as_complex", grad_fn="ViewAsComplexBackward0", is_view=True,
    vjp=dict(self=lambda grad: view_as_real(grad)))  # fmt: skip
def view_as_complex(self):
    """Pairs of reals in the last dimension as complex numbers.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.view_as_complex(jnp.array([[1.0, 2.0]]))
    Array([1.+2.j], dtype=complex64)
    """
    if not types.is_floating(self.dtype):
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            f"tensor of scalar type: {self.dtype}"
        )
    if not self.ndim or self.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    return lax.complex(self[..., 0], self[..., 1])


@composite()
def real(self):
    """The real part: a view of a complex array, a real array itself.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.real(jnp.array([1 + 2j]))
    Array([1.], dtype=float32)
    """
    return select(view_as_real(self), self.ndim, 0) if is_complex(self) else self


@composite()
def imag(self):
    """The imaginary part, a view. Raises RuntimeError for a real array.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.imag(jnp.array([1 + 2j]))
    Array([2.], dtype=float32)
    """
    if not is_complex(self):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return select(view_as_real(self), self.ndim, 1)


@op("_conj", grad_fn="ConjBackward0", is_view=True, face="private",
    vjp=dict(self=lambda grad: grad.conj()))  # fmt: skip
def _conj(self):
    """The complex conjugate, a view in PyTorch."""
    return jnp.conj(self)


@op("_neg_view", grad_fn="NegViewBackward0", is_view=True,
    vjp=dict(self=lambda grad: -grad))  # fmt: skip
def _neg_view(self):
    """The negative, a view in PyTorch."""
    return jnp.negative(self)


@composite()
def conj(self):
    """The complex conjugate; a real array itself.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conj(jnp.array([1 + 2j]))
    Array([1.-2.j], dtype=complex64)
    """
    return _conj(self) if is_complex(self) else self


@op("_conj_physical", grad_fn="ConjPhysicalBackward0", face="private",
    vjp=dict(self=lambda grad: conj_physical(grad)))  # fmt: skip
def _conj_physical(self):
    """The complex conjugate as new memory."""
    return jnp.conj(self)


@composite(inplace=True)
def conj_physical(self):
    """The complex conjugate as new memory; a real array itself.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.conj_physical(jnp.array([1 + 2j]))
    Array([1.-2.j], dtype=complex64)
    """
    return _conj_physical(self) if is_complex(self) else self


@composite()
def resolve_conj(self):
    """``self``: there are no lazy conjugates here.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.resolve_conj(jnp.array([1 + 2j]))
    Array([1.+2.j], dtype=complex64)
    """
    return self


@composite()
def resolve_neg(self):
    """``self``: there are no lazy negations here.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.resolve_neg(jnp.ones(1))
    Array([1.], dtype=float32)
    """
    return self


def _angle_self(grad, self):
    """Across the ray through ``self``, over its length; 0 at 0 and for real numbers."""
    if not is_complex(self):
        return zeros_like(grad)
    length = abs(self)
    return grad * where(self == 0.0, 0.0, self / (length * length)) * 1j


@op("angle", grad_fn="AngleBackward0", promotes="float", vjp=dict(self=_angle_self))
def angle(self):
    """The angle of complex numbers; of real ones 0 or pi.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.angle(jnp.array([1.0, -1.0]))
    Array([0.       , 3.1415927], dtype=float32)
    """
    if types.is_complex(self.dtype):
        return jnp.angle(self)
    return jnp.where(self != self, self, jnp.where(self < 0, jnp.pi, 0.0).astype(self.dtype))


_real_of, _imag_of = real, imag


def _check_parts(one, other):
    if not (types.is_floating(one.dtype) and types.is_floating(other.dtype)):
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{type_name(one.dtype)} and {type_name(other.dtype)}"
        )


@op(
    "complex", grad_fn="ComplexBackward0", face="torch",
    vjp=dict(
        real=lambda grad, real: _real_of(grad), imag=lambda grad, imag: _imag_of(grad)
    ),
)  # fmt: skip
def complex(real, imag):
    """Complex numbers from their parts, two floating arrays of one dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.complex(jnp.ones(1), jnp.ones(1))
    Array([1.+1.j], dtype=complex64)
    """
    _check_parts(real, imag)
    if real.dtype != imag.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real.dtype} but got scalar type {imag.dtype} for "
            "second argument"
        )
    return lax.complex(*jnp.broadcast_arrays(real, imag))


def _polar(mask, grad, result):
    grad = grad.conj()
    return (
        real(grad * sgn(result)) if mask[0] else None,
        real(grad * (result * 1j)) if mask[1] else None,
    )


@op(
    "polar", grad_fn="PolarBackward0", face="torch",
    vjp=together(_polar, "abs", "angle"),
)  # fmt: skip
def polar(abs, angle):
    """Complex numbers from their magnitude and angle, two floating arrays of one dtype.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.polar(jnp.ones(1), jnp.zeros(1))
    Array([1.+0.j], dtype=complex64)
    """
    _check_parts(abs, angle)
    if abs.dtype != angle.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {abs.dtype} but got scalar type {angle.dtype} for "
            "second argument"
        )
    return lax.complex(*jnp.broadcast_arrays(abs * jnp.cos(angle), abs * jnp.sin(angle)))
