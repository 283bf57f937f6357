"""What ops are called in ATen where that is not how they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from funcgrad.op import Op

NAMES = {
    "_new_zeros": "new_zeros",
    "_scatter_once": "scatter.src",
    "_index_put_in_gradient": "index_put",
}
"""Ops of formulas that are special cases of ops of ATen."""

WITH_NUMBER: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        [f"{name}.Tensor" for name in "eq ne lt le gt ge".split()], ("", "Scalar")
    ),
    **dict.fromkeys(
        [f"{name}.Tensor" for name in "bitwise_and bitwise_or bitwise_xor remainder".split()],
        ("Scalar_Tensor", "Scalar"),
    ),
    **dict.fromkeys(
        [f"bitwise_{way}_shift.Tensor" for way in ("left", "right")],
        ("Scalar_Tensor", "Tensor_Scalar"),
    ),
    **dict.fromkeys(["special_zeta", "special_xlog1py"], ("self_scalar", "other_scalar")),
    "xlogy.Tensor": ("Scalar_Self", "Scalar_Other"),
    "searchsorted.Tensor": ("", "Scalar"),
    "bucketize.Tensor": ("Scalar", ""),
    "isin.Tensor_Tensor": ("Scalar_Tensor", "Tensor_Scalar"),
}  # fmt: skip
"""Overloads that take a number in place of the first, or of the second, of two tensors."""


def declared_as(op: Op) -> str:
    """The name of an op with its overload, ``"mul.Tensor"``, or ``"exp"`` for the default one."""
    name: str = op.aten
    return NAMES.get(name, name)


def overloads_of(op: Op) -> list[str]:
    """All overloads that are this op for some kinds of arguments."""
    own = declared_as(op).partition(".")[2] or "default"
    return [own, *[name for name in WITH_NUMBER.get(op.aten, ()) if name]]


def overload_for(op: Op, values: Sequence) -> str:
    """The overload that is this op for these arguments."""
    for name, value in zip(WITH_NUMBER.get(op.aten, ()), values, strict=False):
        if name and isinstance(value, bool | int | float | complex):
            return name
    return overloads_of(op)[0]
