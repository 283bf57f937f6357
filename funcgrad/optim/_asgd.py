"""Averaged stochastic gradient descent."""

import jax.numpy as jnp

from ._arithmetic import Scalar, decayed, multiply, real, scalar_for
from ._check import check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer


def asgd(
    lr: LearningRate = 1e-2,
    lambd: Scalar = 1e-4,
    alpha: Scalar = 0.75,
    t0: Scalar = 1e6,
    weight_decay: Scalar = 0,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Averaged SGD, as `torch.optim.ASGD` does it. ValueError: a negative `lr` or `weight_decay`.

    `state.slots["ax"]` is the average of the parameters since step `t0`. As in PyTorch a step uses
    the rate `eta` that the step before computed, `lr / (1 + lambd * lr * t) ** alpha`, kept as a
    float32 scalar.

    Polyak, Juditsky: Acceleration of stochastic approximation by averaging (1992).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.asgd(lr=0.5, lambd=0.0)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([3.0, -0.5]), optimizer.init(params), params)
    >>> print(updates, state.slots["ax"])
    [-1.5   0.25] [-0.5   2.25]
    """
    check_lr(lr)
    check_non_negative(weight_decay=weight_decay)

    def init(param, lr):
        return {
            "eta": jnp.asarray(lr, jnp.float32),
            "mu": jnp.ones((), jnp.float32),
            "ax": jnp.zeros_like(param),
        }

    def update(grad, slots, param, step):
        eta, mu, average = real(slots["eta"]), slots["mu"], slots["ax"]
        change = decayed(multiply(grad, -eta), param, lambd, eta)
        moved = param + change
        averaged = average + multiply(moved - average, mu)
        new = {
            "eta": step.lr / jnp.power(1 + lambd * step.lr * step.number, alpha),
            "mu": 1 / jnp.maximum(1, step.number - t0),
            "ax": jnp.where(mu == 1, moved, averaged),
        }
        return change, {name: scalar_for(slots[name], value) for name, value in new.items()}

    hyperparameters = {
        "lambd": lambd,
        "alpha": alpha,
        "t0": t0,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    return make_optimizer(
        "ASGD",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
    )
