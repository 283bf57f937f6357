"""Gradients are values: whoever wants their sum adds them."""

import jax.numpy as jnp
import optax

import funcgrad as fg


def main(record=lambda name, **values: None):
    generator = fg.random.seed(5)
    x, generator = fg.random.normal(generator, (12, 3))
    y = fg.matmul(x, jnp.array([1.0, -2.0, 3.0])) + 0.5
    params = {"w": jnp.zeros(3), "b": jnp.zeros(1)}

    def loss_of(params, x, y):
        return fg.mean(fg.pow(fg.matmul(x, params["w"]) + params["b"] - y, 2))

    def show(what, grads):
        w = [f"{g:.3f}" for g in grads["w"].tolist()]
        print(f"{what:22s} w.grad {w}  b.grad {grads['b'].item():.3f}")

    # Each call gives a fresh gradient. Adding the second to the first is a decision.
    loss, first = fg.value_and_grad(loss_of)(params, x, y)
    record("backward", loss=loss, grads=first)
    show("one backward", first)
    loss, second = fg.value_and_grad(loss_of)(params, x, y)
    total = fg.accumulate(first, second)
    record("backward", loss=loss, grads=total)
    show("two without clearing", total)

    # Nothing needs clearing: a sum begins with zeros, or with None.
    show("zeroed in place", fg.zero_grad(total, set_to_none=False))
    total = fg.zero_grad(total)
    print("dropped                w.grad", total)

    def accumulated(params):
        """The gradient of the whole, computed in three batches of four."""
        total = None
        for part in range(3):
            rows = slice(4 * part, 4 * part + 4)
            part_loss = lambda params, rows=rows: loss_of(params, x[rows], y[rows]) / 3  # noqa: E731
            loss, grads = fg.value_and_grad(part_loss)(params)
            total = fg.accumulate(total, grads)
            record("backward", loss=loss, grads=total)
        return total

    total = accumulated(params)
    show("three batches of four", total)

    optimizer = fg.optim.sgd(lr=0.1)
    state = optimizer.init(params)
    for _ in range(8):
        updates, state = optimizer.update(accumulated(params), state, params)
        params = optax.apply_updates(params, updates)
        record("step", params=params)
    w = [f"{v:.3f}" for v in params["w"].tolist()]
    print("after 8 steps          w", w, f" b {params['b'].item():.3f}")


if __name__ == "__main__":
    main()
