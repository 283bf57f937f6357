"""What a run under real PyTorch writes down; the same capture serves stateful."""

import importlib.util

import pytest

from stateful.compare.processes import run
from stateful.compare.programs import Program
from tests.stateful.compare.programs import write

SOURCE = """
import sys, warnings, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 1)
    def forward(self, x):
        return self.inner(x)
model = Model()
optimizer = torch.optim.Adam(model.parameters())
def train():
    x = torch.ones(4, 2)
    loss = model(x).sum()
    loss.backward()
    optimizer.step()
train()
print("a", end=" ")
print("b\\nc")
w = torch.rand(3).requires_grad_()
y = (w * w).sum()
(g,) = torch.autograd.grad(y, w, create_graph=True)
torch.autograd.backward([g.sum()])
try:
    y.backward(); y.backward()
except RuntimeError:
    pass
warnings.warn("careful")
raise KeyError("end")
"""


def capture(tmp_path, side, source=SOURCE):
    path = write(tmp_path / "program.py", source)
    return run(Program(path, None, "program"), [side], tmp_path / "out", timeout=120)[side]


@pytest.mark.parametrize("side", ["torch", "stateful"])
def test_every_kind_of_event_with_its_line_and_names(tmp_path, side):
    if side == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    trace = capture(tmp_path, side)
    found = [
        (event.kind, event.line, sorted(one.name for one in event.quantities))
        for event in trace.events
    ]
    bias, weight = "model.inner.bias", "model.inner.weight"
    assert found == [
        ("backward", 14, ["loss", f"{bias}.grad", f"{weight}.grad"]),
        ("step", 15, [bias, weight]),
        ("print", 18, []),
        ("draw", 19, ["rand"]),
        ("grad", 21, ["w.grad", "y"]),
        ("backward", 22, ["root0", "w.grad"]),
        ("backward", 24, ["w.grad", "y"]),
        ("exception", 24, []),
        ("warning", 27, []),
        ("exception", 28, []),
    ]
    assert trace.events[1].label == "Adam"
    assert trace.events[2].text == "a b\nc"
    assert trace.events[-1].text == "KeyError: 'end'"
    graph = trace.note("graph").data
    assert graph["labels"][0] == "SumBackward0" and weight in graph["labels"]


def test_a_side_that_dies_or_hangs_says_so(tmp_path):
    source = "import os, torch\nprint('so far')\nos._exit(7)\n"
    trace = capture(tmp_path, "stateful", source)
    assert [event.kind for event in trace.events] == ["print", "exception"]
    assert "exit status 7" in trace.events[-1].text
    path = write(tmp_path / "hang.py", "import torch, time\ntime.sleep(60)\n")
    sides = run(Program(path, None, "hang"), ["stateful"], tmp_path / "out", timeout=6)
    assert sides["stateful"].events[-1].text.startswith("TimeoutError")
