"""Functions whose shapes depend on values: the same as PyTorch's, on Tensors and on arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcgrad
import stateful

VALUES = np.random.default_rng(0).integers(0, 3, (4, 5))
DTYPES = ["float32", "int64", "bool"]
REPEATS = [1, 0, 2, 3]

CALLS = {
    "unique": lambda m, x, _: m.unique(x, return_inverse=True, return_counts=True),
    "unique rows": lambda m, x, _: m.unique(x, return_counts=True, dim=0),
    "unique columns": lambda m, x, _: m.unique(x, return_inverse=True, dim=-1),
    "unique of none": lambda m, x, _: m.unique(x[:0], return_inverse=True, return_counts=True),
    "runs": lambda m, x, _: m.unique_consecutive(x, return_inverse=True, return_counts=True),
    "runs of rows": lambda m, x, _: m.unique_consecutive(x[:, :1], return_counts=True, dim=0),
    "nonzero": lambda m, x, _: m.nonzero(x),
    "nonzero as tuple": lambda m, x, _: m.nonzero(x, as_tuple=True),
    "places": lambda m, x, _: m.where(x),
    "choice": lambda m, x, _: m.where(x > 0, x, x[0]),
    "masked_select": lambda m, x, _: m.masked_select(x, x > 0),
    "masked_select, broadcast": lambda m, x, _: m.masked_select(x, x[0] > 0),
    "repeated": lambda m, x, _: m.repeat_interleave(x, 2, dim=1),
    "repeated by a tensor": lambda m, x, of: m.repeat_interleave(x, of(REPEATS), dim=0),
    "repeated places": lambda m, x, of: m.repeat_interleave(of(REPEATS)),
    "bincount": lambda m, x, of: m.bincount(of(REPEATS), minlength=6),
    "index_put": lambda m, x, of: m.index_put(x, [of([0, 2]), of([1, 1])], x[0, :2]),
    "index_put, mask": lambda m, x, _: m.index_put(x, [x[:, 0] == x[0, 0]], x[0]),
    "index_put, one value": lambda m, x, _: m.index_put(x, [x == x[0, 0]], x[0, 1]),
}


def flat(out):
    return list(out) if isinstance(out, tuple | list) else [out]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        ours, theirs = np.asarray(ours), theirs.numpy()
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_as_in_pytorch(name, dtype):
    call, values = CALLS[name], VALUES.astype(dtype)
    wanted = flat(call(torch, torch.from_numpy(values.copy()), torch.tensor))
    tensor = stateful.tensor(values.tolist(), dtype=getattr(stateful, dtype))
    assert_same([t.numpy() for t in flat(call(stateful, tensor, stateful.tensor))], wanted)
    with jax.enable_x64(True):
        assert_same(flat(call(funcgrad, jnp.asarray(values), jnp.asarray)), wanted)


@pytest.mark.parametrize("method", ["index_put", "index_put_"])
@pytest.mark.parametrize("many", [True, False], ids=["values", "one value"])
def test_index_put_at_a_mask_is_recorded(method, many):
    def run(m):
        x = m.ones(3, requires_grad=True)
        values = m.tensor([2.0, 3.0] if many else 2.0, requires_grad=True)
        y = getattr(x * 1, method)([m.tensor([True, False, True])], values)
        (y * m.tensor([1.0, 2.0, 4.0])).sum().backward()
        return y.grad_fn.name(), x.grad.tolist(), values.grad.tolist()

    assert run(stateful) == run(torch)


def test_method_where_begins_with_the_tensor():
    x = stateful.tensor([1.0, 2.0])
    assert x.where(x > 1, -x).tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("module", [stateful, torch], ids=["stateful", "torch"])
def test_errors(module):
    x = module.ones(3)
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        module.where(x > 0, x)
    with pytest.raises(IndexError, match="Dimension specified as 0 but tensor has no dimensions"):
        module.unique(x[0], dim=0)
    with pytest.raises(RuntimeError, match="0 sized dimensions"):
        module.unique(module.ones(2, 0), dim=0)
    with pytest.raises(RuntimeError, match="expected BoolTensor for mask"):
        module.masked_select(x, x)
    with pytest.raises(IndexError, match="shape of the mask"):
        module.index_put(x, [module.ones(4) > 0], x[0])
    with pytest.raises(IndexError, match="out of bounds"):
        module.ones(3).index_put_([module.tensor([3])], x[:1])
