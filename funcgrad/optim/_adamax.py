"""Adamax: Adam with the infinity norm in the place of the second moment."""

import jax.numpy as jnp

from ._arithmetic import Scalar, bias_correction, divide, lerp, multiply, scalar_for
from ._check import check_betas, check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


@schedulable
def adamax(
    lr: LearningRate = 2e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Adamax, as `torch.optim.Adamax` does it: `eps` is inside the maximum. ValueError: a number
    out of range.

    Kingma, Ba: Adam, a method for stochastic optimization (2014), section 7.1.

    >>> import jax.numpy as jnp, numpy as np
    >>> from funcgrad import optim
    >>> optimizer = optim.adamax(lr=0.1)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([3.0, -0.5]), optimizer.init(params), params)
    >>> print(np.asarray(updates).round(4))
    [-0.1  0.1]
    """
    check_lr(lr)
    check_non_negative(eps=eps)
    check_betas(betas)
    check_non_negative(weight_decay=weight_decay)
    beta1, beta2 = betas

    def init(param, lr):
        return {"exp_avg": jnp.zeros_like(param), "exp_inf": jnp.zeros_like(param)}

    def update(grad, slots, param, step):
        average = lerp(slots["exp_avg"], grad, 1 - beta1)
        norm = jnp.maximum(multiply(slots["exp_inf"], beta2), jnp.abs(grad) + scalar_for(grad, eps))
        change = divide(average, norm, -step.lr / bias_correction(beta1, step.number))
        return change, {"exp_avg": average, "exp_inf": norm}

    hyperparameters = {
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    return make_optimizer(
        "Adamax",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
    )
