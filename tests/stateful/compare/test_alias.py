"""`import torch` means stateful: checked in processes of their own."""

import pytest

from tests.stateful.compare.programs import stateful, write


def run(tmp_path, source, *arguments):
    return stateful("run", write(tmp_path / "script.py", source), *arguments)


def test_every_torch_module_is_the_stateful_module(tmp_path):
    source = """
import sys, torch, torch.nn.functional as F, torch.optim
from torch import nn, autograd
from torch.autograd import Variable, Function
import stateful
assert torch is stateful and nn is stateful.nn and F is stateful.nn.functional
assert sys.modules["torch.optim"] is stateful.optim
assert stateful.__spec__.name == "stateful" and nn.__spec__.name == "stateful.nn"
torch.mark = 1
assert stateful.mark == 1
print(__name__, __file__ == sys.argv[0], sys.argv[1:], sys.path[0])
"""
    done = run(tmp_path, source, "--one", "2")
    assert done.stderr == ""
    assert done.stdout == f"__main__ True ['--one', '2'] {tmp_path}\n"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("torch.no_such_name", "AttributeError: stateful has no torch.no_such_name yet"),
        ("torch.nn.NoSuchLayer", "AttributeError: stateful has no torch.nn.NoSuchLayer yet"),
        ("import torch.no_such", "ModuleNotFoundError: stateful has no torch.no_such yet"),
        ("import torch.nn.x.y", "ModuleNotFoundError: stateful has no torch.nn.x yet"),
        ("from torch import no_such", "ModuleNotFoundError: stateful has no torch.no_such yet"),
    ],
)
def test_a_missing_name_fails_where_it_is_used(tmp_path, statement, error):
    done = run(tmp_path, f"import torch\nimport torch.nn\nprint('so far')\n{statement}\n")
    assert done.returncode == 1
    assert done.stdout == "so far\n"
    assert done.stderr.splitlines()[-1] == error
    first_frame = done.stderr.splitlines()[1]
    assert first_frame.strip().startswith(f'File "{tmp_path / "script.py"}", line 4')


def test_hasattr_asks_without_failing(tmp_path):
    done = run(tmp_path, "import torch\nprint(hasattr(torch, 'no_such'), hasattr(torch, 'relu'))\n")
    assert done.stdout == "False True\n"


def test_the_exit_status_is_the_scripts(tmp_path):
    assert run(tmp_path, "raise SystemExit(3)").returncode == 3
    assert stateful("run", tmp_path / "nothing.py").returncode == 2
