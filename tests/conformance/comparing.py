"""Runs one conformance case under two implementations and compares what it showed, line by line.

A case is a function ``case_<name>(torch, show)``. It uses only the ``torch`` it is given and calls
``show`` on what can be observed. ``show.error(call, phrase)`` shows how ``call`` fails: the type of
the exception, and that ``phrase`` is in its message.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOPICS = sorted(
    path.stem for path in HERE.glob("*.py")
    if path.stem not in ("comparing", "conftest") and not path.stem.startswith("test_")
)  # fmt: skip


def cases(topic: str) -> dict[str, Callable]:
    """The cases of a topic by name."""
    spec = importlib.util.spec_from_file_location(f"conformance_{topic}", HERE / f"{topic}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name[5:]: item for name, item in vars(module).items() if name.startswith("case_")}


class Show:
    """Collects what a case shows."""

    def __init__(self, torch: Any):
        self.torch = torch
        self.lines: list[Any] = []

    def __call__(self, *values: Any) -> None:
        self.lines.append([plain(self.torch, value) for value in values])

    def error(self, call: Callable[[], Any], phrase: str = "") -> None:
        """Show how ``call`` fails; ``phrase`` must be in the message."""
        try:
            call()
        except Exception as error:
            kind = type(error).__name__
            self.lines.append(["error", kind, phrase in str(error) or str(error)])
        else:
            self.lines.append(["no error"])

    def warning(self, call: Callable[[], Any], phrase: str = "") -> Any:
        """Show the categories of the warnings of ``call`` that contain ``phrase``."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call()
        found = [w.category.__name__ for w in caught if phrase in str(w.message)]
        self.lines.append(["warnings", *found])
        return result


def plain(torch: Any, value: Any) -> Any:
    """``value`` in terms that do not depend on who made it."""
    if isinstance(value, torch.Tensor):
        return [
            "tensor", str(value.dtype), list(value.shape), value.detach().tolist(),
            value.requires_grad, None if value.grad_fn is None else value.grad_fn.name(),
        ]  # fmt: skip
    if isinstance(value, list | tuple):
        return [plain(torch, item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(torch, item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | complex | str):
        return value
    if isinstance(value, torch.autograd.graph.Node):
        return value.name()
    if isinstance(value, type):
        return value.__name__
    return str(value)


def run(case: Callable, torch: Any) -> list:
    """What ``case`` shows under ``torch``; an unexpected exception is the last line."""
    show = Show(torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            case(torch, show)
        except Exception as error:
            show.lines.append(["unexpected", type(error).__name__, str(error)])
    return show.lines


def difference(expected: list, found: list) -> str | None:
    """The first line that differs, in words."""
    for number, (line, other) in enumerate(zip(expected, found, strict=False)):
        if not same(line, other):
            return f"line {number}:\n   torch    {line}\n   stateful {other}"
    if len(expected) != len(found):
        return f"{len(expected)} lines in torch, {len(found)} in stateful: {found[len(expected) :]}"
    return None


def same(a: Any, b: Any) -> bool:
    """Equality, numbers within 1e-5 relative."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, complex) or isinstance(b, complex):
        return same(complex(a).real, complex(b).real) and same(complex(a).imag, complex(b).imag)
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b
