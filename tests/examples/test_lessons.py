"""Every lesson's twin prints what PyTorch prints, and reports what PyTorch computes."""

import contextlib
import io
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"
LESSONS = sorted(path.parent.name for path in EXAMPLES.glob("*/torch_style.py"))
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")
GRADIENT_CALLS = [
    (torch.Tensor, "backward"),
    (torch.autograd, "backward"),
    (torch.autograd, "grad"),
]


def printed_by(call):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call()
    return out.getvalue().splitlines()


def run_torch(lesson, folder, monkeypatch):
    """What the program prints, the number of its outermost gradient calls, and its variables."""
    monkeypatch.chdir(folder)
    calls = []
    busy = []

    def counted(original):
        def call(*args, **kwargs):
            outermost = not busy
            busy.append(original)
            try:
                result = original(*args, **kwargs)
            finally:
                busy.pop()
            if outermost:
                calls.append(original)
            return result

        return call

    for owner, name in GRADIENT_CALLS:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    names = {}
    script = str(EXAMPLES / lesson / "torch_style.py")
    lines = printed_by(lambda: names.update(runpy.run_path(script, run_name="__main__")))
    return lines, len(calls), names


def run_twin(lesson):
    events = []
    twin = runpy.run_path(str(EXAMPLES / lesson / "functional.py"))
    lines = printed_by(lambda: twin["main"](lambda name, **values: events.append((name, values))))
    return lines, events


def assert_lines_agree(ours, theirs):
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert NUMBER.sub("#", mine) == NUMBER.sub("#", other)
        numbers = [[float(n) for n in NUMBER.findall(line)] for line in (mine, other)]
        np.testing.assert_allclose(*numbers, rtol=1e-4, atol=2e-5, err_msg=mine)


@pytest.mark.parametrize("lesson", LESSONS)
def test_twin_prints_and_reports_what_torch_does(lesson, tmp_path, monkeypatch):
    theirs, gradient_calls, names = run_torch(lesson, tmp_path, monkeypatch)
    ours, events = run_twin(lesson)
    assert_lines_agree(ours, theirs)
    gradients = [values for name, values in events if name in ("backward", "grad")]
    assert len(gradients) == gradient_calls
    last = {name: values["params"] for name, values in events if name == "step"}.get("step", {})
    for name, value in last.items():
        if name in names and isinstance(names[name], torch.Tensor):
            np.testing.assert_allclose(value, names[name].detach(), rtol=1e-3, atol=1e-5)


def test_there_are_eleven_lessons_and_each_is_explained():
    assert len(LESSONS) == 11
    overview = (EXAMPLES / "README.md").read_text()
    for lesson in LESSONS:
        assert (EXAMPLES / lesson / "README.md").read_text().startswith(f"# {int(lesson[:2])}. ")
        assert f"({lesson})" in overview
