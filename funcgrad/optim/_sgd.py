"""Stochastic gradient descent with momentum."""

from typing import Any

import jax.numpy as jnp
import optax

from ._arithmetic import Scalar, add, is_number, is_zero, multiply, scalar_for
from ._check import check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


@schedulable
def sgd(
    lr: LearningRate = 1e-3,
    momentum: Scalar = 0,
    dampening: Scalar = 0,
    weight_decay: Scalar = 0,
    nesterov: bool = False,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Gradient descent, as `torch.optim.SGD` does it.

    With momentum the first step keeps the gradient as it is: `dampening` acts from the second step
    on. The buffer is `momentum * buffer + (1 - dampening) * grad` (the learning rate is outside of
    it). `momentum=0` as a Python number keeps no buffer. ValueError: a negative number, or
    `nesterov` without momentum or with dampening.

    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep
    learning (2013).

    >>> import jax.numpy as jnp, optax
    >>> from funcgrad import optim
    >>> optimizer = optim.sgd(lr=0.5, momentum=0.5)
    >>> params = jnp.array([1.0, 2.0])
    >>> state = optimizer.init(params)
    >>> for _ in range(2):
    ...     updates, state = optimizer.update(jnp.array([1.0, 0.0]), state, params)
    ...     params = optax.apply_updates(params, updates)
    >>> print(params)
    [-0.25  2.  ]
    """
    check_lr(lr)
    check_non_negative(momentum=momentum, weight_decay=weight_decay)
    momentum_absent = is_number(momentum) and momentum <= 0
    if nesterov and (momentum_absent or (is_number(dampening) and dampening != 0)):
        raise ValueError(
            f"Nesterov momentum requires a momentum and zero dampening: got momentum={momentum} "
            f"and dampening={dampening}."
        )

    def init(param, lr):
        return {} if is_zero(momentum) else {"momentum_buffer": jnp.zeros_like(param)}

    def direction(grad, slots, step):
        if is_zero(momentum):
            return grad, slots
        buffer = slots["momentum_buffer"]
        if is_zero(dampening):
            trace = optax.trace(scalar_for(grad, momentum), nesterov)
            result: Any = trace.update(grad, optax.TraceState(buffer))
            return result[0], {"momentum_buffer": result[1].trace}
        later = add(multiply(buffer, momentum), grad, 1 - dampening)
        buffer = jnp.where(step.number == 1, grad, later)
        moved = add(grad, buffer, momentum) if nesterov else buffer
        return jnp.where(momentum == 0, grad, moved), {"momentum_buffer": buffer}

    def update(grad, slots, param, step):
        moved, slots = direction(grad, slots, step)
        return multiply(moved, -step.lr), slots

    hyperparameters = {
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    return make_optimizer(
        "SGD",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
    )
