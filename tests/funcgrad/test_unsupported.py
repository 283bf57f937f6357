"""What PyTorch has no kernel for; `tests/conformance/refusals.py` compares the errors."""

import jax.numpy as jnp
import numpy as np
import pytest

import funcgrad
from funcgrad import unsupported
from funcgrad.op import REGISTRY


def test_every_refused_name_is_an_op():
    known = {name for aten in REGISTRY for name in (aten, aten.partition(".")[0])}
    tables = *unsupported._BY_KIND.values(), unsupported._MESSAGES, unsupported._AS_RUNTIME_ERROR
    assert [name for table in tables for name in table if name not in known] == []


def test_only_the_named_kind_is_refused():
    unsupported.check("cummax", np.dtype("float32"))
    unsupported.check("max.dim", np.dtype("complex64"))  # its op says so itself
    with pytest.raises(NotImplementedError, match="cummax_cpu.*ComplexDouble"):
        unsupported.check("cummax", np.dtype("complex128"))
    with pytest.raises(NotImplementedError, match="median_out"):
        unsupported.check("median.dim", np.dtype("complex64"))
    with pytest.raises(NotImplementedError, match="lshift_cpu.*BFloat16"):
        unsupported.check("bitwise_left_shift.Tensor", jnp.dtype("bfloat16"))


def test_pure_functions_refuse_too():
    with pytest.raises(NotImplementedError, match="cummax_cpu"):
        funcgrad.cummax(jnp.array([1j]), 0)
    assert not funcgrad.cummax(jnp.array([1.0]), 0)[1].any()
