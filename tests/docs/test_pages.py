"""The code on the pages runs, and prints what stands below it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["tour.md"]


@pytest.mark.parametrize("page", PAGES)
def test_page_prints_what_it_says(page):
    blocks = BLOCK.findall((DOCS / page).read_text())
    assert blocks, f"{page} has no code"
    names = {"__name__": page}
    printed = ""
    for kind, text in blocks:
        if kind == "text":
            assert printed == text
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, f"docs/{page}", "exec"), names)
        printed = out.getvalue()
