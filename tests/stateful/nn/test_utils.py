"""`nn.utils` against PyTorch's."""

import pytest
import torch

import stateful

FACES = (torch, stateful)


def with_gradients(face):
    made = []
    for i, shape in enumerate([(2, 3), (4,)]):
        parameter = face.nn.Parameter(face.ones(shape))
        parameter.grad = face.arange(parameter.numel()).float().reshape(shape) - 2.5 * i
        made.append(parameter)
    return made


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("limit", [0.5, 1000.0])
def test_clip_grad_norm(norm, limit):
    results = []
    for face in FACES:
        parameters = with_gradients(face)
        total = face.nn.utils.clip_grad_norm_(parameters, limit, norm)
        results.append(
            [total.item(), *[x for p in parameters for x in p.grad.reshape(-1).tolist()]]
        )
    assert results[1] == pytest.approx(results[0], rel=1e-6)


def test_norm_that_is_not_finite():
    for face in FACES:
        parameters = with_gradients(face)
        parameters[0].grad[0, 0] = float("nan")
        with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
            face.nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)


def iter_of_none():
    yield from ()


def test_nothing_to_clip_warns():
    for face in FACES:
        with pytest.warns(UserWarning, match="empty generator, no gradient clipping"):
            assert face.nn.utils.clip_grad_norm_(iter_of_none(), 1.0).item() == 0.0


def test_clip_grad_value():
    results = []
    for face in FACES:
        parameters = with_gradients(face)
        face.nn.utils.clip_grad_value_(parameters, 1.0)
        results.append([p.grad.tolist() for p in parameters])
    assert results[0] == results[1]


def test_parameters_as_a_vector():
    results = []
    for face in FACES:
        parameters = with_gradients(face)
        vector = face.nn.utils.parameters_to_vector(parameters)
        face.nn.utils.vector_to_parameters(face.arange(10).float(), parameters)
        results.append((vector.tolist(), [p.tolist() for p in parameters], vector.requires_grad))
    assert results[0] == results[1]


def test_functional_call():
    for face in FACES:
        layer = face.nn.Linear(2, 1)
        call = torch.func.functional_call if face is torch else (
            stateful.nn.utils.stateless.functional_call)  # fmt: skip
        weight = face.ones((1, 2), requires_grad=True)
        before = layer.weight
        out = call(layer, {"weight": weight, "bias": face.zeros(1)}, (face.ones(2),))
        out.sum().backward()
        assert out.item() == 2.0 and weight.grad.tolist() == [[1.0, 1.0]]
        assert layer.weight is before and before.grad is None


def test_functional_call_strict():
    layer = stateful.nn.Linear(2, 1)
    with pytest.raises(RuntimeError, match="Missing key"):
        stateful.nn.utils.stateless.functional_call(
            layer, {"weight": layer.weight}, (stateful.ones(2),), strict=True
        )
