"""Derivatives of derivatives: grad returns a function, and functions can be differentiated."""

import math

import jax
import jax.numpy as jnp

import funcgrad as fg


def main(record=lambda name, **values: None):
    with jax.enable_x64(True):  # double precision here, and nowhere else in the process
        taylor_coefficients(record)
        second_order(record)


def taylor_coefficients(record):
    x = jnp.array(0.5, dtype=jnp.float64)
    derivative = fg.tanh
    for order in range(5):
        value, grad = fg.value_and_grad(derivative)(x)
        print(f"tanh^({order}) / {order}!  {value / math.factorial(order):.8f}")
        record("grad", derivative=value, grads={"x": grad})
        derivative = fg.grad(derivative)


def second_order(record):
    generator = fg.random.seed(8)
    matrix, generator = fg.random.normal(generator, (3, 3), dtype=jnp.float64)
    v, generator = fg.random.normal(generator, (3,), dtype=jnp.float64)

    def energy_of(v):
        return fg.sum(fg.sin(fg.matmul(matrix, v)))

    def penalty_of(v):
        return fg.sum(fg.pow(fg.grad(energy_of)(v), 2))

    energy, slope = fg.value_and_grad(energy_of)(v)
    record("grad", energy=energy, grads={"v": slope})
    penalty, grad = fg.value_and_grad(penalty_of)(v)
    record("backward", penalty=penalty, grads={"v": grad})
    print("gradient penalty", [f"{g:.6f}" for g in grad.tolist()])

    # A Hessian, and its product with a vector without ever building it.
    record("grad", energy=energy, grads={"v": slope})
    hessian = fg.hessian(energy_of)(v)
    for component, row in zip(slope, hessian, strict=True):
        record("grad", component=component, grads={"v": row})
    direction = jnp.array([1.0, -1.0, 2.0])
    _, (product,) = fg.hvp(energy_of, (v,), (direction,))
    record("grad", slope=slope, grads={"v": product})
    print("Hessian diagonal", [f"{h:.6f}" for h in jnp.diagonal(hessian).tolist()])
    print("times direction ", [f"{p:.6f}" for p in product.tolist()])
    print("the same either way:", bool(jnp.allclose(fg.matmul(hessian, direction), product)))

    # What takes no part in a result has the gradient zero.
    total, zeros = fg.value_and_grad(lambda unused: fg.sum(v))(jnp.ones(2))
    record("grad", total=total, grads={"unused": zeros})
    print("unused:", zeros.tolist())


if __name__ == "__main__":
    main()
