"""A program in parts computes what it computes as a whole."""

import chex
import numpy as np
import pytest

import stateful as torch
from stateful import blocks, lazy, structure
from stateful.blocks import LONGEST, Block, repeats, split


@pytest.fixture(autouse=True)
def lazily():
    """Whatever the rest of the tests run under."""
    with torch.set_execution("lazy"):
        yield


def chain(length):
    """A long elementwise chain of which much is held."""
    x = torch.linspace(-1.0, 1.0, 8)
    held, h = [], x
    for _ in range(length):
        h = torch.sin(h * 1.5 + x) * 0.9
        held.append(h)
    return held


@pytest.fixture
def flushes(monkeypatch):
    """The entries and outputs of every program that is split."""
    seen = []

    def spy(entries, outputs, size):
        parts = split(entries, outputs, size)
        seen.append((entries, outputs, parts))
        return parts

    monkeypatch.setattr(structure, "split", spy)
    return seen


def test_a_chain_with_many_outputs_is_split(flushes):
    found = [h.numpy() for h in chain(60)]
    (entries, outputs, parts) = flushes[0]
    assert repeats(entries, outputs) > LONGEST and len(parts) > 3
    with torch.set_execution("eager"):
        expected = [h.numpy() for h in chain(60)]
    chex.assert_trees_all_close(found, expected, rtol=1e-5)


def test_products_of_matrices_end_a_chain(flushes):
    """What XLA does not compute again needs no splitting."""
    h, held = torch.eye(4), []
    for _ in range(120):
        h = torch.tanh(h @ torch.eye(4))
        held.append(h)
    torch.stack(held).sum().item()
    assert not flushes


def test_equal_stretches_are_one_block(flushes):
    held = chain(230)
    held[-1].sum().item()
    (_, _, parts) = flushes[-1]
    assert len(parts) == 16 and len({part.block for part in parts}) == 3  # first, middle, last


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_parts_and_whole(size):
    """Every split of a program of kernels with several outputs gives the same."""
    with torch.set_execution("lazy"):
        lazy.flush()
        x = torch.arange(6.0).reshape(2, 3)
        values, indices = x.sort(descending=True)
        low, high = torch.aminmax(values * 2)
        out = (values + indices) * high - low
        window = lazy._local.window
        entries = structure._with_numbers(window.structure.entries(), len(window.inputs))
        inputs = [leaf.read() for leaf in window.inputs] + window.numbers
        outputs = (out._storage.value.index, high._storage.value.index)
    found = {~i: given for i, given in enumerate(inputs)}
    for block, takes, gives in split(entries, outputs, size):
        assert isinstance(block, Block) and block.weight <= size
        found.update(zip(gives, block.jitted(*[found[p] for p in takes]), strict=True))
    np.testing.assert_array_equal(found[outputs[0]], out.numpy())
    np.testing.assert_array_equal(found[outputs[1]], high.numpy())
    assert blocks.split(entries, outputs, size)[0].block is split(entries, outputs, size)[0].block


def test_a_pass_longer_than_a_window():
    """More nodes than a window holds: several kernels, equal gradients."""
    x = torch.tensor([0.3, 0.5], requires_grad=True)
    h = x
    for _ in range(700):
        h = torch.sin(h) * 1.01
    h.sum().backward()
    with torch.set_execution("eager"):
        y = torch.tensor([0.3, 0.5], requires_grad=True)
        h = y
        for _ in range(700):
            h = torch.sin(h) * 1.01
        h.sum().backward()
        chex.assert_trees_all_close(x.grad.numpy(), y.grad.numpy(), rtol=1e-4)
