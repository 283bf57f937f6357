"""A two-layer ReLU network whose two weight matrices learn at different rates."""

import jax
import optax

import funcgrad as fg


def main(record=lambda name, **values: None):
    generator = fg.random.seed(2)
    x, generator = fg.random.normal(generator, (64, 10))
    y = fg.sin(x[:, :3]) + x[:, 3:6] * x[:, 6:9]

    w1, generator = fg.random.normal(generator, (10, 40))
    w2, generator = fg.random.normal(generator, (40, 3))
    params = {"w1": 0.3 * w1, "w2": 0.3 * w2}
    optimizer = optax.multi_transform(
        {"w1": fg.optim.sgd(lr=0.05, momentum=0.9), "w2": fg.optim.sgd(lr=0.02)},
        param_labels={"w1": "w1", "w2": "w2"},
    )
    state = optimizer.init(params)

    def loss_of(params):
        hidden = fg.clamp(fg.mm(x, params["w1"]), min=0)
        prediction = fg.mm(hidden, params["w2"])
        return fg.mean(fg.pow(prediction - y, 2))

    @jax.jit
    def train_step(params, state):
        loss, grads = fg.value_and_grad(loss_of)(params)
        updates, state = optimizer.update(grads, state, params)
        return loss, grads, optax.apply_updates(params, updates), state

    losses = []
    for _ in range(150):
        loss, grads, params, state = train_step(params, state)
        record("backward", loss=loss, grads=grads)
        record("step", params=params)
        losses.append(loss)

    for step in [0, 1, 2, 5, 10, 20, 50, 100, 149]:
        print(f"step {step:3d}  loss {losses[step]:.5f}")


if __name__ == "__main__":
    main()
