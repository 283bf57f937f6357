"""A neural ODE: backpropagation through the solver's steps beside the adjoint equation."""

import math

import jax
import jax.numpy as jnp
import optax

import funcgrad as fg
from funcgrad.ode import odeint


def field(t, y, params):
    """The learned velocity at the points y: a small network."""
    hidden = fg.tanh(fg.matmul(y, params["w1"]) + params["b1"])
    return fg.matmul(hidden, params["w2"]) + params["b2"]


def solve_direct(y, params, steps):
    """Classical Runge-Kutta from time 0 to time 1; grad goes back through every step."""
    h = 1 / steps
    for step in range(steps):
        t = step * h
        k1 = field(t, y, params)
        k2 = field(t + h / 2, y + h / 2 * k1, params)
        k3 = field(t + h / 2, y + h / 2 * k2, params)
        k4 = field(t + h, y + h * k3, params)
        y = y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return y


def solve_adjoint(y, params, steps):
    """The same solution; its gradient is a second equation, solved backwards in time."""
    times = jnp.array([0.0, 1.0])
    return odeint(field, y, times, params, method="rk4", step_size=1 / steps)[-1]


def saved_bytes(method, start, params, steps):
    """How many bytes of arrays the pullback keeps."""
    _, pullback = fg.vjp(lambda params: method(start, params, steps), params)
    return sum(kept.nbytes for kept in jax.tree.leaves(pullback))


def main(record=lambda name, **values: None):
    generator = fg.random.seed(11)
    w1, generator = fg.random.normal(generator, (2, 8))
    w2, generator = fg.random.normal(generator, (8, 2))
    params = {"w1": w1, "b1": jnp.zeros(8), "w2": 0.3 * w2, "b2": jnp.zeros(2)}
    params = jax.tree.map(jnp.asarray, params)

    start, generator = fg.random.normal(generator, (32, 2))
    angle = 1.5
    turn = jnp.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    target = fg.matmul(math.exp(-0.3) * start, turn)

    def loss_with(method, steps):
        return lambda params: fg.mean(fg.pow(method(start, params, steps) - target, 2))

    methods = {"direct": solve_direct, "adjoint": solve_adjoint}
    for name, method in methods.items():
        loss, grads = fg.value_and_grad(loss_with(method, 20))(params)
        record("backward", loss=loss, grads=grads)
        print(f"{name:8s} loss {loss:.5f}  b2.grad {[f'{g:.5f}' for g in grads['b2'].tolist()]}")

    for name, method in methods.items():
        few, many = (saved_bytes(method, start, params, steps) for steps in (5, 40))
        print(f"{name:8s} eight times the steps keep {many / few:.1f} times the memory")

    optimizer = fg.optim.adam(lr=0.05)
    state = optimizer.init(params)

    @jax.jit
    def train_step(params, state):
        loss, grads = fg.value_and_grad(loss_with(solve_adjoint, 10))(params)
        updates, state = optimizer.update(grads, state, params)
        return loss, grads, optax.apply_updates(params, updates), state

    for step in range(41):
        loss, grads, params, state = train_step(params, state)
        record("backward", loss=loss, grads=grads)
        record("step", params=params)
        if step % 10 == 0:
            print(f"step {step:2d}  loss {loss:.5f}")


if __name__ == "__main__":
    main()
