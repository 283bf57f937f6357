"""Differentiable outputs of a compiled forward pass: one node, whose backward is compiled too.

The step is traced together with the backward pass of its outputs, by the engine and its formulas,
and the one program is cut where the gradients of the outputs come in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from .. import modes
from ..engine import run_backward
from ..execute import Value
from ..graph import FREED, Node, gradient_edge
from ..tensor import Tensor
from ..views import Counter
from .jaxprs import as_function, split
from .trace import New, Traced
from .world import World


def differentiable_outputs(traced: Traced, world: World) -> list[int]:
    """Which outputs have a history that the caller may want to go back through.

    No output if the step itself called ``backward``: then the history is used up.
    """
    saved = {id(container): content for container, content in world.saved}
    for tensor in world.tensors.values():
        grad, before = tensor._grad, saved[id(vars(tensor))].get("_grad")
        if grad is not before or grad is not None and grad._storage.version:
            if grad is not None:
                return []
    if any(kind == "grad" for _, kind, _ in traced.argument_writes):
        return []
    made = [x for x in traced.outputs if isinstance(x, New)]
    return [i for i, x in enumerate(made) if getattr(x.tensor, "_node", None) is not None]


class Targets:
    """Where gradients can flow to: leaves of the state, by name, and arguments, by number."""

    def __init__(self, world: World, traced: Traced):
        self.names = [
            n for n, t in world.tensors.items()
            if t._requires_grad and t._node is None and t._base is None
        ]  # fmt: skip
        self.arguments = [i for i, t in enumerate(traced.arguments) if t._requires_grad]

    def of(self, world: World, arguments: Sequence[Any]) -> list[Tensor]:
        """These tensors."""
        return [*(world.tensors[n] for n in self.names), *(arguments[i] for i in self.arguments)]


def pull_back(traced: Traced, outputs: list[int], targets: list[Tensor], grads: Sequence) -> list:
    """The gradients of the targets from those of the outputs; None where nothing flows."""
    made = [x for x in traced.outputs if isinstance(x, New)]
    edges = [gradient_edge(made[i].tensor) for i in outputs]
    inputs = [gradient_edge(t) for t in targets]
    results = run_backward(
        edges, [Value.of(g) for g in grads], keep_graph=False, create_graph=False,
        inputs=inputs, accumulate=False,
    )  # fmt: skip
    return [None if r is None else (r if type(r) is Value else r._read()).read() for r in results]


class Backward:
    """The second part of a program: from what the first has kept, and gradients, to gradients.

    ``given``: inputs of the first part that are kept as they are; ``kept``: how many of its outputs
    are; ``reached``: the targets that get a gradient.
    """

    def __init__(
        self, closed: Any, count: int, outputs: list[int], targets: Targets, reached: list[int]
    ):
        self.first, self.second, self.given, self.kept = split(closed, count, len(outputs))
        self.outputs, self.targets, self.reached = outputs, targets, reached
        with jax.enable_x64(True):
            self.jitted = jax.jit(as_function(self.second))


class CompiledFunctionBackward(Node):
    """The backward of one call of a compiled forward pass.

    ``saved``: counters of what it keeps as it was given, and their versions.
    """

    saved: Sequence[tuple[Counter, int]] = ()

    def __init__(self, backward: Backward, kept: list, targets: list[Tensor], avals: list):
        super().__init__()
        self.backward, self.kept, self.avals = backward, kept, tuple(avals)
        self.edges = tuple(gradient_edge(targets[i]) for i in backward.reached)

    def release(self):
        self.kept = None

    def run(self, grads, needed):
        if self.kept is None:
            raise RuntimeError(FREED)
        for counter, version in self.saved:
            if counter.version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    "inplace operation: an input of a compiled function is at version "
                    f"{counter.version}; expected version {version} instead. Clone it before it is "
                    "changed, or change it after the backward pass."
                )
        if modes.state.grad_enabled:
            raise RuntimeError(
                "torch.compile with aot_autograd does not currently support double backward: take "
                "the second derivative inside of the compiled function, or do not compile it."
            )
        feed = [
            np.zeros(aval.shape, aval.dtype) if g is None
            else (g if type(g) is Value else g._read()).read()
            for g, aval in zip(grads, self.avals, strict=True)
        ]  # fmt: skip
        with jax.enable_x64(True):
            outs = self.backward.jitted(*self.kept, *feed)
        return list(map(Value.of, outs))
