"""Every conformance case shows the same under real PyTorch and under `stateful`."""

from pathlib import Path

import pytest
import torch

import stateful
from tests.conformance.comparing import TOPICS, cases, difference, run

ALL = [(topic, name) for topic in TOPICS for name in cases(topic)]


@pytest.mark.parametrize(("topic", "name"), ALL, ids=[f"{t}-{n}" for t, n in ALL])
def test_case(topic, name):
    case = cases(topic)[name]
    expected = run(case, torch)
    assert not (expected and expected[-1][:1] == ["unexpected"]), f"under torch: {expected[-1]}"
    wrong = [line for line in expected if line[0] == "error" and line[2] is not True]
    assert not wrong, f"phrase is not torch's: {wrong}"
    found = difference(expected, run(case, stateful))
    assert found is None, found


def test_every_topic_has_a_row():
    table = (Path(__file__).parents[2] / "README.md").read_text()
    assert [topic for topic in TOPICS if f"`{topic}.py`" not in table] == []
