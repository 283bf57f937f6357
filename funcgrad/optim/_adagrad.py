"""Adagrad: steps scaled by the root of the sum of all squared gradients."""

import jax.numpy as jnp

from ._arithmetic import Scalar, divide, scalar_for
from ._check import check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer


def adagrad(
    lr: LearningRate = 1e-2,
    lr_decay: Scalar = 0,
    weight_decay: Scalar = 0,
    initial_accumulator_value: Scalar = 0,
    eps: Scalar = 1e-10,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Adagrad, as `torch.optim.Adagrad` does it: step `t` has the rate `lr / (1 + (t - 1) *
    lr_decay)`.

    ValueError: a number out of range.

    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
    optimization (2011).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.adagrad(lr=0.5)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([3.0, -0.5]), optimizer.init(params), params)
    >>> print(updates)
    [-0.5  0.5]
    """
    check_lr(lr)
    check_non_negative(
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
    )

    def init(param, lr):
        return {"sum": jnp.full_like(param, initial_accumulator_value)}

    def update(grad, slots, param, step):
        total = slots["sum"] + grad * grad
        rate = step.lr / (1 + (step.number - 1) * lr_decay)
        return divide(grad, jnp.sqrt(total) + scalar_for(grad, eps), -rate), {"sum": total}

    hyperparameters = {
        "lr_decay": lr_decay,
        "eps": eps,
        "weight_decay": weight_decay,
        "initial_accumulator_value": initial_accumulator_value,
        "maximize": maximize,
    }
    return make_optimizer(
        "Adagrad",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
        stateful_from_start=True,
    )
