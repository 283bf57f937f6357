"""Kinds of numbers that PyTorch has no kernel for: the order of complex numbers, bits of floats.

JAX computes some of these, so that a program would get a result where PyTorch raises.
"""

from __future__ import annotations

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
_COMPLEX = {
    **_BITS,
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
_BOOL = {
    "bitwise_left_shift": "lshift_cpu", "bitwise_right_shift": "rshift_cpu", "gcd": "gcd_cpu",
    "lcm": "lcm_cpu", "floor_divide": "div_floor_cpu", "remainder": "remainder_cpu",
    "fmod": "fmod_cpu", "floor": "floor_vml_cpu", "ceil": "ceil_vml_cpu",
    "trunc": "trunc_vml_cpu", "round": "round_vml_cpu",
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
_BY_KIND = {"complex": _COMPLEX, "floating": _BITS, "bool": _BOOL}


def is_limited(aten: str) -> bool:
    """Whether the op of this ATen name is refused for some dtype."""
    tables = *_BY_KIND.values(), _MESSAGES, _AS_RUNTIME_ERROR
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
    if kind == "complex" and (message := _entry(_AS_RUNTIME_ERROR, aten)):
        raise RuntimeError(message)


def _real_kind(dtype: np.dtype) -> str:
    return "bool" if dtype == np.dtype(bool) else "floating" if types.is_floating(dtype) else "int"


def _entry(table: dict[str, str], aten: str) -> str | None:
    """That of the overload, or that of all overloads.

    An order along a dimension is refused by its op itself.
    """
    if aten in ("max.dim", "min.dim"):
        return None
    return table.get(aten) or table.get(aten.partition(".")[0])
