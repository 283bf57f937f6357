"""`sys.modules["torch"] = stateful`: checked in a process of its own."""

import subprocess
import sys

SOURCE = """
import sys
import stateful
sys.modules["torch"] = stateful
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function, Variable
from torch.autograd.function import once_differentiable
from torch.autograd.graph import get_gradient_edge, saved_tensors_hooks
from torch.utils.checkpoint import checkpoint
from torch.utils.hooks import RemovableHandle
from torch.testing import assert_close
assert nn is stateful.nn and F is stateful.nn.functional
assert Function is stateful.autograd.Function
assert checkpoint is stateful.utils.checkpoint.checkpoint
assert not [m for m in sys.modules.values() if getattr(m, "__name__", "")[:6] == "torch."]
assert nn.__spec__.name == "stateful.nn"
x = torch.ones(2, requires_grad=True)
assert isinstance(x, Variable) and isinstance(x, Tensor) and torch.autograd.grad(x.sum(), x)
try:
    import torch.no_such
except ModuleNotFoundError as error:
    print(error)
"""


def test_modules_exist_once():
    done = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, text=True)
    assert done.stderr == ""
    assert "no_such" in done.stdout
