"""Type promotion against `torch.result_type`, over all dtypes and categories."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad import types

NAMES = (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 "
    "uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
).split()
NUMBERS = (True, 3, 2.5, 1 + 2j)


def _operand(spec, library):
    """The same operand for torch or JAX: a number, or (dtype name, shape)."""
    if not isinstance(spec, tuple):
        return spec
    name, shape = spec
    return library.zeros(shape, dtype=getattr(library, name))


def _phrase(error):
    """The part of a promotion error up to the dtypes, which the libraries spell differently."""
    return str(error).split(" attempted to promote")[0].split(" for ")[0]


def _torch_result(specs):
    try:
        dtype = torch.result_type(*(_operand(spec, torch) for spec in specs))
    except RuntimeError as error:
        return _phrase(error)
    return str(dtype).removeprefix("torch.").replace("complex32", "complex64")


def _our_result(specs):
    try:
        return str(types.result_type(*(_operand(spec, jnp) for spec in specs)))
    except RuntimeError as error:
        return _phrase(error)


OPERANDS = [*NUMBERS, *((name, shape) for name in NAMES for shape in ((), (2,)))]


@pytest.mark.parametrize("default", ["float32", "float64", "float16"])
def test_result_type_of_all_pairs(default):
    differences = []
    torch.set_default_dtype(getattr(torch, default))
    types.set_default_dtype(default)
    try:
        with jax.enable_x64(True):
            for pair in itertools.product(OPERANDS, repeat=2):
                expected, got = _torch_result(pair), _our_result(pair)
                if expected != got:
                    differences.append((pair, expected, got))
    finally:
        torch.set_default_dtype(torch.float32)
        types.set_default_dtype("float32")
    assert not differences


@pytest.mark.parametrize("name", NAMES[:12])
@pytest.mark.parametrize("shape", [(), (2,)])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_traced_number_is_still_a_number(name, shape, number):
    expected = _torch_result([(name, shape), number])
    with jax.enable_x64(True):
        array = jnp.zeros(shape, name)
        seen = []
        jax.jit(lambda traced: seen.append(types.result_type(array, traced)) or traced)(number)
    assert str(seen[0]) == expected


def test_promote_types_and_can_cast_tables():
    for first, second in itertools.product(NAMES, repeat=2):
        first_torch, second_torch = getattr(torch, first), getattr(torch, second)
        assert types.can_cast(first, second) == torch.can_cast(first_torch, second_torch)
        try:
            expected = str(torch.promote_types(first_torch, second_torch)).removeprefix("torch.")
        except RuntimeError:
            with pytest.raises(RuntimeError, match="is not supported, attempted to promote"):
                types.promote_types(first, second)
        else:
            assert str(types.promote_types(first, second)) == expected


def test_promote_gives_strong_arrays_and_wraps_numbers_around():
    with jax.enable_x64(True):
        array, number, nothing = types.promote(jnp.ones(2, jnp.uint8), 300, None)
        assert nothing is None
        assert (array.dtype, number.dtype, int(number)) == (np.uint8, np.uint8, 44)
        assert not number.weak_type
        weak = jnp.asarray(2.0)
        assert weak.weak_type and not types.promote(weak)[0].weak_type


def test_promote_float():
    assert types.as_float(jnp.arange(3)).dtype == np.float32
    assert types.as_float(jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16
    assert types.as_float(True).dtype == np.float32
    assert types.promote_float(jnp.arange(3), 2 + 1j)[0].dtype == np.complex64


def test_cast_follows_torch():
    for value in ([0.0, -0.5, 2.0], [0j, 1j, 2 + 1j]):
        array, tensor = jnp.asarray(value), torch.tensor(value)
        for name in ("bool", "int32", "float32", "complex64"):
            expected = (
                tensor.real if tensor.is_complex() and name in ("int32", "float32") else tensor
            )
            expected = expected.to(getattr(torch, name)).numpy()
            np.testing.assert_array_equal(types.cast(array, name), expected)
            scalars = [types.cast(number, name) for number in value]
            np.testing.assert_array_equal(np.stack(scalars), expected)


def test_64_bits_need_x64_and_fall_silently(recwarn):
    assert types.index_dtype() == np.int32
    assert types.result_type(np.zeros(3, np.int64), 1) == np.int32
    assert types.promote(2.5, 1)[0].dtype == np.float32
    with jax.enable_x64(True):
        assert types.index_dtype() == np.int64
    assert not recwarn.list


def test_default_dtype_must_be_floating():
    with pytest.raises(TypeError, match="only floating-point types are supported"):
        types.set_default_dtype("int32")


def test_what_is_no_operand():
    with pytest.raises(TypeError, match="got str"):
        types.result_type("a")
    with pytest.raises(RuntimeError, match="no operand"):
        types.result_type(None)
