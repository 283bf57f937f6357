"""The text of tensors against PyTorch's, for random values of all dtypes and shapes."""

import math

import numpy as np
import pytest
import torch

from stateful import devices, dtypes, printing
from stateful.printing import tensor_repr

DTYPES = (
    "float32 float64 float16 bfloat16 complex64 complex128 bool uint8 int8 int16 int32 int64 "
    "uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
).split()
SHAPES = [
    (), (1,), (3,), (30,), (0,), (0, 3), (2, 0, 3), (2, 3), (5, 17), (1, 1), (2, 1, 4),
    (2, 2, 2, 2), (1001,), (7, 200), (200, 7), (6, 8, 30), (3, 400), (1, 2, 3, 400), (1000,),
    (11, 10, 10),
]  # fmt: skip
KINDS = ["normal", "whole", "decades", "tiny", "huge", "special", "zeros", "negative", "halves"]


def _values(generator, shape, kind):
    normal = generator.normal(size=shape)
    if kind == "whole":
        return np.round(normal * 10.0 ** generator.integers(0, 6))
    if kind == "decades":
        return normal * 10.0 ** generator.integers(-9, 9, size=shape)
    if kind == "tiny":
        return normal * 10.0 ** generator.integers(-45, -3)
    if kind == "huge":
        return normal * 10.0 ** generator.integers(4, 38)
    if kind == "special":
        pool = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -2.5, 1e-5, 1e9]
        return generator.choice(pool[: generator.integers(3, 10)], size=shape)
    if kind == "zeros":
        return normal * 0
    if kind == "negative":
        return -np.abs(normal) * 300
    return normal if kind == "normal" else np.round(normal * 8) / 2


def _tensor(name, shape, kind, seed):
    generator = np.random.default_rng(seed)
    values = torch.from_numpy(np.array(_values(generator, shape, kind), dtype=np.float64))
    dtype = getattr(torch, name)
    if dtype.is_complex:
        imaginary = _values(generator, shape, generator.choice(KINDS))
        return torch.complex(values, torch.from_numpy(np.array(imaginary))).to(dtype)
    if dtype.is_floating_point:
        return values.to(dtype)
    if name == "bool":
        return values > 0
    bound = min(float(torch.iinfo(dtype).max), 9e18)
    values = torch.nan_to_num(values, 0.0, 1.0, 0.0) % bound
    return (-values if dtype.is_signed and seed % 2 else values).to(torch.int64).to(dtype)


def _numpy(tensor):
    name = str(tensor.dtype).removeprefix("torch.")
    if name == "bfloat16" or name.startswith("float8"):
        return tensor.detach().double().numpy().astype(getattr(dtypes, name).numpy)
    return tensor.detach().numpy()


def _check(tensor, **properties):
    assert tensor_repr(_numpy(tensor), **properties) == repr(tensor)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DTYPES)
def test_random_tensors(name, kind):
    for seed, shape in enumerate(SHAPES):
        _check(_tensor(name, shape, kind, seed))


OPTIONS = [
    {"precision": 2}, {"precision": 8, "linewidth": 120}, {"threshold": 10}, {"edgeitems": 1},
    {"threshold": 3, "edgeitems": 2}, {"linewidth": 30}, {"sci_mode": True}, {"sci_mode": False},
    {"profile": "short"}, {"profile": "full"}, {"profile": "short", "precision": 6},
    {"edgeitems": 0}, {"edgeitems": 0, "threshold": 2}, {"precision": 0}, {"linewidth": 5},
    {"threshold": math.inf},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)
    try:
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        for seed, shape in enumerate(SHAPES):
            for name in ("float32", "complex64", "int64"):
                _check(_tensor(name, shape, KINDS[seed % len(KINDS)], seed))
    finally:
        torch.set_printoptions(profile="default")
        printing.set_printoptions(profile="default")


@pytest.mark.parametrize("shape", [(), (9,), (0, 2), (2, 3), (300, 300)])
@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "complex64"])
def test_history(name, shape):
    leaf = _tensor(name, shape, "normal", 1).requires_grad_()
    _check(leaf, requires_grad=True)
    result = leaf * 2
    _check(result.detach(), requires_grad=False)
    text = tensor_repr(_numpy(result), requires_grad=True, grad_fn_name="MulBackward0")
    assert text == repr(result)
    parameter = torch.nn.Parameter(leaf.detach())
    text = tensor_repr(_numpy(parameter), requires_grad=True, is_parameter=True)
    assert text == repr(parameter)


@pytest.mark.parametrize("length", range(1, 40))
def test_suffixes_move_to_the_next_line(length):
    tensor = torch.arange(length, dtype=torch.float64).requires_grad_()
    _check(tensor, requires_grad=True)


def test_default_dtype_is_not_printed():
    torch.set_default_dtype(torch.float64)
    dtypes.set_default_dtype(dtypes.float64)
    try:
        for name in ("float32", "float64", "complex64", "complex128", "int64"):
            for shape in ((2,), (0,)):
                _check(_tensor(name, shape, "normal", 0))
    finally:
        torch.set_default_dtype(torch.float32)
        dtypes.set_default_dtype(dtypes.float32)


def test_devices_and_classes():
    for tensor in (torch.empty(2, 3, device="meta"), torch.empty(0, device="meta").long()):
        empty = np.empty(tensor.shape, _numpy(torch.empty_like(tensor, device="cpu")).dtype)
        assert tensor_repr(empty, device=devices.device("meta")) == repr(tensor)

    class Special(torch.Tensor):
        pass

    tensor = torch.randn(3, 2)
    text = tensor_repr(_numpy(tensor), class_name="Special")
    assert text == repr(tensor.as_subclass(Special))
    on_cuda = tensor_repr(np.ones(2, np.float32), device=devices.device("cuda:0"))
    assert on_cuda == "tensor([1., 1.], device='cuda:0')"


def test_printoptions_is_temporary():
    before = printing.get_printoptions()
    with printing.printoptions(precision=1, sci_mode=True):
        assert printing.get_printoptions() != before
    assert printing.get_printoptions() == before


EDGES = [
    [1.5, 1500.0], [1.5, 1500.1], [1.0, 1000.0], [1.0, 1001.0], [1e8, 1e8], [1e8 + 1, 1e8],
    [1e8 + 0.5, 1e8], [1e-4, 0.05], [0.99e-4, 0.05], [math.nan, math.inf], [0.0, math.nan],
]  # fmt: skip


@pytest.mark.parametrize("values", EDGES, ids=str)
def test_where_the_notation_changes(values):
    _check(torch.tensor(values, dtype=torch.float64))
