"""Examples of names that are rows of tables, and of methods in files that are long without them.

A block of the docstrings here is a public name, and below it what its docstring goes on with.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from . import classes, functions, modules, special_functions, tensor


def attach(root: Any) -> None:
    """Put every example into the docstring of its name, looked up from ``root``."""
    for source in (classes, functions, modules, special_functions, tensor):
        for block in (source.__doc__ or "").split("\n\n")[2:]:  # after the title and the import
            name, _, text = block.partition("\n")
            target = functools.reduce(getattr, name.split("."), root)
            target = getattr(target, "__func__", target)  # of a class method
            prose, prompt, example = inspect.cleandoc(text).partition(">>> ")
            parts = [target.__doc__, prose, f">>> import stateful as torch\n{prompt}{example}"]
            target.__doc__ = "\n\n".join(part.strip() for part in parts if part) + "\n"
