"""Small programs for the tests, and a way to start the command line on them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

TRAINING = """
import torch
torch.manual_seed(0)
x = torch.randn(20, 3)
target = torch.rand(20, 1)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for step in range(30):
    loss = torch.nn.functional.mse_loss(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print("loss", step, "%.6f" % loss.item())
"""

RELU = """\
import torch

x = torch.tensor([[-1.0, 2.0], [3.0, -4.0]])
w = torch.tensor([[1.0, -1.0], [0.5, 2.0]], requires_grad=True)
hidden = x.mm(w)
active = torch.relu(hidden)
loss = (active * 3).sum()
loss.backward()
print(loss.item())
"""

RELU_TWIN = """
import jax.numpy as jnp
import funcgrad as fg

def loss_of(w):
    x = jnp.array([[-1.0, 2.0], [3.0, -4.0]])
    return fg.sum(fg.relu(fg.mm(x, w)) * {factor})

def main(record=lambda name, **values: None):
    w = jnp.array([[1.0, -1.0], [0.5, 2.0]])
    loss, grad = fg.value_and_grad(loss_of)(w)
    record("backward", loss=loss, grads={{"w": grad}})
    print(loss.item())

if __name__ == "__main__":
    main()
"""

# Put on PYTHONPATH as sitecustomize.py: breaks a formula of funcgrad before a program starts.
PLANT = """
import sys
from importlib.abc import MetaPathFinder

class Planter(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "stateful":
            sys.meta_path.remove(self)
            from funcgrad.op import REGISTRY
            REGISTRY["relu"].vjp["self"] = lambda grad, result: grad
        return None

sys.meta_path.insert(0, Planter())
"""


def write(path, source):
    """Writes a program and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


def stateful(*arguments, first_on_path=(), cwd=None):
    """Runs `stateful ARGUMENTS` and returns the finished process."""
    folders = [str(one) for one in (*first_on_path, ROOT)]
    return subprocess.run(
        [sys.executable, "-m", "stateful", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
    )
