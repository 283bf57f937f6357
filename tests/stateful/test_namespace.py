"""Names of `torch` that are no ops: questions, settings, `testing`."""

import numpy as np
import pytest
import torch

import stateful

FACES = (torch, stateful)


def test_questions():
    for face in FACES:
        x = face.ones(2, 3)
        assert face.is_tensor(x) and not face.is_tensor([1])
        assert face.is_floating_point(x) and not face.is_complex(x) and face.is_signed(x)
        assert face.numel(x) == 6 and face.typename(x) == "torch.FloatTensor"
        assert face.is_nonzero(face.tensor(1.0))


def test_a_missing_name_says_so():
    with pytest.raises(AttributeError, match="stateful has no torch.no_such_name yet"):
        stateful.no_such_name  # noqa: B018


def test_the_default_dtype_may_change():
    try:
        stateful.set_default_dtype(stateful.float64)
        assert stateful.ones(1).dtype is stateful.float64
        assert (stateful.tensor([1]) / 2).dtype is stateful.float64
        parameter = stateful.nn.Parameter(stateful.ones(1))
        optimizer = stateful.optim.Adam([parameter])
        parameter.grad = stateful.ones(1)
        optimizer.step()
        assert optimizer.state[parameter]["step"].dtype is stateful.float64
    finally:
        stateful.set_default_dtype(stateful.float32)
    assert (stateful.tensor([1]) / 2).dtype is stateful.float32


def test_without_a_gpu():
    if stateful.cuda.is_available():
        pytest.skip("there is one")
    assert stateful.cuda.device_count() == 0
    with pytest.raises(RuntimeError, match="No CUDA GPUs are available"):
        stateful.cuda.current_device()
    assert not stateful.backends.mps.is_available() and stateful.version.cuda is None


PAIRS = [
    ([1.0, 2.0], [1.0, 2.0 + 1e-7], {}),
    ([1.0, 2.0], [1.0, 2.1], {}),
    ([1.0, float("nan")], [1.0, float("nan")], {"equal_nan": True}),
    ([1.0, float("nan")], [1.0, float("nan")], {}),
    ([1.0], [1.0, 1.0], {}),
    ([1], [1.0], {}),
    ([1], [1.0], {"check_dtype": False}),
    ([1.0], [1.05], {"rtol": 0.1, "atol": 0.0}),
    ([float("inf")], [float("inf")], {}),
]


@pytest.mark.parametrize(("actual", "expected", "options"), PAIRS)
def test_assert_close(actual, expected, options):
    verdicts = []
    for face in FACES:
        try:
            face.testing.assert_close(face.tensor(actual), face.tensor(expected), **options)
            verdicts.append(None)
        except AssertionError as error:
            verdicts.append(str(error).split("\n")[0].split("(")[0])
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("name", ["float32", "float64", "complex64", "int64", "uint8", "bool"])
def test_make_tensor(name):
    made = []
    for face in FACES:
        face.manual_seed(5)
        made.append(
            face.testing.make_tensor((3, 4), dtype=getattr(face, name), device="cpu").numpy()
        )
    assert np.array_equal(*made)
