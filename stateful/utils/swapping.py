"""`torch.utils.swap_tensors`: two tensors exchange all that they are."""

from __future__ import annotations

from typing import Any, NoReturn

from ..tensor import Tensor


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Let each name of ``t1`` mean what ``t2`` was, and the other way round.

    A graph that leads to one of them can no longer be gone back through: that raises RuntimeError.

    >>> import stateful as torch
    >>> x, y = torch.zeros(1), torch.ones(2)
    >>> torch.utils.swap_tensors(x, y)
    >>> x, y
    (tensor([1., 1.]), tensor([0.]))
    """
    for tensor, other in ((t1, t2), (t2, t1)):
        _poison(tensor, other)
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__


def _poison(leaf: Any, other: Any) -> None:
    """Let the node that adds to the gradient of a leaf raise, as ``other`` is this leaf soon."""
    node = leaf._accumulator and leaf._accumulator()
    if node is not None:
        node.register_prehook(_refuse)
        node.variable = other
        leaf._accumulator = None


def _refuse(grads: tuple) -> NoReturn:
    raise RuntimeError(
        "Trying to execute AccumulateGrad node that was poisoned by swap_tensors: the tensor that "
        "the graph leads to was swapped after the forward pass. Run the forward pass again."
    )
