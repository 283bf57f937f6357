"""Both columns of the idiom table run, and agree with each other and with PyTorch."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

PAGE = Path(__file__).parents[2] / "docs" / "idioms.md"
BLOCK = re.compile(r'^```python title="(stateful|functional)(, setup)?"\n(.*?)^```$', re.M | re.S)


def read_page():
    """The setup of each column, and by title the code of each column."""
    head, *sections = re.split(r"^## ", PAGE.read_text(), flags=re.M)
    setup = {column: code for column, _, code in BLOCK.findall(head)}
    rows = {}
    for section in sections:
        rows[section.partition("\n")[0]] = {c: code for c, _, code in BLOCK.findall(section)}
    return setup, rows


SETUP, ROWS = read_page()


def run(code):
    names = {"__name__": "idioms"}
    exec(compile(code, str(PAGE), "exec"), names)
    result = names["result"]
    parts = result if isinstance(result, tuple) else (result,)
    return [np.asarray(p.detach() if hasattr(p, "detach") else p) for p in parts]


def under_torch(title):
    """The left column with real PyTorch."""
    code = SETUP["stateful"].replace("import stateful as torch", "import torch")
    return run(code + ROWS[title]["stateful"])


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_every_row_has_two_columns():
    assert torch.__version__.startswith("2.13")
    assert len(ROWS) > 15
    assert all(set(row) == {"stateful", "functional"} for row in ROWS.values())


@pytest.mark.parametrize("column", ["stateful", "functional"])
@pytest.mark.parametrize("title", ROWS)
def test_column_agrees_with_torch(title, column):
    assert_equal(run(SETUP[column] + ROWS[title][column]), under_torch(title))
