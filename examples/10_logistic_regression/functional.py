"""Logistic regression: a model is a function of a tree of parameters."""

import math

import jax
import jax.numpy as jnp
import optax

import funcgrad as fg


def init_linear(generator, inputs, outputs):
    """The numbers that nn.Linear(inputs, outputs) starts with, and the next generator."""
    bound = 1 / math.sqrt(inputs)
    weight, generator = fg.random.uniform(generator, (outputs, inputs), low=-bound, high=bound)
    bias, generator = fg.random.uniform(generator, (outputs,), low=-bound, high=bound)
    return {"weight": weight, "bias": bias}, generator


def model(params, points):
    linear = params["linear"]
    return fg.squeeze(fg.sigmoid(fg.linear(points, linear["weight"], linear["bias"])), 1)


def main(record=lambda name, **values: None):
    generator = fg.random.seed(10)

    count = 80
    spread = jnp.array([[1.0, 0.6], [0.0, 0.8]])
    class_0, generator = fg.random.normal(generator, (count, 2))
    class_1, generator = fg.random.normal(generator, (count, 2))
    class_0 = fg.matmul(class_0, spread) + jnp.array([-1.0, 1.0])
    class_1 = fg.matmul(class_1, spread) + jnp.array([1.5, 0.0])
    points = fg.cat([class_0, class_1])
    labels = fg.cat([jnp.zeros(count), jnp.ones(count)])

    linear, generator = init_linear(generator, 2, 1)
    params = {"linear": linear}
    optimizer = fg.optim.sgd(lr=0.1, momentum=0.9)
    state = optimizer.init(params)

    def loss_of(params):
        probability = model(params, points)
        return fg.binary_cross_entropy(probability, labels), probability

    @jax.jit
    def train_step(params, state):
        (loss, probability), grads = fg.value_and_grad(loss_of, has_aux=True)(params)
        updates, state = optimizer.update(grads, state, params)
        return loss, probability, grads, optax.apply_updates(params, updates), state

    for step in range(101):
        loss, probability, grads, params, state = train_step(params, state)
        record("backward", loss=loss, grads={"model": grads})
        record("step", params={"model": params})
        if step % 20 == 0:
            accuracy = jnp.mean((probability > 0.5) == labels)
            print(f"step {step:3d}  loss {loss:.5f}  accuracy {accuracy:.4f}")

    slope_x, slope_y = params["linear"]["weight"][0].tolist()
    (offset,) = params["linear"]["bias"].tolist()
    print(f"boundary: {slope_x:+.4f} x {slope_y:+.4f} y {offset:+.4f} = 0")


if __name__ == "__main__":
    main()
