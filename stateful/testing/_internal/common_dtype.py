"""`torch.testing._internal.common_dtype`: tuples of dtypes by kind."""

from __future__ import annotations

from collections.abc import Callable

from ... import dtypes as d

_FLOATING = (d.float32, d.float64)
_COMPLEX = (d.complex64, d.complex128)
_INTEGRAL = (d.uint8, d.int8, d.int16, d.int32, d.int64)
_HALF = (d.float16,)
Dtypes = tuple[d.dtype, ...]


def _types(*found: d.dtype) -> Callable[[], Dtypes]:
    return lambda: found


def _types_and(*found: d.dtype) -> Callable[..., Dtypes]:
    def types_and(*more: d.dtype) -> Dtypes:
        for item in more:
            if not isinstance(item, d.dtype):
                raise AssertionError(f"Expected dtype to be torch.dtype, got {type(item)}")
        return found + more

    return types_and


empty_types, custom_types = _types(), _types_and()
floating_types, floating_types_and = _types(*_FLOATING), _types_and(*_FLOATING)
complex_types, complex_types_and = _types(*_COMPLEX), _types_and(*_COMPLEX)
integral_types, integral_types_and = _types(*_INTEGRAL), _types_and(*_INTEGRAL)
floating_and_complex_types = _types(*_FLOATING, *_COMPLEX)
floating_and_complex_types_and = _types_and(*_FLOATING, *_COMPLEX)
all_types, all_types_and = _types(*_FLOATING, *_INTEGRAL), _types_and(*_FLOATING, *_INTEGRAL)
all_types_and_complex = _types(*_FLOATING, *_INTEGRAL, *_COMPLEX)
all_types_and_complex_and = _types_and(*_FLOATING, *_INTEGRAL, *_COMPLEX)
floating_types_and_half = _types(*_FLOATING, *_HALF)
all_types_and_half = _types(*_FLOATING, *_INTEGRAL, *_HALF)
double_types = _types(d.float64, d.complex128)


def get_all_int_dtypes() -> list[d.dtype]:
    """The integral dtypes."""
    return list(_INTEGRAL)


def get_all_complex_dtypes() -> list[d.dtype]:
    """The complex dtypes."""
    return list(_COMPLEX)


def get_all_fp_dtypes(include_half: bool = True, include_bfloat16: bool = True) -> list[d.dtype]:
    """The real floating dtypes."""
    return [*_FLOATING, *_HALF * include_half, *(d.bfloat16,) * include_bfloat16]


def get_all_dtypes(
    include_half: bool = True,
    include_bfloat16: bool = True,
    include_bool: bool = True,
    include_complex: bool = True,
) -> list[d.dtype]:
    """All dtypes, without those asked to be left out."""
    found = [*_INTEGRAL, *get_all_fp_dtypes(include_half, include_bfloat16)]
    return [*found, *(d.bool,) * include_bool, *_COMPLEX * include_complex]
