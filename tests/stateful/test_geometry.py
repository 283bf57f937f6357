"""Contiguity, density, overlap and the layout of results against PyTorch."""

import random

import pytest
import torch

from stateful import devices, geometry
from stateful.geometry import Geometry

FORMATS = ["contiguous_format", "channels_last", "channels_last_3d", "preserve_format"]


def _geometry(tensor):
    return Geometry(tuple(tensor.shape), tensor.stride(), tensor.storage_offset())


def _tensor(chance, size=None):
    """A tensor of random layout: permuted, sliced, expanded, channels last, with odd strides."""
    ndim = chance.randrange(6) if size is None else len(size)
    size = size or [chance.choice([0, 1, 1, 2, 2, 3, 3, 4]) for _ in range(ndim)]
    order = chance.sample(range(ndim), ndim) if chance.random() < 0.7 else list(range(ndim))
    larger = [n + (chance.random() < 0.1) for n in size]
    base = [larger[dim] for dim in order]
    for at, dim in enumerate(order):
        if size[dim] > 1 and chance.random() < 0.1:
            base[at] = 1
    back = [order.index(dim) for dim in range(ndim)]
    tensor = torch.zeros(base).permute(back)
    tensor = tensor.expand([m if n == 1 else n for n, m in zip(tensor.shape, size, strict=True)])
    for dim, length in enumerate(size):
        tensor = tensor.narrow(dim, tensor.shape[dim] - length, length)
    if ndim == 4 and chance.random() < 0.3:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    if chance.random() < 0.1:
        odd = [
            chance.randrange(9) if n == 1 else s for n, s in zip(size, tensor.stride(), strict=True)
        ]
        tensor = tensor.as_strided(size, odd)
    return tensor


def _tensors(count, seed):
    chance = random.Random(seed)
    return [_tensor(chance) for _ in range(count)]


def test_predicates():
    seen = set()
    for tensor in _tensors(3000, 0):
        ours = _geometry(tensor)
        dense = torch.ops.aten.is_non_overlapping_and_dense(tensor)
        assert geometry.is_non_overlapping_and_dense(ours) == dense, ours
        for name in FORMATS[:3]:
            expected = tensor.is_contiguous(memory_format=getattr(torch, name))
            assert geometry.is_contiguous(ours, getattr(devices, name)) == expected, (ours, name)
            seen.add((name, expected, dense))
        assert (ours.ndim, ours.numel) == (tensor.ndim, tensor.numel())
    assert len(seen) == 9  # of a format and not dense is the only impossible case


def test_writing_to_overlapping_memory():
    refused = 0
    for tensor in _tensors(2000, 1):
        try:
            tensor.add_(1)
        except RuntimeError as error:
            assert "more than one element of the written-to tensor" in str(error)
            with pytest.raises(RuntimeError, match="more than one element of the written-to"):
                geometry.check_writable(_geometry(tensor))
            refused += 1
        else:
            assert geometry.check_writable(_geometry(tensor)) is None
    assert 50 < refused < 1500


@pytest.mark.parametrize("name", FORMATS)
def test_new_tensors(name):
    for tensor in _tensors(1000, name):
        for function, ours in ((torch.empty_like, geometry.like), (torch.clone, geometry.like)):
            try:
                expected = _geometry(function(tensor, memory_format=getattr(torch, name)))
            except RuntimeError as error:
                assert "required rank" in str(error)
                with pytest.raises(RuntimeError, match=r"required rank \d tensor to use"):
                    ours(_geometry(tensor), getattr(devices, name))
            else:
                assert ours(_geometry(tensor), getattr(devices, name)) == expected
        assert geometry.contiguous(tuple(tensor.shape)).stride == torch.empty(tensor.shape).stride()


def test_pointwise_unary():
    for tensor in _tensors(2000, 2):
        assert geometry.pointwise(_geometry(tensor)) == _geometry(torch.exp(tensor))
        ours = geometry.pointwise(_geometry(tensor), geometry.contiguous(()))
        assert ours == _geometry(tensor + 1.0), _geometry(tensor)


def test_pointwise_of_several():
    chance = random.Random(3)
    for _ in range(5000):
        first = _tensor(chance)
        others = []
        for _ in range(chance.randrange(1, 3)):
            size = list(first.shape)
            if chance.random() < 0.4:
                size = [1 if chance.random() < 0.4 else n for n in size]
                size = size[chance.randrange(len(size) + 1) :]
            others.append(_tensor(chance, size) if size else torch.zeros(()))
        operands = [first, *others]
        chance.shuffle(operands)
        expected = torch.add(*operands) if len(operands) == 2 else torch.addcmul(*operands)
        ours = [_geometry(operand) for operand in operands]
        assert geometry.pointwise(*ours) == _geometry(expected), ours


def test_broadcast_errors():
    with pytest.raises(RuntimeError) as theirs:
        torch.zeros(2, 4) + torch.zeros(3, 1, 3)
    with pytest.raises(RuntimeError) as ours:
        geometry.broadcast((2, 4), (3, 1, 3))
    assert str(theirs.value) in str(ours.value)
    assert geometry.broadcast((2, 0), (1,), ()) == (2, 0)
    with pytest.raises(RuntimeError, match="must match"):
        geometry.broadcast((2, 0), (3,))


def test_storage_size():
    for tensor in _tensors(300, 4):
        ours = _geometry(tensor)
        assert geometry.storage_size(ours) <= tensor.untyped_storage().nbytes() // 4
        if tensor.numel() and geometry.is_non_overlapping_and_dense(ours):
            assert geometry.storage_size(ours) == ours.offset + tensor.numel()


def test_preserve_is_no_format_of_a_new_tensor():
    assert geometry.is_contiguous(geometry.contiguous((2,)), devices.preserve_format)
    assert not geometry.is_contiguous(geometry.Geometry((2, 3), (1, 2)), devices.preserve_format)
    with pytest.raises(RuntimeError, match="use contiguous_format"):
        geometry.formatted((2,), devices.preserve_format)
