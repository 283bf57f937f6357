"""RAdam: Adam that is plain momentum until its second moment can be trusted."""

import jax.numpy as jnp

from ._arithmetic import (
    Scalar,
    bias_correction,
    decayed,
    lerp,
    logarithm,
    multiply,
    scalar_for,
    square_average,
)
from ._check import check_betas, check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


def _excess(z):
    """`coth(z / 2) - 2 / z`, by its Taylor series where the two terms would cancel."""
    small = jnp.minimum(z, 0.5)
    square = small * small
    series = 1 / 15120 + square * (-1 / 604800 + square * (1 / 23950080))
    series = small * (1 / 6 + square * (-1 / 360 + square * series))
    large = jnp.maximum(z, 0.5)
    return jnp.where(z < 0.5, series, 1 / jnp.tanh(large / 2) - 2 / large)


def _average_length(beta2, number):
    """Length `rho` of the simple average that the exponential one amounts to after `number` steps.

    The paper has `rho_inf - 2 t beta2**t / (1 - beta2**t)` with `rho_inf = 2 / (1 - beta2) - 1`,
    two large numbers that cancel; with `y = -log(beta2)` it is `t + excess(y) - t * excess(t * y)`.
    """
    rate = jnp.asarray(-logarithm(beta2), number.dtype)
    return number + _excess(rate) - number * _excess(number * rate)


def _rectification(beta2, number):
    """Whether to rectify at all, and the factor that does it."""
    rho_inf = 2 / (1 - beta2) - 1
    rho = _average_length(beta2, number)
    rectify = rho > 5.0
    safe = jnp.where(rectify, rho, 6.0)
    tail = rho_inf / ((rho_inf - 4) * (rho_inf - 2) * safe)
    return rectify, jnp.sqrt(jnp.where(rectify, (safe - 4) * (safe - 2) * tail, 1.0))


@schedulable
def radam(
    lr: LearningRate = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    decoupled_weight_decay: bool = False,
    *,
    maximize: bool = False,
) -> Optimizer:
    """RAdam, as `torch.optim.RAdam` does it. ValueError: a number out of range.

    Liu et al.: On the variance of the adaptive learning rate and beyond (2019).

    >>> import jax.numpy as jnp, numpy as np
    >>> from funcgrad import optim
    >>> optimizer = optim.radam(lr=0.1)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([4.0, -0.5]), optimizer.init(params), params)
    >>> print(np.asarray(updates).round(4))
    [-0.4   0.05]
    """
    check_lr(lr)
    check_non_negative(eps=eps)
    check_betas(betas)
    check_non_negative(weight_decay=weight_decay)
    beta1, beta2 = betas
    coupled, apart = (0, weight_decay) if decoupled_weight_decay else (weight_decay, 0)

    def init(param, lr):
        return {"exp_avg": jnp.zeros_like(param), "exp_avg_sq": jnp.zeros_like(param)}

    def update(grad, slots, param, step):
        average = lerp(slots["exp_avg"], grad, 1 - beta1)
        square = square_average(slots["exp_avg_sq"], grad, beta2)
        corrected = average / scalar_for(grad, bias_correction(beta1, step.number))
        rectify, factor = _rectification(beta2, step.number)
        correction = scalar_for(grad, jnp.sqrt(bias_correction(beta2, step.number)))
        adaptive = correction / (jnp.sqrt(square) + scalar_for(grad, eps))
        plain = multiply(corrected, step.lr)
        change = -jnp.where(rectify, multiply(plain * adaptive, factor), plain)
        change = decayed(change, param, step.lr, apart)
        return change, {"exp_avg": average, "exp_avg_sq": square}

    hyperparameters = {
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
        "decoupled_weight_decay": decoupled_weight_decay,
    }
    return make_optimizer(
        "RAdam",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=coupled,
    )
