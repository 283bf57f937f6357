"""Arrays never change. What changes is a box that holds one: PyTorch calls it a tensor."""

import dataclasses

import jax
import jax.numpy as jnp

import funcgrad as fg


@dataclasses.dataclass
class Box:
    """A place in memory: its content can be replaced, and it counts how often that was done."""

    value: jax.Array
    version: int = 0

    def write(self, value):
        self.value = value
        self.version += 1


@dataclasses.dataclass
class View:
    """A window on a box. Reading cuts a piece out; writing puts a piece back."""

    base: Box
    index: int

    def read(self):
        return self.base.value[self.index]

    def write(self, piece):
        self.base.write(self.base.value.at[self.index].set(piece))


def main(record=lambda name, **values: None):
    # Leaves are the arguments of the function that is differentiated.
    arguments = {"w": jnp.array([1.0, 2.0, 3.0])}
    loss, grads = fg.value_and_grad(lambda p: fg.sum(fg.pow(p["w"] * 2, 2)))(arguments)
    record("backward", loss=loss, grads=grads)
    print("leaf:", "w" in arguments, "doubled" in arguments, "gradient:", grads["w"].tolist())

    # A new box under an old name, or a new value in the old box.
    a = Box(jnp.zeros(3))
    before = a
    a = Box(a.value + 1)
    print("a = a + 1   same tensor:", a is before, "old value:", before.value.tolist())
    before = a
    address = id(a)
    a.write(a.value + 1)
    print("a += 1      same tensor:", a is before, "old value:", before.value.tolist())
    print("same address:", id(a) == address, "version:", a.version)

    matrix = Box(jnp.arange(6.0).reshape(2, 3))
    row = View(matrix, 1)
    row.write(row.read() * 10)
    print("through a view:", matrix.value.tolist())
    print("versions:", matrix.version, row.base.version)

    # An array has no in-place operations at all.
    w = arguments["w"]
    try:
        w[0] = 1
    except TypeError as error:
        print("leaf in place: refused,", "immutable" in str(error))

    # The one way to take memory away from a pullback is to give it to somebody else.
    kept = fg.vjp(lambda w: fg.sum(fg.tanh(w)), jnp.array(w))[1]
    for residual in jax.tree.leaves(kept):
        residual.delete()
    try:
        kept(jnp.array(1.0))
    except RuntimeError as error:
        print("overwritten result: refused,", "deleted" in str(error))

    # A name that is bound again does not touch the value that the pullback holds.
    scratch = w * 1
    loss, pullback = fg.vjp(lambda w: fg.sum(fg.exp(w)), scratch)
    scratch = jnp.zeros_like(scratch)
    (grad,) = pullback(jnp.array(1.0))
    record("backward", loss=loss, grads={"w": grad})
    print("overwritten input:", [f"{g:.4f}" for g in grad.tolist()])

    # The wrong gradient of .data must be asked for: the value here, the pullback of elsewhere.
    square = lambda w: fg.sum(w * w)  # noqa: E731
    _, elsewhere = fg.vjp(square, jnp.full(3, 4.0))
    (grad,) = elsewhere(jnp.array(1.0))
    record("backward", loss=square(w), grads={"w": grad})
    print("behind its back:", grad.tolist())


if __name__ == "__main__":
    main()
