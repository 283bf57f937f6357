"""Formulas that give no gradient at all, where PyTorch leaves it undefined instead of zero.

The order 0 of a norm counts elements. Backward leaves ``.grad`` of its input as it was, and
``torch.autograd.grad`` says that the input was not used.
"""

from __future__ import annotations

from .execute import Kernel
from .nodes import Plan

NORMS = {"LinalgVectorNormBackward0": "ord", "NormBackward1": "p", "DistBackward0": "p"}
"""By the name of the node, the argument that is the order of a norm."""


class UndefinedPlan(Plan):
    """How an op is recorded whose inputs get no gradient."""

    def place(self, wanted):
        self.places[wanted] = [None] * len(self.owners)
        return self.places[wanted]


def counts(kernel: Kernel) -> bool:
    """Whether a call of ``kernel`` is a norm of order 0."""
    op = kernel.fn
    if op.grad_fn not in NORMS:
        return False
    args = op.unbind(kernel.static, [None] * len(kernel.inputs))
    return args[op.names.index(NORMS[op.grad_fn])] == 0
