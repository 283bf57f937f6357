"""The gradients that `autograd.grad` returns lie in memory as PyTorch's do.

Still the pass is one kernel: where a formula gives a view, as that of a sum does, the plan notes
the kernels of the formula's ops instead of the one of the node, and so knows of which value the
result is which view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .execute import Aval, Kernel, Value, kernel_of
from .gradient_layouts import Unread, fitted, placed, sign, stand_in
from .gradient_sums import laid_as_sum
from .layout import lay, steps_of
from .result_layouts import changed, of_saved
from .schedule import IMPLICIT, Planner
from .thread_policy import run_by
from .watching import Hooks


class Capturing(Planner):
    """Plans on Tensors where gradients are views, or are gradients that came in."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.seeds: list[Any] = []

    def seed(self, edge, grad):
        found = super().seed(edge, grad)
        if found is not None and grad is not IMPLICIT:
            found = stand_in(found, sign(grad))
        self.seeds.append(found)
        return found

    def add(self, first, second):
        return laid_as_sum(super().add(first, second), first, second)

    def results_of(self, node, wanted, grads, kernel, saved):
        lying = node.lying(node, wanted, grads)
        if lying is None:
            before = self.count, len(self.entries)
            try:
                return self._on_tensors(node, wanted, grads, saved)
            except Unread:
                self.count = before[0]
                del self.entries[before[1] :]
        results = super().results_of(node, wanted, grads, kernel, saved)
        for i, place in lying or ():
            results[i] = placed(results[i], place, grads)
        return results

    def _on_tensors(self, node: Any, wanted: tuple[int, ...], grads: list, saved: list[int]):
        """The formulas op by op."""
        plan, kinds = node.plan, node.plan.saved_kinds
        given = [None if g is None else Hooks.as_tensor(g) for g in grads] + plan.missing
        with run_by(self._note):
            items = list(map(_item, kinds, saved, of_saved(plan)))
            strides = node.strides(node) if plan.strided else None
            results = plan.on_tensors(wanted, given, items, strides)
            kinds = plan.results(wanted)
            return [fitted(r, aval) for r, (_, aval) in zip(results, kinds, strict=True)]

    def _note(self, fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
        """The policy that notes what is to be computed."""
        if any(type(leaf) is not Value or leaf.array is not None for leaf in leaves):
            raise Unread
        kernel = kernel_of(fn, leaves, static)
        return kernel, self._emit(kernel, tuple([leaf.index for leaf in leaves]))

    def shown(self, inputs):
        sources: list[tuple[Any, Any, tuple]] = []
        numbers: dict[int, int] = {}
        found = [self.captured.get(edge) for edge in inputs]
        for grad in found:
            if grad is not None and id(grad) not in numbers:
                numbers[id(grad)] = len(sources)
                sources.append(self._source(grad))
        return sources, [None if grad is None else numbers[id(grad)] for grad in found]

    def lent(self):
        if not self.lends:
            return {}
        last = {id(grad): (number, grad) for number, grad in self.arrivals}
        found = {}
        for number, grad in last.values():  # the others had to leave it to this leaf
            root, _, steps = self._source(grad)
            if steps and type(root) is int:
                found[number] = root, steps
        return found

    def _source(self, grad: Any) -> tuple[Any, Any, tuple]:
        """Of what, with which strides, a gradient is which view."""
        if type(grad) is Value:
            return grad, None, ()
        steps = steps_of(grad)
        for number, seed in enumerate(self.seeds):
            if seed is not None and type(seed) is not Value and seed._storage is grad._storage:
                return number, None, steps[len(steps_of(seed)) :]
        geometry = grad._storage.geometry
        return grad._storage.value, geometry and changed(geometry), steps


def _item(kind: Any, place: int, stride: Any) -> Any:
    """What stands for something that a node saved. Raises `Unread` for a number."""
    if not isinstance(kind, Aval):
        raise Unread
    return lay(Hooks.as_tensor(Value(kind, None, None, place)), stride)


Hooks.capturing = Capturing
