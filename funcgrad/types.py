"""Dtypes as PyTorch sees them: type promotion and the default dtype.

PyTorch sorts the operands of an op into three categories, dimensioned tensors, zero-dim tensors
and Python numbers, and a lower category only changes the result when it is of a higher *kind*
(bool < integer < float < complex). NumPy and JAX have other rules, so every op that mixes
operands goes through `promote`.

The rules are those of ATen's `result_type` (`aten/src/ATen/native/TypeProperties.cpp`); the
tests compare them with PyTorch for all pairs of dtypes and categories. JAX has no complex32, so
where PyTorch gives `complex32` this module gives `complex64`.
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_BOOL, _INTEGER, _FLOAT, _COMPLEX = range(4)
_default = np.dtype(np.float32)


def default_dtype() -> np.dtype:
    """The dtype of Python floats and of floating results of integers; float32 unless set.

    >>> default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Set what `default_dtype()` returns. Raises TypeError unless `dtype` is a floating dtype.

    >>> set_default_dtype("float32")
    """
    global _default
    dtype = np.dtype(dtype)
    if _kind(dtype) != _FLOAT:
        raise TypeError(
            f"only floating-point types are supported as the default type, but got {dtype}"
        )
    _default = dtype


def default_complex_dtype() -> np.dtype:
    """The complex dtype of Python complex numbers: the complex partner of `default_dtype()`.

    >>> default_complex_dtype()
    dtype('complex64')
    """
    return to_complex(_default)


def index_dtype() -> np.dtype:
    """The dtype of indices and sizes: int64 if x64 is enabled, else int32.

    >>> index_dtype()
    dtype('int32')
    """
    return canonical(np.dtype(np.int64))


def canonical(dtype: Any) -> np.dtype:
    """The dtype that JAX can hold now: 64 bits become 32, silently, unless x64 is enabled.

    >>> canonical("int64"), canonical("float16")
    (dtype('int32'), dtype('float16'))
    """
    return jax.dtypes.canonicalize_dtype(dtype)


def is_floating(dtype: Any) -> bool:
    """Whether `dtype` is a real floating dtype, bfloat16 and the 8-bit floats included."""
    return _kind(np.dtype(dtype)) == _FLOAT


def is_complex(dtype: Any) -> bool:
    """Whether `dtype` is a complex dtype."""
    return _kind(np.dtype(dtype)) == _COMPLEX


def is_differentiable(dtype: Any) -> bool:
    """Whether tensors of this dtype can require a gradient: floating or complex."""
    return _kind(np.dtype(dtype)) >= _FLOAT


def to_complex(dtype: Any) -> np.dtype:
    """The complex dtype whose parts hold `dtype`; a complex dtype itself.

    Raises RuntimeError for integers, bool and 8-bit floats.

    >>> to_complex("float64")
    dtype('complex128')
    """
    dtype = np.dtype(dtype)
    if _kind(dtype) == _COMPLEX:
        return dtype
    if _kind(dtype) != _FLOAT or dtype.itemsize == 1:
        raise RuntimeError(f"Unknown Complex ScalarType for {dtype}: it has no complex partner")
    return np.dtype(np.complex128 if dtype.itemsize == 8 else np.complex64)


def to_real(dtype: Any) -> np.dtype:
    """The dtype of the real part of numbers of `dtype`; `dtype` itself unless it is complex.

    >>> to_real("complex64")
    dtype('float32')
    """
    dtype = np.dtype(dtype)
    if _kind(dtype) != _COMPLEX:
        return dtype
    return np.dtype(np.float64 if dtype.itemsize == 16 else np.float32)


def can_cast(from_: Any, to: Any) -> bool:
    """Whether an in-place op may store `from_` in `to`: the kind must not fall.

    >>> can_cast("float64", "float16"), can_cast("float32", "int64")
    (True, False)
    """
    return _kind(np.dtype(from_)) <= _kind(np.dtype(to))


@cache
def promote_types(first: Any, second: Any) -> np.dtype:
    """The smallest dtype that holds both, as `torch.promote_types`.

    Raises RuntimeError where PyTorch does: 8-bit floats promote with nothing, uint16, uint32 and
    uint64 only with floats.

    >>> promote_types("uint8", "int8"), promote_types("float16", "bfloat16")
    (dtype('int16'), dtype('float32'))
    """
    first, second = np.dtype(first), np.dtype(second)
    if first == second:
        return first
    _check_promotable(first, second)
    kinds = _kind(first), _kind(second)
    if max(kinds) == _COMPLEX:
        return np.dtype(
            np.complex128 if 8 in (_real_size(first), _real_size(second)) else np.complex64
        )
    if kinds == (_FLOAT, _FLOAT):
        if first.itemsize == second.itemsize:
            return np.dtype(np.float32)
        return max(first, second, key=lambda dtype: dtype.itemsize)
    if max(kinds) == _FLOAT:
        return first if kinds[0] == _FLOAT else second
    return np.promote_types(first, second)


def result_type(*operands: Any) -> np.dtype:
    """The `canonical` dtype in which an op computes with these operands (`torch.result_type`).

    Operands are arrays, tracers and Python numbers; a weakly typed zero-dim array is a Python
    number that was traced, and counts as one. None is ignored.

    >>> result_type(jnp.ones(3, jnp.float16), 2.5), result_type(jnp.ones(3, jnp.int8), 2.5)
    (dtype('float16'), dtype('float32'))
    >>> result_type(jnp.ones(3, jnp.int8), jnp.int32(7))  # zero-dim, of the same kind
    dtype('int8')
    """
    dimensioned = zero_dim = number = None
    for operand in operands:
        if operand is None:
            continue
        dtype = _number_dtype(operand)
        if dtype is not None:
            number = _join(number, dtype)
        elif operand.ndim:
            dimensioned = _join(dimensioned, operand.dtype)
        else:
            zero_dim = _join(zero_dim, operand.dtype)
    result = _combine(dimensioned, _combine(zero_dim, number))
    if result is None:
        raise RuntimeError("result_type: got no operand; pass at least one array or number")
    return canonical(result)


def promote(*operands: Any) -> tuple[Any, ...]:
    """The operands as arrays of dtype `result_type(*operands)`, none weakly typed; None stays None.

    Python numbers wrap around when the dtype is too small for them, as in PyTorch.

    >>> [str(operand.dtype) for operand in promote(jnp.ones(3, jnp.float16), 2.5)]
    ['float16', 'float16']
    """
    if not operands:
        return ()
    dtype = result_type(*operands)
    return tuple(cast(operand, dtype) for operand in operands)


def promote_float(*operands: Any) -> tuple[Any, ...]:
    """Like `promote`, but integers and bools become the default dtype (`div`, `sin`, ...).

    >>> [str(operand.dtype) for operand in promote_float(jnp.ones(3, jnp.int8), 2)]
    ['float32', 'float32']
    """
    dtype = result_type(*operands)
    if _kind(dtype) < _FLOAT:
        dtype = canonical(_default)
    return tuple(cast(operand, dtype) for operand in operands)


def as_float(operand: Any) -> jax.Array:
    """One operand of a floating function: integers and bools become the default floating dtype.

    >>> as_float(jnp.arange(3)).dtype
    dtype('float32')
    """
    return promote_float(operand)[0]


def cast(operand: Any, dtype: Any) -> Any:
    """`operand` as a strongly typed array of the canonical form of `dtype`; None stays None."""
    if operand is None:
        return None
    dtype = canonical(dtype)
    if isinstance(operand, jax.Array):
        if operand.dtype == dtype and not operand.weak_type:
            return operand
        if operand.dtype == jnp.bool_ and _kind(dtype) >= _FLOAT:
            return _zeros_and_ones(operand, dtype)
        return jax.lax.convert_element_type(_real_part(operand, dtype), dtype)
    return jnp.asarray(_real_part(np.asarray(operand), dtype).astype(dtype))


def _zeros_and_ones(mask: jax.Array, dtype: np.dtype) -> jax.Array:
    """A mask as numbers. XLA would take the product with a converted mask for a choice between a
    number and 0, but 0 times inf is nan.
    """
    return jnp.where(mask, jnp.ones((), dtype), jnp.zeros((), dtype))


def _number_dtype(operand: Any) -> np.dtype | None:
    """The dtype that a Python number stands for; None if `operand` is not a number."""
    if isinstance(operand, jax.Array):
        if operand.ndim or not operand.weak_type:
            return None
        kind = _kind(operand.dtype)
    elif isinstance(operand, bool):
        kind = _BOOL
    elif isinstance(operand, int):
        kind = _INTEGER
    elif isinstance(operand, float):
        kind = _FLOAT
    elif isinstance(operand, complex):
        kind = _COMPLEX
    elif hasattr(operand, "dtype"):
        return None
    else:
        raise TypeError(
            f"result_type: got {type(operand).__name__}; operands are arrays and numbers. "
            "Convert it with jax.numpy.asarray"
        )
    if kind == _COMPLEX:
        return default_complex_dtype()
    return (np.dtype(np.bool_), np.dtype(np.int64), _default)[kind]


def _join(first: np.dtype | None, second: np.dtype) -> np.dtype:
    """Promotion within one category."""
    return second if first is None else promote_types(first, second)


def _combine(higher: np.dtype | None, lower: np.dtype | None) -> np.dtype | None:
    """Promotion across categories: the lower one counts only if it is of a higher kind."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    kind, lower_kind = _kind(higher), _kind(lower)
    if kind == _FLOAT and lower_kind == _COMPLEX:
        return to_complex(higher)
    if lower_kind == _COMPLEX and kind < _FLOAT:
        return lower
    if kind < lower_kind:
        return promote_types(higher, lower)
    return higher


