"""Hyper-parameters that are schedules: functions of the number of steps taken."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec

from ._rule import Optimizer

P = ParamSpec("P")


def value_at(value: Any, count: Any) -> Any:
    """`value` after `count` steps: itself unless it is a schedule, or a tuple with one in it.

    >>> value_at((lambda count: 0.5 * count, 0.999), 1)
    (0.5, 0.999)
    """
    if isinstance(value, tuple | list):
        return tuple(value_at(item, count) for item in value)
    return value(count) if callable(value) else value


def _is_schedule(value: Any) -> bool:
    return any(map(callable, value)) if isinstance(value, tuple | list) else callable(value)


def schedulable(factory: Callable[P, Optimizer]) -> Callable[P, Optimizer]:
    """Let every number of an optimizer be a schedule, as its `lr` may be by itself.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> momentum = optim.schedules.cyclic_momentum(0.5, 1.0, step_size_up=1)
    >>> optimizer = optim.sgd(1.0, momentum=momentum)
    >>> state, grad = optimizer.init(jnp.zeros(())), jnp.ones(())
    >>> for _ in range(3):
    ...     updates, state = optimizer.update(grad, state, jnp.zeros(()))
    ...     print(-updates)
    1.0
    1.5
    2.5
    """
    signature = inspect.signature(factory)

    @functools.wraps(factory)
    def make(*args: P.args, **kwargs: P.kwargs) -> Optimizer:
        given = signature.bind(*args, **kwargs).arguments
        moving = [name for name, v in given.items() if name != "lr" and _is_schedule(v)]
        if not moving:
            return factory(*args, **kwargs)

        def at(count: Any) -> Any:
            now = {name: value_at(given[name], count) for name in moving}
            return factory(**{**given, **now})  # type: ignore[call-arg]

        first = at(0)

        def update(grads, state, params=None, **extra):
            return at(state.count).update(grads, state, params, **extra)

        hyperparameters = {**first.hyperparameters, **{name: given[name] for name in moving}}
        return Optimizer(first.init, update, first.name, hyperparameters, first.stateful_from_start)

    return make
