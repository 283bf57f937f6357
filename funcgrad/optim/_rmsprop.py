"""RMSprop: steps scaled by a running root mean square of the gradient."""

import jax.numpy as jnp

from ._arithmetic import Scalar, divide, is_zero, lerp, multiply, scalar_for, square_average
from ._check import check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


@schedulable
def rmsprop(
    lr: LearningRate = 1e-2,
    alpha: Scalar = 0.99,
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    momentum: Scalar = 0,
    centered: bool = False,
    *,
    maximize: bool = False,
) -> Optimizer:
    """RMSprop, as `torch.optim.RMSprop` does it: `eps` is outside of the root. ValueError: a number
    out of range.

    `momentum=0` as a Python number keeps no buffer; `centered` divides by the standard deviation.

    Tieleman, Hinton: Neural networks for machine learning, lecture 6.5 (2012). Graves: Generating
    sequences with recurrent neural networks (2013) for the centered version.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.rmsprop(lr=0.1, alpha=0.75)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([3.0, -0.5]), optimizer.init(params), params)
    >>> print(updates)
    [-0.2  0.2]
    """
    check_lr(lr)
    check_non_negative(eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
    names = ["square_avg"]
    names += [] if is_zero(momentum) else ["momentum_buffer"]
    names += ["grad_avg"] * centered

    def init(param, lr):
        return {name: jnp.zeros_like(param) for name in names}

    def update(grad, slots, param, step):
        square = square_average(slots["square_avg"], grad, alpha)
        new, variance = {"square_avg": square}, square
        if centered:
            mean = new["grad_avg"] = lerp(slots["grad_avg"], grad, 1 - alpha)
            variance = square - mean * mean
        deviation = jnp.sqrt(variance) + scalar_for(grad, eps)
        if is_zero(momentum):
            return divide(grad, deviation, -step.lr), new
        buffer = multiply(slots["momentum_buffer"], momentum) + grad / deviation
        return multiply(buffer, -step.lr), {**new, "momentum_buffer": buffer}

    hyperparameters = {
        "momentum": momentum,
        "alpha": alpha,
        "eps": eps,
        "centered": centered,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    return make_optimizer(
        "RMSprop",
        Rule(init, update),
        lr,
        hyperparameters,
        maximize=maximize,
        coupled_weight_decay=weight_decay,
    )
