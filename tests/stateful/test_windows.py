"""Windows that do not come to an end, and those that end inside of a trace."""

import jax
import jax.numpy as jnp
import pytest

import stateful as torch
from stateful import lazy


def fail(monkeypatch, error):
    def program(*_):
        raise error

    monkeypatch.setattr(lazy.Structure, "program", program)


def test_who_asks_again_is_told_again(monkeypatch):
    y = torch.ones(3) * 1.25 + 0.5
    with monkeypatch.context() as patch:
        fail(patch, MemoryError("no room"))
        with pytest.raises(MemoryError, match="no room"):
            y.tolist()
    for ask in (y.tolist, lambda: (y + 1).tolist(), lambda: y.sum().item()):
        with pytest.raises(MemoryError, match="no room"):
            ask()
    assert (torch.ones(2) * 3).tolist() == [3, 3]  # others are not concerned


def test_an_interrupted_window_loses_nothing(monkeypatch):
    weight = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (weight * weight * 1.75).sum()
    loss.backward()
    with torch.no_grad():
        weight -= 0.5 * weight.grad
    with monkeypatch.context() as patch:
        fail(patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            loss.item()
    after = weight.detach() * 2
    assert loss.item() == 8.75
    assert weight.tolist() == [-0.75, -1.5]
    assert after.tolist() == [-1.5, -3.0]


@pytest.mark.parametrize("length", [2, 90])  # one program; one in parts
def test_a_look_inside_of_a_trace(length):
    """What is looked at inside of `jax.jit` has nothing to do with it, and stays as it was."""

    def look():
        x = torch.ones(2)
        held = [x]
        for _ in range(length):
            held.append(held[-1] * 0.75 + 0.125)
        return sum(h.sum() for h in held).item()

    expected = look()
    seen = []

    @jax.jit
    def traced(array):
        seen.extend([look(), look(), look()])
        return array + 1

    assert traced(jnp.ones(2)).tolist() == [2, 2]
    assert [*seen, look(), look()] == [expected] * 5


def test_an_array_from_the_host_used_inside_of_a_trace():
    """It is moved to the device at its second use, which may be there."""
    x = torch.tensor([1.0, 2.0])
    seen = [(x * 3.5).tolist()]

    @jax.jit
    def traced(array):
        seen.extend([(x * 3.5).tolist(), (x * 3.5).tolist()])
        return array

    traced(jnp.ones(2))
    assert [*seen, (x * 3.5).tolist()] == [[3.5, 7.0]] * 4
