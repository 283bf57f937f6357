"""`RuleOptimizer`: an optimizer whose update is one of `funcgrad.optim`'s."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .. import modes
from ..dispatch import store, wrap
from ..tensor import Tensor
from . import fused
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
        loss = with_closure(closure)
        with modes.no_grad():
            for group in self.param_groups:
                params = [p for p in group["params"] if p.grad is not None]
                if params:
                    self._update(group, params)
        return loss

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        """The options that the rule takes."""
        return {name: group[name] for name in _arguments(self.factory) if name in group}

    def _update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        states = [self.state.get(p, {}) for p in params]
        updates = fused.run(self.factory, self._options(group), self.static, params, states,
                            self.counts_steps)  # fmt: skip
        for param, (value, slots, count) in zip(params, updates, strict=True):
            store(param, value)
            if self.counts_steps:
                slots = [("step", count), *slots]
            if not slots:
                continue
            state = self.state[param]
            for name, value in slots:
                slot = state.get(name)
                if slot is None:
                    state[name] = wrap(value)
                else:
                    store(slot, value)


@functools.cache
def _arguments(factory: Callable) -> tuple[str, ...]:
    return tuple(inspect.signature(factory).parameters)


def _check_switches(defaults: dict[str, Any]) -> None:
    """Refuse what PyTorch refuses, and what cannot be done here."""
    lr, foreach = defaults["lr"], defaults.get("foreach")
    if defaults.get("fused") and defaults.get("differentiable"):
        raise RuntimeError("`fused` does not support `differentiable`")
    if defaults.get("fused") and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if defaults.get("differentiable"):
        raise NotImplementedError(
            "differentiable=True is not supported: a step is not recorded. The updates of "
            "funcgrad.optim are pure functions, which jax.grad goes through"
        )
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
