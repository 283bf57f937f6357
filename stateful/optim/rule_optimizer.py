"""`RuleOptimizer`: an optimizer whose update is one of `funcgrad.optim`'s."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..dispatch import store, wrap
from ..layout import lying_as
from ..modes import state
from ..tensor import Tensor
from . import fused, recorded
from .optimizer import Optimizer, with_closure


class RuleOptimizer(Optimizer):
    """One fused update for each group by ``factory``, with state under PyTorch's names.

    ``counts_steps``: the state has a "step"; ``static``: options that shape the program.
    """

    factory: Callable
    counts_steps = True
    static: tuple[str, ...] = ()

    def __init__(self, params: Any, defaults: dict[str, Any]):
        _check_switches(defaults)
        self.factory(**self._options(defaults))
        super().__init__(params, defaults)

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient; ``closure`` recomputes the loss first."""
        loss = None if closure is None else with_closure(closure)
        differentiable = bool(self.defaults.get("differentiable"))
        previous, state.grad_enabled = state.grad_enabled, differentiable and not state.inference
        try:
            for group in self.param_groups:
                params = [p for p in group["params"] if p._grad is not None]
                if params:
                    self._update(group, params)
        finally:
            state.grad_enabled = previous
        return loss

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        """The options that the rule takes."""
        options = {}
        for name in _arguments(self.factory):
            if name in group:
                options[name] = group[name]
        return options

    def _update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        if group.get("differentiable"):
            for param in params:
                recorded.step(self.factory, self._options(group), self.static, param,
                              self.state[param], self.counts_steps)  # fmt: skip
            return
        states = [self.state.get(p, {}) for p in params]
        updates = fused.run(self.factory, self._options(group), self.static, params, states,
                            self.counts_steps)  # fmt: skip
        for param, (value, slots, count) in zip(params, updates, strict=True):
            store(param, value)
            if self.counts_steps:
                slots = [("step", count), *slots]
            if not slots:
                continue
            kept = self.state[param]
            for name, value in slots:
                slot = kept.get(name)
                if slot is None:
                    kept[name] = lying_as(param, wrap(value))
                else:
                    store(slot, value)


@functools.cache
def _arguments(factory: Callable) -> tuple[str, ...]:
    return tuple(inspect.signature(factory).parameters)


def _check_switches(defaults: dict[str, Any]) -> None:
    """Refuse what PyTorch refuses."""
    lr, foreach = defaults["lr"], defaults.get("foreach")
    if defaults.get("fused") and defaults.get("differentiable"):
        raise RuntimeError("`fused` does not support `differentiable`")
    if defaults.get("fused") and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if isinstance(lr, Tensor):
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if foreach and not defaults.get("capturable", True):
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
    for i, beta in enumerate(defaults.get("betas", ())):
        if isinstance(beta, Tensor) != isinstance(defaults["betas"][0], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        if isinstance(beta, Tensor) and foreach and not defaults.get("capturable"):
            raise ValueError(
                f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
            )
