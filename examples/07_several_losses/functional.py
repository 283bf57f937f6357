"""Several losses at once: four ways to weight them, one gradient."""

import jax.numpy as jnp

import funcgrad as fg


def main(record=lambda name, **values: None):
    generator = fg.random.seed(7)
    x, generator = fg.random.normal(generator, (6, 4))
    target, generator = fg.random.normal(generator, (6,))
    w, generator = fg.random.normal(generator, (4,))
    weights = jnp.array([1.0, 0.1])

    def losses(w):
        fit = fg.mean(fg.pow(fg.matmul(x, w) - target, 2))
        size = fg.sum(fg.abs(w))
        return fit, size

    def show(what, grad):
        print(f"{what:16s} {[f'{g:.5f}' for g in grad.tolist()]}")

    # 1. Differentiate the weighted sum.
    def weighted_sum(w):
        fit, size = losses(w)
        return weights[0] * fit + weights[1] * size

    loss, grad = fg.value_and_grad(weighted_sum)(w)
    record("backward", loss=loss, grads={"w": grad})
    show("weighted sum", grad)

    # 2. A function with two results has a pullback with two cotangents: the weights.
    (fit, size), pullback = fg.vjp(losses, w)
    (grad,) = pullback((weights[0], weights[1]))
    record("backward", fit=fit, size=size, grads={"w": grad})
    show("grad_tensors", grad)

    # 3. A function with a vector as its result: the weights are its cotangent.
    both, pullback = fg.vjp(lambda w: fg.stack(losses(w)), w)
    (grad,) = pullback(weights)
    record("backward", both=both, grads={"w": grad})
    show("stacked", grad)

    # 4. One after the other, from one forward pass: add the gradients.
    (fit, size), pullback = fg.vjp(losses, w)
    (of_fit,) = pullback((jnp.array(1.0), jnp.array(0.0)))
    record("backward", fit=fit, grads={"w": of_fit})
    (of_size,) = pullback((jnp.array(0.0), weights[1]))
    grad = of_fit + of_size
    record("backward", weighted=weights[1] * size, grads={"w": grad})
    show("one by one", grad)

    # A frozen branch: stop_gradient is detach().
    def ratio_of(w):
        fit, size = losses(w)
        return fit / fg.stop_gradient(size)

    ratio, grad = fg.value_and_grad(ratio_of)(w)
    record("backward", ratio=ratio, grads={"w": grad})
    show("detached scale", grad)


if __name__ == "__main__":
    main()
