"""NAdam: Adam with Nesterov momentum."""

import jax.numpy as jnp

from ._arithmetic import (
    Scalar,
    bias_correction,
    decayed,
    divide,
    lerp,
    real,
    scalar_for,
    square_average,
)
from ._check import check_betas, check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


@schedulable
def nadam(
    lr: LearningRate = 2e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    momentum_decay: Scalar = 4e-3,
    decoupled_weight_decay: bool = False,
    *,
    maximize: bool = False,
) -> Optimizer:
    """NAdam, as `torch.optim.NAdam` does it. ValueError: a number out of range.

    The running product of momenta is a float32 scalar of every parameter, as in PyTorch (whose
    default dtype is float32), also when the parameter is float64.

    Dozat: Incorporating Nesterov momentum into Adam (2016).

    >>> import jax.numpy as jnp, numpy as np
    >>> from funcgrad import optim
    >>> optimizer = optim.nadam(lr=0.1)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([1.0, -1.0]), optimizer.init(params), params)
    >>> print(np.asarray(updates).round(4))
    [-0.1056  0.1056]
    """
    check_lr(lr)
    check_non_negative(eps=eps)
    check_betas(betas)
    check_non_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
    beta1, beta2 = betas
    coupled, apart = (0, weight_decay) if decoupled_weight_decay else (weight_decay, 0)

    def momentum_at(number):
        return beta1 * (1.0 - 0.5 * jnp.power(0.96, number * momentum_decay))

    def init(param, lr):
        zeros = jnp.zeros_like(param)
        return {"mu_product": jnp.ones((), jnp.float32), "exp_avg": zeros, "exp_avg_sq": zeros}

    def update(grad, slots, param, step):
        mu, mu_next = momentum_at(step.number), momentum_at(step.number + 1)
        product = slots["mu_product"] * scalar_for(slots["mu_product"], mu)
        average = lerp(slots["exp_avg"], grad, 1 - beta1)
        square = square_average(slots["exp_avg_sq"], grad, beta2)
        corrected = square / scalar_for(grad, bias_correction(beta2, step.number))
        denominator = jnp.sqrt(corrected) + scalar_for(grad, eps)
        change = divide(grad, denominator, -step.lr * (1 - mu) / (1 - real(product)))
        ahead = -step.lr * mu_next / (1 - real(product) * mu_next)
        change = change + divide(average, denominator, ahead)
        change = decayed(change, param, step.lr, apart)
        return change, {"mu_product": product, "exp_avg": average, "exp_avg_sq": square}

    hyperparameters = {
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum_decay": momentum_decay,
        "decoupled_weight_decay": decoupled_weight_decay,
        "maximize": maximize,
    }
    return make_optimizer(
        "NAdam",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=coupled,
    )
