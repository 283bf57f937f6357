"""Adam and AdamW: steps scaled by averages of the gradient and of its square."""

import jax.numpy as jnp

from ._arithmetic import (
    Scalar,
    bias_correction,
    decayed,
    divide,
    lerp,
    scalar_for,
    square_average,
)
from ._check import check_betas, check_lr, check_non_negative
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


def _init(amsgrad):
    names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * amsgrad
    return lambda param, lr: {name: jnp.zeros_like(param) for name in names}


def _update(betas, eps, amsgrad, decoupled_weight_decay):
    beta1, beta2 = betas

    def update(grad, slots, param, step):
        average = lerp(slots["exp_avg"], grad, 1 - beta1)
        square = square_average(slots["exp_avg_sq"], grad, beta2)
        new = {"exp_avg": average, "exp_avg_sq": square}
        if amsgrad:
            square = new["max_exp_avg_sq"] = jnp.maximum(slots["max_exp_avg_sq"], square)
        correction = jnp.sqrt(bias_correction(beta2, step.number))
        denominator = jnp.sqrt(square) / scalar_for(grad, correction) + scalar_for(grad, eps)
        change = divide(average, denominator, -step.lr / bias_correction(beta1, step.number))
        return decayed(change, param, step.lr, decoupled_weight_decay), new

    return update


def _make(name, lr, betas, eps, weight_decay, amsgrad, maximize, decoupled):
    check_lr(lr)
    check_non_negative(eps=eps)
    check_betas(betas)
    check_non_negative(weight_decay=weight_decay)
    coupled, apart = (0, weight_decay) if decoupled else (weight_decay, 0)
    hyperparameters = {
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "maximize": maximize,
        "decoupled_weight_decay": decoupled,
    }
    rule = Rule(_init(amsgrad), _update(betas, eps, amsgrad, apart))
    return make_optimizer(
        name, rule, lr, hyperparameters, maximize=maximize, coupled_weight_decay=coupled
    )


@schedulable
def adam(
    lr: LearningRate = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> Optimizer:
    """Adam, as `torch.optim.Adam` does it.

    `eps` is added outside of the square root, after bias correction; `weight_decay` is an L2
    penalty unless `decoupled_weight_decay`; AMSGrad keeps the maximum before bias correction.
    ValueError: a number out of range.

    Kingma, Ba: Adam, a method for stochastic optimization (2014). Reddi, Kale, Kumar: On the
    convergence of Adam and beyond (2018).

    >>> import jax.numpy as jnp, numpy as np
    >>> from funcgrad import optim
    >>> optimizer = optim.adam(lr=0.1)
    >>> params = {"weight": jnp.array([1.0, 2.0])}
    >>> grads = {"weight": jnp.array([3.0, -0.5])}
    >>> updates, state = optimizer.update(grads, optimizer.init(params), params)
    >>> print(np.asarray(updates["weight"]).round(4))
    [-0.1  0.1]
    """
    return _make("Adam", lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay)


@schedulable
def adamw(
    lr: LearningRate = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 1e-2,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Adam with decoupled weight decay, as `torch.optim.AdamW` does it.

    The parameter shrinks by `lr * weight_decay` of itself, apart from the averages. ValueError: a
    number out of range.

    Loshchilov, Hutter: Decoupled weight decay regularization (2017).

    >>> import jax.numpy as jnp, numpy as np
    >>> from funcgrad import optim
    >>> optimizer = optim.adamw(lr=0.1, weight_decay=0.5)
    >>> params = jnp.array([2.0])
    >>> updates, state = optimizer.update(jnp.array([0.0]), optimizer.init(params), params)
    >>> print(np.asarray(updates).round(4))
    [-0.1]
    """
    return _make("AdamW", lr, betas, eps, weight_decay, amsgrad, maximize, True)