@cache
def _kind(dtype: np.dtype) -> int:
    """The place in bool < integer < float < complex; `dtype.kind` does not know bfloat16."""
    if dtype == np.bool_:
        return _BOOL
    for kind, group in (
        (_INTEGER, jnp.integer),
        (_FLOAT, jnp.floating),
        (_COMPLEX, jnp.complexfloating),
    ):
        if jnp.issubdtype(dtype, group):
            return kind
    raise TypeError(f"{dtype} is not a dtype of arrays of numbers")


def _real_size(dtype: np.dtype) -> int:
    """Bytes of one real component if `dtype` is inexact, else 0."""
    kind = _kind(dtype)
    return 0 if kind < _FLOAT else dtype.itemsize // (2 if kind == _COMPLEX else 1)


def _check_promotable(first: np.dtype, second: np.dtype) -> None:
    if any(_real_size(dtype) == 1 for dtype in (first, second)):
        raise RuntimeError(
            "Promotion for Float8 Types is not supported, attempted to promote "
            f"{first} and {second}. Convert one of them first"
        )
    wide = [dtype.kind == "u" and dtype.itemsize > 1 for dtype in (first, second)]
    floating = [_kind(dtype) == _FLOAT for dtype in (first, second)]
    if any(wide) and not any(floating):
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{first} and {second}. Convert one of them first"
        )


def _real_part(operand: Any, target: np.dtype) -> Any:
    """What a cast to `target` looks at: the real part, except that bool asks "not zero?"."""
    if _kind(operand.dtype) != _COMPLEX or _kind(target) == _COMPLEX:
        return operand
    return operand != 0 if _kind(target) == _BOOL else operand.real
