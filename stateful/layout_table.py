"""Which op has which rule for how its results lie in memory; one without a rule gives rows."""

from __future__ import annotations

from .layout_rules import (
    Rule,
    attended,
    backwards,
    by_columns,
    convolved,
    gated,
    heads_inside,
    indexed,
    joined,
    kept,
    of_the_second,
    outer,
    padded,
    pointwise,
    rolled,
    suggested,
    suggested_by_the_second,
    transformed,
    turned,
)

# fmt: off
POINTWISE = """
where.self maximum minimum fmax fmin angle add.Tensor sub.Tensor mul.Tensor div.Tensor
floor_divide remainder.Tensor fmod.Tensor reciprocal eq.Tensor ne.Tensor lt.Tensor le.Tensor
gt.Tensor ge.Tensor bitwise_and.Tensor bitwise_or.Tensor bitwise_xor.Tensor
bitwise_left_shift.Tensor bitwise_right_shift.Tensor exp exp2 expm1 log log2 log10 log1p sqrt rsqrt
special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1
special_modified_bessel_i0 special_modified_bessel_i1 special_modified_bessel_k0
special_modified_bessel_k1 special_scaled_modified_bessel_k0 special_scaled_modified_bessel_k1
special_spherical_bessel_j0 special_erfcx special_chebyshev_polynomial_t
special_chebyshev_polynomial_u special_chebyshev_polynomial_v special_chebyshev_polynomial_w
special_shifted_chebyshev_polynomial_t special_shifted_chebyshev_polynomial_u
special_shifted_chebyshev_polynomial_v special_shifted_chebyshev_polynomial_w
special_hermite_polynomial_h special_hermite_polynomial_he special_laguerre_polynomial_l
special_legendre_polynomial_p sigmoid sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
atan2 hypot sinc deg2rad rad2deg erf erfc erfinv lgamma digamma polygamma logit i0 special_i0e
special_i1 special_i1e special_entr special_ndtri special_log_ndtr addcmul addcdiv copysign.Tensor
logaddexp logaddexp2 ldexp.Tensor nextafter gcd lcm mse_loss smooth_l1_loss huber_loss igamma
igammac special_zeta special_xlog1py clamp clamp.Tensor clamp_min clamp_min.Tensor clamp_max
clamp_max.Tensor abs sgn sign div.Tensor_mode remainder.Scalar fmod.Scalar neg logical_and
logical_or logical_xor logical_not bitwise_not pow.Tensor_Scalar pow.Tensor_Tensor relu threshold
leaky_relu hardsigmoid hardswish gelu silu mish elu celu lerp.Scalar lerp.Tensor
copysign.Scalar heaviside xlogy.Tensor xlogy.Scalar_Other xlogy.Scalar_Self floor ceil
trunc round round.decimals frac complex polar add.Scalar sub.Scalar mul.Scalar
div.Scalar isnan isinf isfinite isposinf isneginf isclose threshold_backward
sigmoid_backward leaky_relu_backward leaky_relu.in_place hardtanh_backward
hardswish_backward softshrink_backward hardshrink_backward softshrink hardshrink tanh_backward
gelu_backward softplus_backward softplus elu_backward elu.in_place celu.in_place
log_sigmoid_backward mse_loss_backward smooth_l1_loss_backward huber_loss_backward
soft_margin_loss_backward signbit _conj_physical _ratio _hardsigmoid_gradient _xlogy_gradient
_xlog1py_gradient _prelu_kernel
""".split()
"""Ops that TensorIterator runs."""
KEPT = """
clone copy zero _to_copy
zeros_like ones_like full_like flip sort sort.stable index_put index_fill.int_Scalar
index_fill.int_Tensor put fill.Scalar fill.Tensor diagonal_scatter select_scatter slice_scatter
binary_cross_entropy hardtanh nan_to_num frexp.Tensor
""".split()
"""Ops whose results are in the memory format of their first argument."""
SUGGESTED = """
native_batch_norm native_group_norm avg_pool2d _adaptive_avg_pool2d
adaptive_max_pool2d max_pool2d_with_indices
max_pool3d_with_indices max_unpool2d reflection_pad2d reflection_pad3d
replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle
_UpsampleNearest2D _UpsampleNearest3D _UpsampleNearestExact2D _UpsampleNearestExact3D
_UpsampleBilinear2D _UpsampleTrilinear3D _UpsampleBicubic2D
""".split()
"""Ops whose results are channels last where their input is."""
SUGGESTED_BY_INPUT = """
_adaptive_avg_pool2d_backward adaptive_max_pool2d_backward avg_pool2d_backward
max_pool2d_with_indices_backward max_pool3d_with_indices_backward reflection_pad3d_backward
replication_pad2d_backward replication_pad3d_backward
""".split()
"""The same of ops that are given a gradient first."""

COLUMNS = {
    "linalg_inv_ex": (0,), "linalg_cholesky_ex": (0,), "cholesky": (0,), "cholesky_solve": (0,),
    "cholesky_inverse": (0,), "geqrf": (0,), "linalg_householder_product": (0,), "ormqr": (0,),
    "_lu_factor_ex": (0,), "linalg_qr": (0, 1), "_linalg_eigh": (1,), "linalg_eig": (1,),
    "_linalg_svd": (0, 2), "_linalg_solve_ex": (0, 1), "linalg_solve_triangular": (0,),
    "_lu_solve": (0,), "linalg_lstsq": (0,), "triangular_solve": (0, 1),
}  # fmt: skip
"""Ops of LAPACK, and which of their results are matrices that it keeps column by column."""
ATTENTION: dict[str, Rule] = {
    "_scaled_dot_product_flash_attention_for_cpu": attended,
    "_flash_attention_gradient": heads_inside,
}
ALWAYS = frozenset({*COLUMNS, *ATTENTION, "_fft_c2c", "_fft_c2r", "_fft_r2c", "rot90"})
"""Ops whose results may be no rows although all arguments are."""

# fmt: on

RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, pointwise),
    **dict.fromkeys(KEPT, kept),
    **dict.fromkeys(SUGGESTED, suggested),
    **dict.fromkeys(SUGGESTED_BY_INPUT, suggested_by_the_second),
    **{name: by_columns(*which) for name, which in COLUMNS.items()},
    **ATTENTION,
    "addr": outer,
    "_fft_c2c": transformed,
    "_fft_c2r": transformed,
    "_fft_r2c": transformed,
    "binary_cross_entropy_with_logits": of_the_second,
    "cat": joined,
    "constant_pad_nd": padded,
    "convolution": convolved,
    "glu": gated,
    "index.Tensor": indexed,
    "roll": rolled,
    "rsub.Scalar": backwards,
    "rsub.Tensor": backwards,
    "rot90": turned,
}
