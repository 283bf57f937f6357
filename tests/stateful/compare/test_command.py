"""The command from end to end, on small programs."""

import importlib.util
import json

import pytest

from stateful.compare.programs import REFERENCES, find_programs, recorded
from tests.stateful.compare.programs import (
    PLANT,
    RELU,
    RELU_TWIN,
    ROOT,
    TRAINING,
    stateful,
    write,
)

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)
pytestmark = needs_torch


@pytest.fixture
def lesson(tmp_path):
    """A folder with a program and its twin; the twin's loss has the factor 3, as the program's."""
    write(tmp_path / "lesson" / "torch_style.py", RELU)
    write(tmp_path / "lesson" / "functional.py", RELU_TWIN.format(factor=3))
    return tmp_path / "lesson"


def test_three_sides_agree_and_the_report_is_written(tmp_path, lesson):
    out = tmp_path / "out"
    done = stateful("compare", lesson, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lesson agrees: 2 events, 3 quantities" in done.stdout
    assert "torch 2." in done.stdout and "functional" in done.stdout
    html = (out / "report.html").read_text()
    assert "1 of 1 programs agree" in html and "data:image/png;base64" in html
    assert (out / "lesson" / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_loop_agrees_as_json(tmp_path):
    path = write(tmp_path / "training.py", TRAINING)
    done = stateful("compare", path, "--json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads(done.stdout)
    assert result["agrees"] and result["explanation"] == []
    names = {row["quantity"] for row in result["rows"]}
    assert {"randn", "loss", "model.0.weight", "model.2.bias.grad"} <= names
    assert (tmp_path / "out" / "training" / "losses.png").exists()


def test_a_wrong_twin_is_named(tmp_path, lesson):
    write(lesson / "functional.py", RELU_TWIN.format(factor=4))
    done = stateful("compare", lesson, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert (
        "first at backward event 1, torch_style.py line 8: `loss.backward()`: loss" in done.stdout
    )
    assert "reference 18, functional 24" in done.stdout


@pytest.mark.parametrize("reference", ["live", "recorded"])
def test_a_planted_wrong_formula_names_op_and_line(tmp_path, reference):
    path = write(tmp_path / "program.py", RELU)
    write(tmp_path / "plant" / "sitecustomize.py", PLANT)
    options = ["--references", tmp_path / "references", "--out", tmp_path / "out"]
    if reference == "recorded":
        assert stateful("compare", path, *options, "--record").returncode == 0
    done = stateful(
        "compare", path, *options, "--reference", reference, first_on_path=[tmp_path / "plant"]
    )
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "line 8: `loss.backward()`: w.grad" in text
    assert "the operation is ReluBackward0 of line 6" in text
    assert "line 6: `active = torch.relu(hidden)`" in text
    assert "declared at funcgrad/ops/activation.py" in text


def test_a_program_without_reference_cannot_be_compared(tmp_path):
    path = write(tmp_path / "program.py", RELU)
    options = ["--references", tmp_path / "references", "--reference", "recorded"]
    done = stateful("compare", path, *options, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "no recorded reference" in done.stderr and "pip install torch" in done.stderr
    assert stateful("compare", tmp_path / "nothing").returncode == 2


def test_a_reference_of_another_version_of_the_program_is_refused(tmp_path):
    path = write(tmp_path / "program.py", RELU)
    options = ["--references", tmp_path / "references", "--out", tmp_path / "out"]
    assert stateful("compare", path, *options, "--record").returncode == 0
    write(path, RELU + "\n# changed\n")
    done = stateful("compare", path, *options, "--reference", "recorded")
    assert done.returncode == 2 and "another version" in done.stderr


@pytest.mark.parametrize("program", find_programs([ROOT / "examples"]), ids=lambda one: one.name)
def test_every_lesson_ships_with_its_reference(program):
    trace = recorded(program, REFERENCES)
    assert trace.header["side"] == "torch" and trace.header["version"].startswith("2.13")
    assert trace.events and program.twin is not None


def test_a_side_that_fails_says_how(tmp_path, lesson):
    write(lesson / "functional.py", "def main(record):\n    raise ZeroDivisionError('oh')\n")
    done = stateful("compare", lesson, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "functional ended with ZeroDivisionError: oh (line 2)" in done.stdout
