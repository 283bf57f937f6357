"""Fit a cubic polynomial to a stream of noisy samples with Adam, as functions of state."""

import jax
import optax

import funcgrad as fg


def sample(generator, count):
    """Points between -2 and 2, their noisy values, and the generator for the next draw."""
    x, generator = fg.random.uniform(generator, (count,))
    noise, generator = fg.random.normal(generator, (count,))
    x = 4 * x - 2
    y = 1 - 2 * x + 0.5 * fg.pow(x, 3) + 0.5 * noise
    return x, y, generator


def loss_of(params, x, y):
    powers = fg.stack([fg.ones_like(x), x, fg.pow(x, 2), fg.pow(x, 3)], dim=1)
    prediction = fg.matmul(powers, params["coefficients"])
    return fg.mse_loss(prediction, y)


def main(record=lambda name, **values: None):
    generator = fg.random.seed(1)
    coefficients, generator = fg.random.normal(generator, (4,))
    params = {"coefficients": coefficients}
    optimizer = fg.optim.adam(lr=0.1)
    state = optimizer.init(params)

    @jax.jit
    def train_step(params, state, x, y):
        loss, grads = fg.value_and_grad(loss_of)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return loss, grads, optax.apply_updates(params, updates), state

    for step in range(150):
        x, y, generator = sample(generator, 50)
        loss, grads, params, state = train_step(params, state, x, y)
        record("backward", loss=loss, grads=grads)
        record("step", params=params)
        if step % 15 == 0:
            print(f"step {step:3d}  loss {loss:.5f}")

    print("fitted", [f"{c:.3f}" for c in params["coefficients"].tolist()])


if __name__ == "__main__":
    main()
