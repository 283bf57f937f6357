"""The geometry rules of the view ops against PyTorch, on random tensors and chains of views."""

import random

import pytest
import torch

from stateful.geometry import Geometry
from stateful.geometry_shape import view_stride
from stateful.geometry_views import RULES, view_dtype


def geometry_of(tensor):
    return Geometry(tuple(tensor.shape), tensor.stride(), tensor.storage_offset())


def _dim(tensor, chance):
    """Mostly a valid dimension, sometimes one too far."""
    limit = max(tensor.ndim, 1) + (chance.random() < 0.05)
    return chance.randrange(-limit, limit)


def _size_of(numel, chance):
    """A random size of this many elements, sometimes with a -1 or one factor wrong."""
    size = []
    if numel == 0:
        size = [0, chance.randrange(4), chance.randrange(4)]
        return chance.sample(size, chance.randrange(1, 4)) if chance.random() < 0.9 else [-1, 0]
    while numel > 1:
        factor = chance.choice([d for d in range(2, numel + 1) if numel % d == 0])
        size.append(factor)
        numel //= factor
    size += [1] * chance.randrange(3)
    chance.shuffle(size)
    if size and chance.random() < 0.3:
        size[chance.randrange(len(size))] = chance.choice([-1, -1, -1, 5])
    return size


def _sample(name, tensor, chance):
    """Random arguments of the op, after `self`."""
    ndim, dim = tensor.ndim, _dim(tensor, chance)
    length = tensor.shape[dim] if ndim and -ndim <= dim < ndim else 1
    number = lambda: chance.randrange(-length - 2, length + 3)  # noqa: E731
    if name in ("view", "reshape"):
        if chance.random() < 0.5 and ndim > 1:  # join neighbours: views of gaps succeed too
            at, size = chance.randrange(ndim - 1), list(tensor.shape)
            return [[*size[:at], size[at] * size[at + 1], *size[at + 2 :]]]
        return [_size_of(tensor.numel(), chance)]
    if name == "unflatten.int":
        return [dim, _size_of(length, chance) or [1]]
    if name == "expand":
        size = [chance.choice([-1, n, 3 if n == 1 else n]) for n in tensor.shape]
        lowest = -1 if ndim else 0  # torch loses its way with -1 for a 0-dim tensor
        size = [chance.randrange(lowest, 4) for _ in range(chance.randrange(3))] + size
        return [size if chance.random() < 0.9 else size[1:]]
    if name == "permute":
        dims = [chance.choice([d, d - ndim]) for d in chance.sample(range(ndim), ndim)]
        return [dims if chance.random() < 0.9 else [0] * ndim]
    if name in ("movedim.intlist", "moveaxis.intlist"):
        count = chance.randrange(ndim + 1)
        return [chance.sample(range(ndim), count), chance.sample(range(-ndim, 0), count)]
    if name == "squeeze.dims":
        return [chance.sample(range(ndim), chance.randrange(ndim + 1))]
    if name in ("transpose.int", "swapaxes", "swapdims", "flatten.using_ints", "movedim.int"):
        return [dim, _dim(tensor, chance)]
    if name == "moveaxis.int":
        return [dim, _dim(tensor, chance)]
    if name in ("squeeze.dim", "unbind.int"):
        return [dim]
    if name == "unsqueeze":
        return [chance.randrange(-ndim - 2, ndim + 2)]
    if name == "select.int":
        return [dim, number()]
    if name == "slice.Tensor":
        maybe = lambda: chance.choice([None, number()])  # noqa: E731
        return [dim, maybe(), maybe(), chance.choice([1, 1, 2, 3, 0])]
    if name == "narrow":
        return [dim, number(), chance.randrange(-1, length + 1)]
    if name == "split.Tensor":
        return [chance.randrange(-1, length + 2), dim]
    if name == "split_with_sizes":
        cut = chance.randrange(length + 1)
        return [[cut, length - cut + (chance.random() < 0.1)], dim]
    if name == "chunk":
        return [chance.randrange(6), dim]
    if name == "diagonal":
        return [chance.randrange(-3, 4), dim, _dim(tensor, chance)]
    if name == "unfold":
        return [dim, chance.randrange(length + 2), chance.randrange(4)]
    if name == "as_strided":
        return [[2, 2], [chance.randrange(3), chance.randrange(3)], chance.choice([None, 1])]
    return []


def _call(name, tensor, arguments):
    operator, _, overload = name.partition(".")
    if operator == "numpy_T":
        return torch.ops.aten.numpy_T(tensor)
    overloads = getattr(torch.ops.aten, operator)
    return getattr(overloads, overload or "default")(tensor, *arguments)


def _tensor(chance, dtype=torch.float32):
    size = [chance.choice([1, 2, 2, 3, 4, 6]) for _ in range(chance.randrange(5))]
    if chance.random() < 0.1 and size:
        size[chance.randrange(len(size))] = 0
    return torch.zeros(size, dtype=dtype)


SAMPLED = sorted(set(RULES) - {"_reshape_alias", "_unsafe_view", "view_as_real", "real", "imag",
                               "view_as_complex", "_conj"})  # fmt: skip


def _words(error):
    """The start of a message, which people search for."""
    text = (
        str(error).replace("permute(sparse_coo)", "permute").replace("torch.FloatTensor", "Tensor")
    )
    return text.split()[:4]


