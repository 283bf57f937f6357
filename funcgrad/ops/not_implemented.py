"""Inputs of differentiable ops of which PyTorch has no derivative: asking for one is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


def not_implemented(name: str) -> Callable:
    """The formula of an input without derivative; PyTorch calls it ``name``."""

    def formula(grads) -> NoReturn:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return formula
