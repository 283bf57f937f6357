"""Adafactor: second moments of a matrix kept as one vector for its rows and one for its columns."""

import math

import jax.numpy as jnp

from ._arithmetic import Scalar, decayed, is_number, lerp, multiply, real, scalar_for
from ._check import at_least
from ._rule import LearningRate, Optimizer, Rule, make_optimizer


def _mean_square(array, axis):
    norm = jnp.sqrt(jnp.sum(array * array, axis, keepdims=True))
    return norm * norm / array.shape[axis]


def _root_mean_square(array):
    return real(jnp.sqrt(jnp.sum(array * array))) / math.sqrt(array.size)


def _variance(grad, slots, weight, eps1):
    """The estimate of the squared gradient, and the new slots."""
    if grad.ndim < 2:
        variance = lerp(slots["variance"], grad * grad, weight)
        return variance, {"variance": variance}
    rows = lerp(slots["row_var"], _mean_square(grad, -1), weight)
    columns = lerp(slots["col_var"], _mean_square(grad, -2), weight)
    mean = jnp.maximum(jnp.mean(rows, -2, keepdims=True), scalar_for(grad, eps1))
    return rows * columns / mean, {"row_var": rows, "col_var": columns}


def _init(param, lr):
    if param.ndim < 2:
        return {"variance": jnp.zeros_like(param)}
    shape = param.shape
    return {
        "row_var": jnp.zeros((*shape[:-1], 1), param.dtype),
        "col_var": jnp.zeros((*shape[:-2], 1, shape[-1]), param.dtype),
    }


def _validate(param, path):
    if jnp.iscomplexobj(param):
        raise RuntimeError(
            f"Adafactor does not support complex parameters: there is one at '{path or '(root)'}'. "
            "Use another optimizer for it, or its real and imaginary parts."
        )


def adafactor(
    lr: LearningRate = 1e-2,
    beta2_decay: Scalar = -0.8,
    eps: tuple[Scalar | None, Scalar] = (None, 1e-3),
    d: Scalar = 1.0,
    weight_decay: Scalar = 0.0,
    *,
    maximize: bool = False,
) -> Optimizer:
    """Adafactor, as `torch.optim.Adafactor` does it: a parameter is factored in its last two
    dimensions.

    `eps[0]=None` is the machine epsilon of each parameter's dtype; `weight_decay` is decoupled;
    step `t` averages with the weight `t ** beta2_decay`. ValueError: a number out of range.
    RuntimeError: a complex parameter.

    Shazeer, Stern: Adafactor, adaptive learning rates with sublinear memory cost (2018).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.adafactor()
    >>> state = optimizer.init({"weight": jnp.ones((3, 2)), "bias": jnp.ones(2)})
    >>> print(state.slots["row_var"]["weight"].shape, state.slots["variance"]["bias"].shape)
    (3, 1) (2,)
    """
    eps1, eps2 = eps
    at_least(lr, 0.0, "Learning rate should be >= 0 but is: ")
    if is_number(beta2_decay) and not 0.0 >= beta2_decay:
        raise ValueError(
            f"beta2_decay should be <= 0 but is: {beta2_decay}. Pass a negative exponent."
        )
    at_least(eps1, 0.0, "epsilon1 should be >= 0 but is: ")
    at_least(eps2, 0.0, "epsilon2 should be >= 0 but is: ")
    at_least(d, 1.0, "Clipping threshold d should be >= 1 but is: ")
    at_least(weight_decay, 0.0, "weight_decay should be >= 0 but is: ")

    def update(grad, slots, param, step):
        floor = float(jnp.finfo(param.dtype).eps) if eps1 is None else eps1
        rate = jnp.minimum(step.lr, 1 / jnp.sqrt(step.number))
        rate = rate * jnp.maximum(eps2, _root_mean_square(param))
        variance, new = _variance(grad, slots, jnp.power(step.number, beta2_decay), floor)
        direction = grad / jnp.sqrt(jnp.maximum(variance, scalar_for(grad, floor * floor)))
        clip = jnp.maximum(1.0, _root_mean_square(direction) / d)
        change = multiply(direction, -rate / clip)
        return decayed(change, param, step.lr, weight_decay), new

    hyperparameters = {
        "beta2_decay": beta2_decay,
        "eps": eps,
        "d": d,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    return make_optimizer(
        "Adafactor", Rule(_init, update, _validate), lr, hyperparameters, maximize=maximize
    )
