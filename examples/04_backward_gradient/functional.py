"""vjp for results that are no scalars, and a loop whose length depends on data."""

import jax
import jax.numpy as jnp

import funcgrad as fg


def double_until_large(x):
    """A Python loop: under vjp the numbers are there to be looked at, under jit they are not."""
    y = x * 2
    doublings = 1
    while fg.norm(y) < 1000:
        y = y * 2
        doublings += 1
    return y, doublings


def double_until_large_compiled(x):
    """The same for jit: a scan of fixed length that stops doubling by itself.

    `lax.while_loop` would compile too, but has no reverse mode: nobody knows how much to keep.
    """

    def body(y, _):
        return jnp.where(fg.norm(y) < 1000, y * 2, y), None

    return jax.lax.scan(body, x * 2, length=64)[0]


def main(record=lambda name, **values: None):
    generator = fg.random.seed(4)

    x, generator = fg.random.normal(generator, (3,))
    y, pullback = fg.vjp(lambda x: fg.pow(x, 2) + fg.sum(x), x)
    (grad,) = pullback(jnp.array([1.0, 0.1, 0.01]))
    record("backward", y=y, grads={"x": grad})
    print("vector    x.grad", [f"{g:.5f}" for g in grad.tolist()])

    a = jnp.array([[0.0, 1.0], [2.0, 3.0]])
    b = jnp.array([[1.0, 2.0], [1.0, 3.0]])
    product, pullback = fg.vjp(fg.matmul, a, b)
    grad_a, grad_b = pullback(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    record("backward", product=product, grads={"a": grad_a, "b": grad_b})
    print("matrix    a.grad", grad_a.tolist())
    print("matrix    b.grad", grad_b.tolist())

    try:
        fg.grad(lambda x: x * 2)(x)
    except RuntimeError as error:
        print("no gradient argument:", "only for scalar outputs" in str(error))

    x, generator = fg.random.normal(generator, (3,))
    y, pullback, doublings = fg.vjp(double_until_large, x, has_aux=True)
    cotangent = jnp.array([0.1, 1.0, 0.0001])
    (grad,) = pullback(cotangent)
    record("backward", y=y, grads={"x": grad})
    print("doublings", doublings)
    print("loop      x.grad", [f"{g:.5f}" for g in grad.tolist()])

    _, pullback = fg.vjp(jax.jit(double_until_large_compiled), x)
    assert jnp.array_equal(pullback(cotangent)[0], grad)


if __name__ == "__main__":
    main()
