"""``torch._C._functions``: functions that exist for tests of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import modes
from ..graph import AccumulateGrad as AccumulateGrad
from ..graph import Node, gradient_edge
from ..tensor import Tensor


class UndefinedGradBackward(Node):
    """Passes on that there is no gradient."""

    __module__ = "builtins"

    def __init__(self, inputs: Sequence[Tensor]):
        super().__init__()
        self.edges = tuple(map(gradient_edge, inputs))
        self.avals = tuple(x._aval for x in inputs)

    def name(self) -> str:
        return f"torch::autograd::{type(self).__name__}"

    def run(self, grads, needed):
        return [None] * len(self.targets)


class Error(UndefinedGradBackward):
    """Raises RuntimeError in backward."""

    message: str

    def run(self, grads, needed):
        raise RuntimeError(self.message)


def _checked(inputs: Sequence[Any], count: int) -> None:
    if len(inputs) != count:
        raise TypeError(f"expected {count} arguments, got {len(inputs)} instead")
    for i, item in enumerate(inputs):
        if not isinstance(item, Tensor):
            raise TypeError(f"argument {i} is not a Variable, but {type(item).__name__}")


class UndefinedGrad(Node):
    """A copy of a tensor that sends no gradient back."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        _checked(inputs, 1)
        with modes.no_grad():
            out: Any = inputs[0].clone()  # type: ignore[attr-defined]
        if modes.state.grad_enabled and inputs[0].requires_grad:
            out._set_history(UndefinedGradBackward(inputs), 0)
        return out


class DelayedError(Node):
    """The same tensors, whose backward raises RuntimeError with ``msg``."""

    def __init__(self, msg: str, num_inputs: int):
        self.msg, self.num_inputs = msg, num_inputs

    def __call__(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        _checked(inputs, self.num_inputs)
        outs = tuple(x.data for x in inputs)
        if modes.state.grad_enabled and any(x.requires_grad for x in inputs):
            node = Error(inputs)
            node.message = self.msg
            for nr, out in enumerate(outs):
                out._set_history(node, nr)
        return outs[0] if len(outs) == 1 else outs
