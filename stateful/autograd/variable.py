"""`Variable`: what tensors with gradients were called once."""

from __future__ import annotations

import warnings
from typing import Any

from .. import engine
from ..backward import backward, grad
from ..tensor import Tensor


class VariableMeta(type):
    """Every Tensor is a Variable, and ``Variable(x)`` makes a Tensor.

    >>> import stateful as torch
    >>> isinstance(torch.ones(1), torch.autograd.Variable)
    True
    """

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor)

    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None):
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                stacklevel=2,
            )
        tensor = Tensor() if data is None else data
        if not isinstance(tensor, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        out = tensor._alias()
        out.requires_grad = requires_grad
        return out


class Variable(metaclass=VariableMeta):
    """Kept for old programs: ``Variable(x, requires_grad=True)`` is a leaf that shares ``x``.

    >>> import stateful as torch
    >>> torch.autograd.Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    class _execution_engine:
        """The engine, as far as programs talk to it."""

        @staticmethod
        def run_backward(
            tensors, grad_tensors, keep_graph, create_graph, inputs=(), allow_unreachable=False,
            accumulate_grad=False,
        ):  # fmt: skip
            """`backward`, or the gradients of ``inputs`` unless they are to be accumulated."""
            if accumulate_grad:
                backward(tensors, grad_tensors, keep_graph, create_graph, inputs=inputs or None)
                return ()
            return grad(
                tensors, inputs, grad_tensors, keep_graph, create_graph,
                allow_unused=allow_unreachable,
            )  # fmt: skip

        @staticmethod
        def queue_callback(callback):
            """Call ``callback()`` at the end of the running backward."""
            engine.queue_callback(callback)
