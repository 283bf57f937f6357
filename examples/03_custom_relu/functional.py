"""A ReLU with its own backward rule, and why its value at exactly zero matters."""

import jax
import jax.numpy as jnp

import funcgrad as fg


@jax.custom_vjp
def generous_relu(input):
    """A ReLU that lets the gradient through at zero, where fg.relu stops it."""
    return fg.clamp(input, min=0)


def _forward(input):
    return generous_relu(input), input


def _backward(input, grad_output):
    return (jnp.where(input < 0, 0, grad_output),)


generous_relu.defvjp(_forward, _backward)

rules = [
    ("generous", generous_relu),
    ("relu", fg.relu),
    ("clamp", lambda input: fg.clamp(input, min=0)),
]


def gradients_at_the_kink(record):
    for name, relu in rules:
        z = jnp.array([-1.0, 0.0, 1.0])
        total, grad = fg.value_and_grad(lambda z, relu=relu: fg.sum(relu(z)))(z)
        record("backward", total=total, grads={"z": grad})
        print(f"{name:9s} gradient at -1, 0, 1: {grad.tolist()}")


def train(relu, record):
    generator = fg.random.seed(3)
    x, generator = fg.random.normal(generator, (32, 4))
    y = fg.sum(fg.abs(x), dim=1, keepdim=True)
    w2, generator = fg.random.normal(generator, (16, 1))
    params = {"w1": jnp.zeros((4, 16)), "w2": 0.25 * w2}

    def loss_of(params):
        hidden = relu(fg.mm(x, params["w1"]))
        return fg.mean(fg.pow(fg.mm(hidden, params["w2"]) - y, 2))

    @jax.jit
    def train_step(params):
        loss, grads = fg.value_and_grad(loss_of)(params)
        return loss, grads, jax.tree.map(lambda p, g: p - 0.02 * g, params, grads)

    for _ in range(20):
        loss, grads, params = train_step(params)
        record("backward", loss=loss, grads=grads)
    return loss


def main(record=lambda name, **values: None):
    gradients_at_the_kink(record)
    for name, relu in rules:
        print(f"{name:9s} loss after 20 steps {train(relu, record):.4f}")


if __name__ == "__main__":
    main()
