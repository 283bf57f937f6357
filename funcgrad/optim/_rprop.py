"""Rprop: only the signs of the gradients count."""

import jax.numpy as jnp

from ._arithmetic import Scalar, is_number, scalar_for
from ._check import check_lr
from ._rule import LearningRate, Optimizer, Rule, make_optimizer


def rprop(
    lr: LearningRate = 1e-2,
    etas: tuple[Scalar, Scalar] = (0.5, 1.2),
    step_sizes: tuple[Scalar, Scalar] = (1e-6, 50),
    *,
    maximize: bool = False,
) -> Optimizer:
    """Resilient backpropagation, as `torch.optim.Rprop` does it.

    `lr` is the first step size of every element; from then on a step size shrinks by `etas[0]`
    where the gradient has turned (and that element waits for one step) and grows by `etas[1]` where
    it has not, within `step_sizes`. ValueError: a negative `lr`, or `etas` that do not lie on
    either side of one.

    Riedmiller, Braun: A direct adaptive method for faster backpropagation learning (1993).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.rprop(lr=0.1)
    >>> params = jnp.array([1.0, 2.0])
    >>> updates, state = optimizer.update(jnp.array([3.0, -0.5]), optimizer.init(params), params)
    >>> print(updates)
    [-0.1  0.1]
    """
    check_lr(lr)
    shrink, grow = etas
    if is_number(shrink) and is_number(grow) and not 0.0 < shrink < 1.0 < grow:
        raise ValueError(f"Invalid eta values: {shrink}, {grow}. Pass 0 < etas[0] < 1 < etas[1].")

    def init(param, lr):
        return {"prev": jnp.zeros_like(param), "step_size": jnp.full_like(param, lr)}

    def update(grad, slots, param, step):
        agreement = grad * slots["prev"]
        turned = agreement < 0
        growth = jnp.where(agreement > 0, scalar_for(grad, grow), jnp.ones_like(grad))
        size = slots["step_size"] * jnp.where(turned, scalar_for(grad, shrink), growth)
        size = jnp.clip(size, *(scalar_for(grad, bound) for bound in step_sizes))
        grad = jnp.where(turned, 0, grad)
        return -jnp.sign(grad) * size, {"prev": grad, "step_size": size}

    hyperparameters = {"etas": etas, "step_sizes": step_sizes, "maximize": maximize}
    return make_optimizer("Rprop", Rule(init, update), lr, hyperparameters, maximize=maximize)