def _compare(name, tensor, chance):
    """Compare one random call; the views it gives, none after an error."""
    arguments, geometry = _sample(name, tensor, chance), geometry_of(tensor)
    what = (name, geometry, arguments)
    try:
        expected = _call(name, tensor, arguments)
    except (RuntimeError, IndexError) as error:
        if "out of bounds for storage" in str(error):
            return []
        with pytest.raises((RuntimeError, IndexError)) as ours:
            RULES[name](geometry, *arguments)
        assert ours.type is type(error), (what, error, ours.value)
        if not str(error).startswith(("unflatten got an unexpected", "tensor.")):
            assert _words(ours.value) == _words(error), (what, error, ours.value)
        return []
    got = RULES[name](geometry, *arguments)
    if got is None:
        same_storage = expected.untyped_storage()._cdata == tensor.untyped_storage()._cdata
        assert not same_storage, what
        return []
    expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    got = [got] if isinstance(got, Geometry) else got
    assert got == [geometry_of(each) for each in expected], what
    if name in ("reshape", "flatten.using_ints") and tensor.numel():
        assert all(each.data_ptr() == tensor.data_ptr() for each in expected), what
    return expected


@pytest.mark.filterwarnings("ignore:.*x.T.*:UserWarning")
@pytest.mark.parametrize("name", SAMPLED)
def test_one_view(name):
    chance = random.Random(name)
    views = ["transpose.int", "slice.Tensor", "select.int", "expand", "unsqueeze", "permute"]
    succeeded = 0
    for _ in range(300):
        tensor = _tensor(chance)
        for _ in range(chance.randrange(3)):
            tensor = chance.choice(_compare(chance.choice(views), tensor, chance) or [tensor])
        succeeded += bool(_compare(name, tensor, chance))
    assert succeeded > 50


def test_chains():
    chance = random.Random(0)
    names = [name for name in SAMPLED if name not in ("as_strided", "numpy_T")]
    for _ in range(300):
        tensor = _tensor(chance)
        for _ in range(8):
            results = _compare(chance.choice(names), tensor, chance)
            tensor = chance.choice(results or [tensor])
            if tensor.numel() > 5000 or tensor.ndim > 7:
                break


@pytest.mark.parametrize("name", ["view_as_real", "real", "imag"])
def test_complex_to_real(name):
    chance = random.Random(name)
    for _ in range(100):
        tensor = _tensor(chance, torch.complex64)
        for _ in range(2):
            tensor = chance.choice(_compare("slice.Tensor", tensor, chance) or [tensor])
            tensor = chance.choice(_compare("transpose.int", tensor, chance) or [tensor])
        expected = tensor.imag if name == "imag" else getattr(torch, name)(tensor)
        assert RULES[name](geometry_of(tensor)) == geometry_of(expected)


def _outcome(function):
    try:
        result = function()
    except RuntimeError as error:
        return " ".join(str(error).split()[:4])
    return result if isinstance(result, Geometry) else geometry_of(result)


def test_view_as_complex():
    chance, good = random.Random(0), 0
    for _ in range(300):
        tensor = torch.zeros(chance.choice([2, 3, 4]), chance.choice([2, 2, 3, 4]), 2)
        tensor = chance.choice(_compare("slice.Tensor", tensor, chance) or [tensor])
        tensor = chance.choice(_compare("transpose.int", tensor, chance) or [tensor])
        tensor = chance.choice(_compare("select.int", tensor, chance) or [tensor])
        expected = _outcome(lambda tensor=tensor: torch.view_as_complex(tensor))
        got = _outcome(lambda tensor=tensor: RULES["view_as_complex"](geometry_of(tensor)))
        assert got == expected, geometry_of(tensor)
        good += isinstance(got, Geometry)
    assert good > 50


def test_view_dtype():
    chance, good = random.Random(0), 0
    dtypes = [torch.uint8, torch.int16, torch.float32, torch.float64, torch.complex128]
    for _ in range(1000):
        old, new = chance.choice(dtypes), chance.choice(dtypes)
        tensor = _tensor(chance, old)
        if chance.random() < 0.5:
            tensor = chance.choice(_compare("slice.Tensor", tensor, chance) or [tensor])
        if chance.random() < 0.3:
            tensor = chance.choice(_compare("transpose.int", tensor, chance) or [tensor])
        expected = _outcome(lambda tensor=tensor, new=new: tensor.view(new))
        geometry = geometry_of(tensor)
        got = _outcome(
            lambda old=old, new=new, g=geometry: view_dtype(g, old.itemsize, new.itemsize)
        )
        assert got == expected, (geometry, old, new)
        good += isinstance(got, Geometry)
    assert good > 200


def test_view_of_incompatible_stride_says_reshape():
    geometry = Geometry((3, 2), (1, 3))
    assert view_stride(geometry, (6,)) is None and RULES["reshape"](geometry, (6,)) is None
    with pytest.raises(RuntimeError, match="view size is not compatible with input .*reshape"):
        RULES["view"](geometry, (6,))


def test_rules_name_aten_ops_and_their_arguments():
    import inspect

    for name, rule in RULES.items():
        operator, _, overload = name.partition(".")
        schema = getattr(getattr(torch.ops.aten, operator), overload or "default")._schema
        ours = list(inspect.signature(rule).parameters.values())[1:]
        ours = [each.name for each in ours if each.kind is not inspect.Parameter.VAR_POSITIONAL]
        theirs = [each.name for each in schema.arguments][1:]
        if name not in ("_reshape_alias", "reshape", "swapaxes", "swapdims", "chunk"):
            assert ours[: len(theirs)] == theirs, name
