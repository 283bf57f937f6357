"""Kinds of numbers that PyTorch has no kernel for: orders of complex numbers, bits of floats, ...

JAX computes some of these, so that a program would get a result where PyTorch raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from . import types

TYPE_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16",
    "int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte",
    "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}  # fmt: skip


def type_name(dtype: np.dtype) -> str:
    """PyTorch's legacy name of a dtype, which errors and the types of tensors show."""
    return TYPE_NAMES.get(dtype.name, dtype.name)


_BITS = {
    "bitwise_and": "bitwise_and_cpu", "bitwise_or": "bitwise_or_cpu",
    "bitwise_xor": "bitwise_xor_cpu", "bitwise_not": "bitwise_not_cpu",
    "bitwise_left_shift": "lshift_cpu", "bitwise_right_shift": "rshift_cpu",
    "gcd": "gcd_cpu", "lcm": "lcm_cpu",
}  # fmt: skip
_SPECIAL = """
airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u
chebyshev_polynomial_v chebyshev_polynomial_w erfcx hermite_polynomial_h hermite_polynomial_he
laguerre_polynomial_l legendre_polynomial_p modified_bessel_i0 modified_bessel_i1 modified_bessel_k0
modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1
shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
shifted_chebyshev_polynomial_w spherical_bessel_j0
""".split()
_HALF = {f"special_{name}": f"{name}_cpu" for name in _SPECIAL}
_COMPLEX = {
    **_BITS, **_HALF,
    "max": "max_all", "min": "min_all", "amax": "max_values_cpu", "amin": "min_values_cpu",
    "aminmax": "aminmax_cpu", "cummax": "cummax_cpu", "cummin": "cummin_cpu",
    "median": "median_cpu", "nanmedian": "median_cpu", "median.dim": "median_out",
    "nanmedian.dim": "median_out", "mode": "mode_cpu", "kthvalue": "kthvalue_cpu",
    "lt": "lt_cpu", "le": "le_cpu", "gt": "gt_cpu", "ge": "ge_cpu",
    "fmod": "fmod_cpu", "remainder": "remainder_cpu", "floor_divide": "div_floor_cpu",
    "atan2": "atan2_cpu", "hypot": "hypot_cpu", "copysign": "copysign_cpu",
    "nextafter": "nextafter_cpu", "frac": "frac_cpu", "round": "round_vml_cpu",
    "round.decimals": "round_cpu", "leaky_relu": "leaky_relu_cpu", "elu": "elu_cpu",
    "softplus": "softplus_cpu", "gelu": "GeluKernelImpl", "hardswish": "hardswish_cpu",
    "threshold": "threshold_cpu", "mish": "mish_cpu", "log_sigmoid_forward": "log_sigmoid_cpu",
    "erf": "erf_vml_cpu", "erfinv": "erfinv_vml_cpu", "lgamma": "lgamma_vml_cpu",
    "digamma": "digamma", "i0": "i0_vml_cpu", "logit": "logit_cpu", "xlogy": "xlogy_cpu",
    "mse_loss": "mse_cpu", "smooth_l1_loss": "smooth_l1_cpu", "huber_loss": "huber_cpu",
    "binary_cross_entropy": "binary_cross_entropy", "clamp_min.Tensor": "maximum_cpu",
    "clamp_max.Tensor": "minimum_cpu", "searchsorted": "searchsorted_out_cpu",
    "bucketize": "searchsorted_out_cpu", "_prelu_kernel": "prelu_cpu",
}  # fmt: skip
_INTEGER = {
    "gelu": "GeluKernelImpl", "softplus": "softplus_cpu", "leaky_relu": "leaky_relu_cpu",
    "elu": "elu_cpu", "celu": "elu_cpu", "silu": "silu_cpu", "mish": "mish_cpu", "glu": "glu_cpu",
    "hardswish": "hardswish_cpu", "hardsigmoid": "hardsigmoid_cpu", "hardshrink": "hardshrink_cpu",
    "softshrink": "softshrink_check", "log_sigmoid_forward": "log_sigmoid_cpu",
    "_prelu_kernel": "prelu_cpu", "frac": "frac_cpu", "hypot": "hypot_cpu",
    "logaddexp": "logaddexp_cpu", "logaddexp2": "logaddexp2_cpu", "nextafter": "nextafter_cpu",
    "lerp.Scalar": "lerp_kernel_scalar", "lerp.Tensor": "lerp_kernel_tensor",
    "logcumsumexp": "logcumsumexp_out_cpu", "native_layer_norm": "LayerNormKernelImpl",
    "mse_loss": "mse_cpu", "smooth_l1_loss": "smooth_l1_cpu", "huber_loss": "huber_cpu",
    "binary_cross_entropy": "binary_cross_entropy",
}  # fmt: skip
_BOOL = {
    **_INTEGER,
    "bitwise_left_shift": "lshift_cpu", "bitwise_right_shift": "rshift_cpu", "gcd": "gcd_cpu",
    "lcm": "lcm_cpu", "floor_divide": "div_floor_cpu", "remainder.Tensor": "remainder_cpu",
    "fmod.Tensor": "fmod_cpu", "floor": "floor_vml_cpu", "ceil": "ceil_vml_cpu",
    "trunc": "trunc_vml_cpu", "round": "round_vml_cpu", "abs": "abs_cpu",
    "addcmul": "addcmul_cpu_out", "threshold": "threshold_cpu", "clamp.Tensor": "clamp_cpu",
    "dot": "dot", "mv": "addmv_impl_cpu", "mm": "addmm_impl_cpu_", "addmm": "addmm_impl_cpu_",
    "bmm": "bmm", "baddbmm": "baddbmm", "trace": "trace", "kthvalue": "kthvalue_cpu",
    "median": "median_cpu", "nanmedian": "median_cpu", "convolution": "slow_conv2d_cpu",
}  # fmt: skip
_CLAMP = "clamp is not supported for complex types"
_MESSAGES = {
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "relu", "hardtanh"), _CLAMP),
    **{name: f"{name} is not supported for complex inputs" for name in ("floor", "ceil", "trunc")},
    "sign": "Unlike NumPy, torch.sign is not intended to support complex numbers. Use torch.sgn.",
    "signbit": "signbit is not implemented for complex tensors.",
}
_AS_RUNTIME_ERROR = {
    **{name: f"{name} not implemented for complex tensors."
       for name in ("maximum", "minimum", "fmax", "fmin")},
    **{name: f"{name} does not support complex inputs." for name in ("isposinf", "isneginf")},
    "heaviside": "heaviside is not yet implemented for complex tensors.",
    "rad2deg": "rad2deg is not supported for complex tensors.",
    "deg2rad": "deg2rad is not supported for complex tensors.",
}  # fmt: skip
_BOOL_AS_RUNTIME_ERROR = {
    "argmax": "argmax(): does not support bool input",
    "argmin": "argmin(): does not support bool input",
    "hardtanh": "Bool inputs not supported for hardtanh",
    "topk": "topk does not support bool dtypes on CPU",
}
_BY_KIND = {
    "complex": _COMPLEX, "floating": _BITS, "half": {**_BITS, **_HALF}, "int": _INTEGER,
    "bool": _BOOL,
}  # fmt: skip


