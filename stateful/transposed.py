"""Warnings of ``x.T`` and its kin about tensors that are no matrices, once in a process."""

from __future__ import annotations

import functools
from collections.abc import Callable

from .once import warn_once
from .tensor import Tensor

_IDENTITY = "Tensor.{} is deprecated on 0-D tensors. This function is the identity in these cases."
_CONJUGATE = "{} is deprecated on 0-D tensors. Consider using x.conj()."
_ON_NUMBERS = {
    "T": _IDENTITY.format("T"), "mT": _IDENTITY.format("mT"),
    "H": _CONJUGATE.format("Tensor.H"), "mH": _CONJUGATE.format("Tensor.mH"),
    "adjoint": _CONJUGATE.format("adjoint()"),
}  # fmt: skip
_REVERSED = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated: "
    "use `x.mT` for the matrices of a batch, or `permute` with all dimensions."
)


def warned(name: str, function: Callable) -> Callable:
    """``function``, the attribute or method ``name``, with PyTorch's warnings if it has any."""
    if name not in _ON_NUMBERS:
        return function

    @functools.wraps(function)
    def transposed(input):
        rank = input.dim() if isinstance(input, Tensor) else 2
        if not rank:
            warn_once(_ON_NUMBERS[name])
        elif name == "T" and rank != 2:
            warn_once(_REVERSED)
        return function(input)

    return transposed
