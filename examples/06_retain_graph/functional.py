"""vjp returns the pullback: a value that may be called as often as one likes."""

import jax
import jax.numpy as jnp

import funcgrad as fg


def inputs():
    return jnp.array([1.0, 2.0, 3.0]), jnp.array([0.5, -1.0, 0.25])


def squashed(x, w):
    return fg.sum(fg.tanh(x * w))


def trunk_of(x, w):
    return fg.exp(x * w)


def main(record=lambda name, **values: None):
    y, pullback = fg.vjp(squashed, *inputs())
    grad_x, grad_w = pullback(jnp.array(1.0))
    record("backward", y=y, grads={"x": grad_x, "w": grad_w})
    print("first backward   x.grad", [f"{g:.5f}" for g in grad_x.tolist()])

    # What it needs lives as long as the pullback does. Deleting it is what backward() does.
    for kept in jax.tree.leaves(pullback):
        kept.delete()
    try:
        pullback(jnp.array(1.0))
    except RuntimeError as error:
        print("second backward:", "deleted" in str(error))

    # Not deleting it is retain_graph=True: two calls, and a sum if one wants the sum.
    y, pullback = fg.vjp(squashed, *inputs())
    first = pullback(jnp.array(1.0))
    record("backward", y=y, grads=dict(zip("xw", first, strict=True)))
    both = fg.accumulate(first, pullback(jnp.array(1.0)))
    record("backward", y=y, grads=dict(zip("xw", both, strict=True)))
    print("two passes       x.grad", [f"{g:.5f}" for g in both[0].tolist()])

    # Two heads on one trunk: the pullback of the trunk is called once for each.
    trunk, trunk_pullback = fg.vjp(trunk_of, *inputs())
    first, first_pullback = fg.vjp(fg.sum, trunk)
    second, second_pullback = fg.vjp(fg.prod, trunk)
    grads = trunk_pullback(*first_pullback(jnp.array(1.0)))
    record("backward", first=first, grads=dict(zip("xw", grads, strict=True)))
    print("first head       w.grad", [f"{g:.4f}" for g in grads[1].tolist()])
    grads = fg.accumulate(grads, trunk_pullback(*second_pullback(jnp.array(1.0))))
    record("backward", second=second, grads=dict(zip("xw", grads, strict=True)))
    print("and second head  w.grad", [f"{g:.4f}" for g in grads[1].tolist()])

    # The pullback of a sum keeps no numbers at all, only a shape.
    x, _ = inputs()
    total, pullback = fg.vjp(fg.sum, x)
    (grad,) = pullback(jnp.array(1.0))
    record("backward", total=total, grads={"x": grad})
    (again,) = pullback(jnp.array(1.0))
    record("backward", total=total, grads={"x": grad + again})
    print("sum, twice       x.grad", (grad + again).tolist())


if __name__ == "__main__":
    main()
