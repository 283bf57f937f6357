"""`device`, layouts and memory formats against PyTorch."""

import copy
import pickle

import jax
import pytest
import torch

from stateful import devices
from stateful.devices import device

GOOD = [
    ("cpu",), ("cpu:1",), ("cuda",), ("cuda:0",), ("cuda:11",), ("cuda", 1), ("cuda", None),
    ("meta",), ("xla",), ("mps",),
]  # fmt: skip
BAD = [
    ("",), ("foo",), ("CPU",), ("cpu:",), ("cuda:-1",), ("cuda:00",), ("cuda:x",), ("cuda:0:1",),
    ("cuda", -1), ("cuda:0", 1), (1.5,), (), (-1,), (0,),
]  # fmt: skip


@pytest.mark.parametrize("arguments", GOOD)
def test_parsing(arguments):
    ours, theirs = device(*arguments), torch.device(*arguments)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == device(ours) == ours


@pytest.mark.parametrize("arguments", BAD)
def test_errors(arguments):
    if torch.accelerator.is_available() and arguments == (0,):
        pytest.skip("a number is a good device where there is an accelerator")
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        torch.device(*arguments)
    with pytest.raises(theirs.type) as ours:
        device(*arguments)
    assert " ".join(str(ours.value).split()[:3]) in str(theirs.value)


def test_equality_and_hash():
    assert device("cuda:1") == device("cuda", 1) == device(type="cuda", index=1)
    assert device("cpu") != device("cpu:0") and device("cpu") != "cpu"
    assert len({device("cpu"), device("cpu"), device(device="cpu")}) == 1
    with pytest.raises(AttributeError, match="not writable"):
        device("cpu").index = 3


def test_jax_devices():
    assert device("cpu").to_jax() == jax.local_devices(backend="cpu")[0]
    assert device("meta").to_jax() is None
    assert devices.from_jax(jax.local_devices(backend="cpu")[0]) == device("cpu")
    with pytest.raises(RuntimeError, match="no device 'tpu:7' is available"):
        device("tpu:7").to_jax()


@pytest.mark.parametrize(
    "name",
    "strided sparse_coo sparse_csr jagged contiguous_format preserve_format channels_last "
    "channels_last_3d".split(),
)
def test_constants(name):
    ours, theirs = getattr(devices, name), getattr(torch, name)
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert pickle.loads(pickle.dumps(ours)) is ours is copy.deepcopy(ours)
