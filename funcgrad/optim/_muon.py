"""Muon: momentum whose matrix is made nearly orthogonal."""

import math

import jax
import jax.numpy as jnp

from ._arithmetic import Scalar, decayed, lerp, multiply, real, scalar_for
from ._check import at_least
from ._rule import LearningRate, Optimizer, Rule, make_optimizer
from ._scheduled import schedulable


def _bfloat16(array):
    """Round to bfloat16; `reduce_precision` because XLA may leave out a mere pair of casts."""
    return jax.lax.reduce_precision(array.astype(jnp.float32), 8, 7).astype(jnp.bfloat16)


def _matmul(left, right):
    return jnp.matmul(left, right, preferred_element_type=jnp.float32)


def _combine(scale, array, product_scale, left, right):
    """`scale * array + product_scale * left @ right`, rounded to bfloat16 once.

    As in PyTorch's kernel only the second product is rounded to float32 before the sum: the barrier
    keeps the compiler from choosing the first.
    """
    scale, product_scale = (jnp.asarray(x, jnp.float32) for x in (scale, product_scale))
    product = jax.lax.optimization_barrier(product_scale * _matmul(left, right))
    return _bfloat16(real(scale) * real(array) + real(product))


def orthogonalize(
    matrix: jax.Array, coefficients: tuple[Scalar, Scalar, Scalar], steps: int, eps: Scalar
) -> jax.Array:
    """A bfloat16 matrix near to `U V^T` of `matrix = U S V^T`, by a quintic Newton-Schulz
    iteration.

    >>> import jax.numpy as jnp
    >>> from funcgrad.optim._muon import orthogonalize
    >>> result = orthogonalize(jnp.diag(jnp.array([5.0, 1.0])), (2.0, -1.5, 0.5), 20, 1e-7)
    >>> print(result.astype(float).round(1))
    [[1. 0.]
     [0. 1.]]
    """
    first, third, fifth = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    current = _bfloat16(matrix.T if tall else matrix)
    squares = jnp.square(current.astype(jnp.float32))
    norm = _bfloat16(jnp.sqrt(jnp.sum(squares)))
    norm = jnp.maximum(norm, scalar_for(norm, jnp.asarray(eps)))
    current = _bfloat16(current.astype(jnp.float32) / norm.astype(jnp.float32))
    for _ in range(steps):
        gram = _bfloat16(_matmul(current, current.T))
        polynomial = _combine(third, gram, fifth, gram, gram)
        current = _combine(first, current, 1.0, polynomial, current)
    return current.T if tall else current


def _lr_ratio(adjust_lr_fn, shape):
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(shape))
    return math.sqrt(max(1, shape[0] / shape[1]))


def _validate(param, path):
    path = path or "(root)"
    if jnp.ndim(param) != 2:
        raise ValueError(
            "Muon only supports 2D parameters whereas we found a parameter with size: "
            f"{list(jnp.shape(param))} at '{path}'. Give this one to another optimizer "
            "(optax.partition)."
        )
    if jnp.iscomplexobj(param):
        raise RuntimeError(
            f"Muon does not support complex parameters: there is one at '{path}'. Give it to "
            "another optimizer."
        )


def _check(lr, weight_decay, momentum, ns_coefficients, ns_steps, adjust_lr_fn):
    at_least(lr, 0.0, "Learning rate should be >= 0 but is: ")
    at_least(momentum, 0.0, "momentum should be >= 0 but is: ")
    at_least(weight_decay, 0.0, "weight decay should be >= 0 but is: ")
    if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
        raise ValueError(
            f"Adjust learning rate function {adjust_lr_fn} is not supported. "
            "Pass None, 'original' or 'match_rms_adamw'."
        )
    if ns_steps >= 100:
        raise ValueError(
            "Number of steps must be less than 100 for computational efficiency: got "
            f"ns_steps={ns_steps}."
        )
    if len(ns_coefficients) != 3:
        raise ValueError(
            f"Coefficients must be a tuple of exactly 3 values: got {ns_coefficients}."
        )


@schedulable
def muon(
    lr: LearningRate = 1e-3,
    weight_decay: Scalar = 0.1,
    momentum: Scalar = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[Scalar, Scalar, Scalar] = (3.4445, -4.7750, 2.0315),
    eps: Scalar = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> Optimizer:
    """Muon, as `torch.optim.Muon` does it: for matrices; the iteration runs in bfloat16, whatever
    the dtype.

    Where a sum is long, its order decides some roundings to bfloat16. PyTorch's order depends on
    the processor: for a matrix of 128x128 half of the entries of its result differ between AVX2 and
    AVX512, by at most 0.004. Small matrices give equal bits everywhere.

    `weight_decay` is decoupled. `adjust_lr_fn` scales the rate with the shape `(m, n)`: by
    `sqrt(max(1, m / n))` (None, "original") or by `0.2 * sqrt(max(m, n))` ("match_rms_adamw").
    ValueError: a number out of range, a parameter that is not a matrix. RuntimeError: a complex
    parameter.

    Jordan et al.: Muon, an optimizer for hidden layers in neural networks (2024).

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer = optim.muon(lr=0.1, weight_decay=0.0)
    >>> params = jnp.eye(2)
    >>> updates, state = optimizer.update(jnp.eye(2), optimizer.init(params), params)
    >>> print(updates.round(2))
    [[-0.11 -0.  ]
     [-0.   -0.11]]
    """
    _check(lr, weight_decay, momentum, ns_coefficients, ns_steps, adjust_lr_fn)

    def init(param, lr):
        return {"momentum_buffer": jnp.zeros_like(param)}

    def update(grad, slots, param, step):
        buffer = lerp(slots["momentum_buffer"], grad, 1 - momentum)
        direction = lerp(grad, buffer, momentum) if nesterov else buffer
        direction = orthogonalize(direction, ns_coefficients, ns_steps, eps).astype(param.dtype)
        change = multiply(direction, -step.lr * _lr_ratio(adjust_lr_fn, param.shape))
        change = decayed(change, param, step.lr, weight_decay)
        return change, {"momentum_buffer": buffer}

    hyperparameters = {
        "weight_decay": weight_decay,
        "momentum": momentum,
        "nesterov": nesterov,
        "ns_coefficients": ns_coefficients,
        "eps": eps,
        "ns_steps": ns_steps,
        "adjust_lr_fn": adjust_lr_fn,
    }
    return make_optimizer("Muon", Rule(init, update, _validate), lr, hyperparameters)