def is_limited(aten: str) -> bool:
    """Whether the op of this ATen name is refused for some dtype."""
    tables = *_BY_KIND.values(), _MESSAGES, _AS_RUNTIME_ERROR, _BOOL_AS_RUNTIME_ERROR
    return any(_entry(table, aten) for table in tables)


def check(aten: str, dtype: np.dtype) -> None:
    """Raise NotImplementedError, or RuntimeError, if PyTorch's op does not take ``dtype``."""
    dtype = np.dtype(dtype)
    kind = "complex" if types.is_complex(dtype) else _real_kind(dtype)
    kernel = _entry(_BY_KIND.get(kind, {}), aten)
    if kernel:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(dtype)}'")
    if kind == "complex" and (message := _entry(_MESSAGES, aten)):
        raise NotImplementedError(message)
    errors = {"complex": _AS_RUNTIME_ERROR, "bool": _BOOL_AS_RUNTIME_ERROR}
    if message := _entry(errors.get(kind, {}), aten):
        raise RuntimeError(message)


def _real_kind(dtype: np.dtype) -> str:
    if not types.is_floating(dtype):
        return "bool" if dtype == np.dtype(bool) else "int"
    return "half" if dtype.itemsize < 4 else "floating"


def _entry(table: dict[str, str], aten: str) -> str | None:
    """That of the overload, or that of all overloads.

    An order along a dimension is refused by its op itself.
    """
    if aten in ("max.dim", "min.dim"):
        return None
    return table.get(aten) or table.get(aten.partition(".")[0])


def check_number(value: Any, dtype: np.dtype) -> None:
    """RuntimeError for a complex number that is to be stored in a real ``dtype``, except bool."""
    given = isinstance(value, complex) or types.is_complex(getattr(value, "dtype", dtype))
    if given and not types.is_complex(dtype) and dtype != np.dtype(bool):
        name = type_name(dtype).lower()
        raise RuntimeError(
            f"value cannot be converted to type {name} without overflow: it is complex"
        )


def check_draw(kernel: str, dtype: np.dtype, *, real: bool = False) -> None:
    """NotImplementedError if the sampler of this name has no numbers of ``dtype``.

    ``real``: it takes floating-point numbers only.
    """
    if types.is_complex(dtype) or real and not types.is_floating(dtype):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(dtype)}'")


NO_BOOL = ("sub", "rsub")


def check_no_bool(operands: Iterable) -> None:
    """RuntimeError if one of the operands of a subtraction is boolean."""
    booleans = [jnp.result_type(x) == jnp.bool_ for x in operands]
    if all(booleans):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if any(booleans):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )
