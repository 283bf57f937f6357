"""Gradients that PyTorch cannot differentiate again: asking for it is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

NODE = "NotImplemented"
"""What PyTorch calls the node of an op without derivatives."""


def underivable(name: str, inputs: Iterable[str]) -> dict[str, Callable]:
    """The formulas of ``inputs`` of the ATen op ``name``, which has no derivative at all."""

    def formula(grads) -> NoReturn:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return dict.fromkeys(inputs, formula)
