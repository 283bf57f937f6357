"""Where the registry may differ from PyTorch, with the reason. This table may only shrink.

Every entry is ``(check, op): reason`` and must fail: an entry that passes is an error.
"""

_TIES = "PyTorch's partial sort picks an arbitrary one of equal elements; here it is the first"
_ZERO_TIMES_NAN = "PyTorch computes the gradient by other products when a zero is present"

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("edges", "kthvalue"): _TIES,
    ("not finite", "cumprod"): _ZERO_TIMES_NAN,
    ("not finite", "hardswish"): "at nan PyTorch's vectorized and scalar loops differ",
    ("not finite", "logcumsumexp"): "PyTorch's gradient is nan wherever an infinity is near",
    ("not finite", "mode"): "every nan is distinct here; PyTorch counts runs of the sorted array",
    ("not finite", "polygamma"): "the poles of higher derivatives are infinite here, nan there",
    ("not finite", "prod"): _ZERO_TIMES_NAN,
    ("not finite", "unique_dim"): "NumPy sorts slices with nan last, PyTorch where they are",
    ("sampled", "value_selecting_reduction_backward"): "only reached through max, sort, ...",
    ("value", "lgamma"): "XLA's float32 lgamma is off by 5e-7 near its zeros at 1 and 2",
    ("value", "addbmm"): "float32 sums in another order: 1e-7 of the largest element",
    ("gradient", "native_group_norm"): "no gradient through the means: group_norm drops them",
    ("edges", "native_group_norm"): "no gradient through the means: group_norm drops them",
}
