"""Conjugates and negatives that are still to be taken: what PyTorch's bits say of a tensor.

PyTorch takes a conjugate when somebody needs the numbers; until then it is a bit of the view. Here
it is a step of the view like any other, so the bits are read off the steps when somebody asks. The
imaginary part of such a view is the one whose negative is still to be taken.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from funcgrad.ops import complexes, slicing

from .dispatch import call


def is_conj(input: Any) -> bool:
    """Whether ``input`` is the view of a tensor through an odd number of conjugates.

    >>> import stateful as torch
    >>> z = torch.tensor([1j])
    >>> z.is_conj(), z.conj().is_conj(), z.conj().clone().is_conj()
    (False, True, False)
    """
    return pending(input)[0]


def is_neg(input: Any) -> bool:
    """Whether ``input`` is the imaginary part of a conjugate view, or a view of its negative.

    >>> import stateful as torch
    >>> torch.is_neg(torch.tensor([1j]).conj().imag)
    True
    """
    return pending(input)[1]


def pending(tensor: Any) -> tuple[bool, bool]:
    """Whether the conjugate, and whether the negative, is still to be taken."""
    conjugate = negative = parts = False
    for op, template, _ in () if tensor._view is None else tensor._view.steps:
        if op.name == "_conj":
            conjugate = not conjugate
        elif op.name == "_neg_view":
            negative = not negative
        elif op.name == "view_as_real":
            conjugate, parts = False, conjugate
        elif parts:  # the first step after it chooses a part
            negative, parts = negative != (template[2] == 1), False
    return conjugate, negative


def flipped(tensor: Any, bits: tuple[bool, bool]) -> Any:
    """The view of the conjugate, and of the negative, of ``tensor``: see `pending`."""
    conjugate, negative = bits
    tensor = call(complexes._conj, (tensor,), {}) if conjugate else tensor
    return call(complexes._neg_view, (tensor,), {}) if negative else tensor


def resolve_conj(input: Any) -> Any:
    """``input``, or a copy of it if its conjugate is still to be taken.

    >>> import stateful as torch
    >>> torch.resolve_conj(torch.tensor([1j]).conj()).is_conj()
    False
    """
    return input.clone() if is_conj(input) else input


def resolve_neg(input: Any) -> Any:
    """``input``, or a copy of it if its negative is still to be taken.

    >>> import stateful as torch
    >>> torch.resolve_neg(torch.tensor([1j]).conj().imag)
    tensor([-1.])
    """
    return input.clone() if is_neg(input) else input


def check_resolved(tensor: Any) -> None:
    """Raise RuntimeError if the numbers in memory are not those of ``tensor``."""
    for kind, name, there in zip(
        ("conjugate", "negative"), ("conj", "neg"), pending(tensor), strict=True
    ):
        if there:
            raise RuntimeError(
                f"Can't call numpy() on Tensor that has {kind} bit set. "
                f"Use tensor.resolve_{name}().numpy() instead."
            )


def view_as_real(input: Any) -> Any:
    """Complex numbers as pairs of reals in a new last dimension.

    Raises RuntimeError if the conjugate of ``input`` is still to be taken.

    >>> import stateful as torch
    >>> torch.view_as_real(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if is_conj(input):
        raise RuntimeError(
            "view_as_real doesn't work on unresolved conjugated tensors: a view would show the "
            "numbers before their conjugate is taken. Use input.resolve_conj(), which makes a copy."
        )
    return call(complexes.view_as_real, (input,), {})


def part(name: str, function: Callable) -> Callable:
    """``function``, which is `torch.real` or `torch.imag`, on conjugates that are to be taken.

    As in PyTorch the parts are those of the tensor below, the imaginary one with a negative.
    """

    @functools.wraps(function)
    def taken(input):
        if getattr(input, "_view", None) is None or not is_conj(input):
            return function(input)
        parts = call(complexes.view_as_real, (flipped(input, (True, False)),), {})
        parts = flipped(parts, (False, name == "imag"))
        return call(slicing.select, (parts, input.dim(), int(name == "imag")), {})

    return taken


BITS = {
    "is_conj": is_conj, "is_neg": is_neg, "resolve_conj": resolve_conj, "resolve_neg": resolve_neg,
}  # fmt: skip
