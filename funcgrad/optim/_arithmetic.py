"""The few arithmetic steps that PyTorch's update rules are made of.

A scalar is a Python number or a traced JAX scalar. As in PyTorch it never decides a dtype: scalars
are combined with each other in the widest float there is (float64 under `jax.enable_x64`) and
rounded to the array's dtype only where they meet an array.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

Scalar = Any


def is_number(value: Scalar) -> bool:
    """Whether `value` is known now: a Python number (also NumPy's float64, which is one), not a JAX
    scalar."""
    return isinstance(value, int | float)


def is_zero(value: Scalar) -> bool:
    """Whether `value` is the Python number zero, which takes its term out of the program."""
    return is_number(value) and value == 0


def real(value: Scalar) -> jax.Array:
    """`value` as a JAX scalar of the widest float."""
    return jnp.asarray(value).astype(float)


def scalar_for(array: jax.Array, value: Scalar) -> Scalar:
    """`value`, rounded to the dtype of `array`."""
    return value if is_number(value) else jnp.asarray(value).astype(array.dtype)


def multiply(array: jax.Array, value: Scalar) -> jax.Array:
    """`array * value`."""
    return array * scalar_for(array, value)


def add(array: jax.Array, other: jax.Array, alpha: Scalar) -> jax.Array:
    """`array + alpha * other`."""
    return array + scalar_for(array, alpha) * other


def square_average(average: jax.Array, grad: jax.Array, decay: Scalar) -> jax.Array:
    """`decay * average + (1 - decay) * grad ** 2`."""
    return multiply(average, decay) + multiply(grad, 1 - decay) * grad


def divide(numerator: jax.Array, denominator: jax.Array, value: Scalar) -> jax.Array:
    """`value * numerator / denominator`."""
    return multiply(numerator, value) / denominator


def lerp(start: jax.Array, end: jax.Array, weight: Scalar) -> jax.Array:
    """`start + weight * (end - start)`, computed from the nearer end."""
    difference = end - start
    from_start = start + scalar_for(start, weight) * difference
    from_end = end - scalar_for(start, 1 - weight) * difference
    return jnp.where(jnp.less(weight, 0.5), from_start, from_end)


def decayed(change: jax.Array, param: jax.Array, lr: Scalar, weight_decay: Scalar) -> jax.Array:
    """The change that takes `param` to `param * (1 - lr * weight_decay) + change`.

    Rounded in that order, as in PyTorch: in single precision the rounding of the factor is a bias
    of every step.
    """
    if is_zero(weight_decay):
        return change
    return multiply(param, 1 - lr * weight_decay) + change - param


def logarithm(value: Scalar) -> Scalar:
    """`log(value)`; of a Python number in double precision, whatever JAX's precision."""
    if not is_number(value):
        return jnp.log(real(value))
    return math.log(value) if value > 0 else -math.inf


def bias_correction(decay: Scalar, step: jax.Array) -> jax.Array:
    """`1 - decay ** step`, accurate also where `decay ** step` is nearly one and there is no
    float64."""
    if step.dtype == jnp.float64:
        return 1 - jnp.power(decay, step)
    return -jnp.expm1(step * logarithm(decay))
