"""Every module over PyTorch's own module database: values, gradients, state, repr."""

import re

import pytest
import torch

import stateful
from tests.stateful.nn.module_twins import NAMES, check, inputs_of

MISSING = {"LinearCrossEntropyLoss"}
NO_OP_YET = {"Bilinear", "CTCLoss"}
MOST = 4  # inputs of one module: LSTM, MultiheadAttention and others have dozens


def some(inputs):
    """At most `MOST` of them, spread over the whole list."""
    return inputs[:: max(1, -(-len(inputs) // MOST))]


def test_what_is_missing_is_missing():
    for name in MISSING:
        assert not hasattr(stateful.nn, name), f"{name} is there now: test it"


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", sorted(set(NAMES) - MISSING))
def test_module(name, training):
    if name in NO_OP_YET and not hasattr(stateful.nn.functional, OPS[name]):
        pytest.skip(f"there is no op {OPS[name]} yet")
    for given in some(inputs_of(name, training))[: MOST if training else 2]:
        check(name, given, training)


OPS = {"Bilinear": "bilinear", "CTCLoss": "ctc_loss"}


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout",
                                  "FeatureAlphaDropout", "RReLU"])  # fmt: skip
def test_random_modules_draw_what_pytorch_draws(name):
    shape = {"Dropout1d": (2, 3, 4), "Dropout3d": (2, 3, 2, 2, 2)}.get(name, (2, 3, 4, 4))
    results = []
    for face in (torch, stateful):
        face.manual_seed(1)
        module = getattr(face.nn, name)()
        x = face.randn(*shape, requires_grad=True)
        y = module(x)
        y.sum().backward()
        results.append((repr(module), y.detach().numpy(), x.grad.numpy()))
    (their_text, *theirs), (text, *ours) = results
    assert text == their_text
    for mine, other in zip(ours, theirs, strict=True):
        assert abs(mine - other).max() <= 1e-6


def state_of_lazy_modules(face):
    """Kinds in the state, and what comes of loading it into modules of both kinds."""
    lazy, ready = face.nn.LazyLinear(2), face.nn.Linear(3, 2)
    state = lazy.state_dict()
    yield [type(item).__name__ for item in state.values()]
    other = face.nn.LazyLinear(2)
    yield str(other.load_state_dict(state)), other.has_uninitialized_params()
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        ready.load_state_dict(state)
    yield str(lazy.load_state_dict(ready.state_dict())), tuple(lazy.weight.shape)
    norm = face.nn.LazyInstanceNorm1d(bias=False)
    norm(face.ones(2, 3, 4))
    yield repr(norm), list(norm.state_dict())


def test_the_state_of_a_lazy_module():
    assert list(state_of_lazy_modules(stateful)) == list(state_of_lazy_modules(torch))


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_dropout_between_layers_of_a_recurrence(name):
    results = []
    for face in (torch, stateful):
        face.manual_seed(1)
        module = getattr(face.nn, name)(3, 4, num_layers=3, dropout=0.4, bidirectional=True)
        output, _ = module(face.randn(5, 2, 3))
        output.sum().backward()
        results.append([output.detach().numpy(), module.weight_ih_l0.grad.numpy()])
    for mine, other in zip(*results, strict=True):
        assert abs(mine - other).max() <= 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "Conv2d(4, 6, (3, 5), stride=2, padding=1, dilation=(1, 2), groups=2, bias=False)",
        "Conv1d(2, 2, 3, padding='same', padding_mode='circular')",
        "ConvTranspose2d(2, 4, 3, output_padding=1, stride=2)",
        "MaxPool2d(2)", "AvgPool1d(3)", "AvgPool2d((2, 3))", "AdaptiveAvgPool2d((1, None))",
        "LPPool2d(2.0, 3)", "MaxUnpool2d(2)",
        "Embedding(5, 3, padding_idx=1, max_norm=2.0)", "EmbeddingBag(5, 3, mode='sum')",
        "LSTM(2, 4, 2, batch_first=True, bidirectional=True, proj_size=3, bias=False)",
        "GRU(2, 3, num_layers=2, dropout=0.5)", "RNNCell(2, 3, nonlinearity='relu', bias=False)",
        "Upsample(scale_factor=2)", "Upsample(size=(2, 3), mode='bilinear')",
        "UpsamplingNearest2d(scale_factor=2)", "Flatten()", "Unflatten(1, (2, 3))",
        "Fold((4, 4), 2)", "Unfold(2, stride=2)", "PixelShuffle(2)", "ChannelShuffle(2)",
        "ZeroPad2d(1)", "ConstantPad1d(2, 3.5)", "ReflectionPad2d((1, 2, 0, 1))",
        "CircularPad1d(1)",
        "CosineSimilarity()", "PairwiseDistance()", "LocalResponseNorm(2)", "RMSNorm(3)",
        "LayerNorm((2, 3), bias=False)", "GroupNorm(2, 4, affine=False)",
        "Dropout(0.3, inplace=True)",
        "MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True)", "Softmax2d()", "RReLU()",
        "ModuleList([m.Linear(1, 1), m.Linear(1, 1), m.ReLU()])",
        "TransformerEncoder(m.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2)",
    ],
)  # fmt: skip
def test_repr_and_initial_values(text):
    shown = []
    for m in (torch.nn, stateful.nn):
        (torch if m is torch.nn else stateful).manual_seed(0)
        module = eval(f"m.{text}")
        shown.append(
            (repr(module), {k: v.numpy().tolist() for k, v in module.state_dict().items()})
        )
    assert shown[1] == shown[0]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda nn: nn.Conv2d(3, 4, 3, groups=2), ValueError),
        (lambda nn: nn.Conv2d(3, 4, 3, padding="same", stride=2), ValueError),
        (lambda nn: nn.Conv1d(3, 4, 3, padding_mode="odd"), ValueError),
        (lambda nn: nn.Dropout(1.5), ValueError),
        (lambda nn: nn.GroupNorm(2, 3), ValueError),
        (lambda nn: nn.LSTM(2, 2, proj_size=2), ValueError),
        (lambda nn: nn.RNN(2, 2, nonlinearity="sin"), ValueError),
        (lambda nn: nn.MultiheadAttention(5, 2), AssertionError),
        (lambda nn: nn.MultiheadAttention(0, 2), ValueError),
        (lambda nn: nn.Embedding(3, 2, padding_idx=3), AssertionError),
    ],
)
def test_refusals(make, error):
    messages = []
    for nn in (torch.nn, stateful.nn):
        with pytest.raises(error) as info:
            make(nn)
        messages.append(re.split("[,{]", str(info.value))[0][:40])  # a set has no order
    assert messages[0] == messages[1]
