"""Fit a cubic polynomial to noisy samples with Adam, as functions of parameters and state."""

import jax
import optax

import funcgrad as fg


def main(record=lambda name, **values: None):
    generator = fg.random.seed(1)
    x, generator = fg.random.uniform(generator, (100,))
    x = 4 * x - 2
    noise, generator = fg.random.normal(generator, (100,))
    noise = 0.1 * noise
    y = 1 - 2 * x + 0.5 * fg.pow(x, 3) + noise

    powers = fg.stack([fg.ones_like(x), x, fg.pow(x, 2), fg.pow(x, 3)], dim=1)
    coefficients, generator = fg.random.normal(generator, (4,))
    params = {"coefficients": coefficients}
    optimizer = fg.optim.adam(lr=0.1)
    state = optimizer.init(params)

    def loss_of(params):
        prediction = fg.matmul(powers, params["coefficients"])
        return fg.mse_loss(prediction, y)

    @jax.jit
    def train_step(params, state):
        loss, grads = fg.value_and_grad(loss_of)(params)
        updates, state = optimizer.update(grads, state, params)
        return loss, grads, optax.apply_updates(params, updates), state

    for step in range(200):
        loss, grads, params, state = train_step(params, state)
        record("backward", loss=loss, grads=grads)
        record("step", params=params)
        if step % 20 == 0:
            print(f"step {step:3d}  loss {loss:.5f}")

    print("fitted", [round(c, 3) for c in params["coefficients"].tolist()])


if __name__ == "__main__":
    main()
