"""Adadelta: steps in the units of the parameters."""

import jax.numpy as jnp

from ._arithmetic import Scalar, is_number, multiply, scalar_for, square_average
from ._check import check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer


def adadelta(
    lr: LearningRate = 1.0,
    rho: Scalar = 0.9,
    eps: Scalar = 1e-6,
    weight_decay: Scalar = 0,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Adadelta, as `torch.optim.Adadelta` does it: `eps` is inside both roots. ValueError: a number
    out of range.

    Zeiler: ADADELTA, an adaptive learning rate method (2012).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.adadelta(eps=1.0)
    >>> params = jnp.array([1.0])
    >>> updates, state = optimizer.update(jnp.array([0.0]), optimizer.init(params), params)
    >>> print(float(state.slots["square_avg"][0]), optimizer)
    0.0 Adadelta(lr=1.0, rho=0.9, eps=1.0, weight_decay=0, maximize=False)
    """
    check_lr(lr)
    if is_number(rho) and not 0.0 <= rho <= 1.0:
        raise ValueError(f"Invalid rho value: {rho}. It is a decay rate: pass one in [0, 1].")
    check_non_negative(eps=eps, weight_decay=weight_decay)

    def init(param, lr):
        return {"square_avg": jnp.zeros_like(param), "acc_delta": jnp.zeros_like(param)}

    def update(grad, slots, param, step):
        square = square_average(slots["square_avg"], grad, rho)
        deviation = jnp.sqrt(square + scalar_for(grad, eps))
        delta = jnp.sqrt(slots["acc_delta"] + scalar_for(grad, eps)) / deviation * grad
        accumulated = square_average(slots["acc_delta"], delta, rho)
        return multiply(delta, -step.lr), {"square_avg": square, "acc_delta": accumulated}

    hyperparameters = {"rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
    return make_optimizer(
        "Adadelta",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
    )
