"""`torch.utils.module_tracker`: in which modules a program is."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..autograd.graph import register_multi_grad_hook
from ..autograd.variable import Variable
from ..nn.modules.module import (
    Module,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from ..tensor import Tensor
from ._pytree import tree_leaves


class ModuleTracker:
    """Context manager whose ``parents`` are the names of the modules that are running.

    In a backward pass, of those whose gradients are being computed. A module that no other one
    contains is known by its class; ``Global`` is always there.

    >>> import stateful as torch
    >>> from stateful.utils.module_tracker import ModuleTracker
    >>> class Printing(torch.nn.Module):
    ...     def forward(self, x):
    ...         print(sorted(tracker.parents))
    ...         return x
    >>> with ModuleTracker() as tracker:
    ...     x = torch.nn.Sequential(Printing())(torch.ones(1))
    ['Global', 'Sequential', 'Sequential.0']
    """

    def __init__(self) -> None:
        self.parents = {"Global"}
        self._names: weakref.WeakKeyDictionary[Module, str] = weakref.WeakKeyDictionary()
        self._hooks: list[Any] = []
        self._in_backward = False

    def __enter__(self) -> ModuleTracker:
        self._hooks += [
            register_module_forward_pre_hook(self._begin),
            register_module_forward_hook(self._end),
        ]
        return self

    def __exit__(self, *exc: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _name(self, module: Module) -> str:
        if module not in self._names:
            self._know(module, type(module).__name__)
        return self._names[module]

    def _know(self, module: Module, name: str) -> None:
        self._names[module] = name
        for part, child in module.named_children():
            self._know(child, f"{name}.{part}")

    def _begin(self, module: Module, inputs: Any) -> None:
        name = self._name(module)
        self.parents.add(name)
        self._when_gradients_of(inputs, lambda: self.parents.discard(name))

    def _end(self, module: Module, inputs: Any, outputs: Any) -> None:
        name = self._name(module)
        self.parents.discard(name)
        self._when_gradients_of(outputs, lambda: self._begin_backward(name))

    def _when_gradients_of(self, values: Any, act: Callable[[], object]) -> None:
        tensors = [x for x in tree_leaves(values) if isinstance(x, Tensor) and x.requires_grad]
        if tensors:
            self._hooks.append(register_multi_grad_hook(tensors, lambda _: act()))

    def _begin_backward(self, name: str) -> None:
        self.parents.add(name)
        if not self._in_backward:
            self._in_backward = True
            Variable._execution_engine.queue_callback(self._end_backward)  # type: ignore

    def _end_backward(self) -> None:
        self.parents, self._in_backward = {"Global"}, False


__all__ = ["ModuleTracker"]
