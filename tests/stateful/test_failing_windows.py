"""A window whose program does not come to an end: what its values are afterwards."""

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
