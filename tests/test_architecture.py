"""The layers of the project: who imports whom, where torch may appear, how long the core may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("funcgrad/**/*.py"), *ROOT.glob("stateful/**/*.py")])
ORDER = [
    "modes", "execute", "blocks", "lazy", "graph", "saved", "nodes", "rules", "views", "watching",
    "engine", "dispatch", "schedule", "backward", "described", "tensor",
]  # fmt: skip
"""The files of the core of `stateful`, each of which imports only from its left."""
CORE = [
    "funcgrad/op.py", "stateful/execute.py", "stateful/graph.py", "stateful/views.py",
    "stateful/engine.py", "stateful/dispatch.py", "stateful/tensor.py",
]  # fmt: skip
"""What a newcomer must read."""


def imported(path: Path) -> set[str]:
    """Absolute names of the modules that a file imports, and of what it imports from them."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def module_level(path: Path) -> set[str]:
    """Top-level packages imported outside of functions."""
    tree = ast.parse(path.read_text())
    inside = {
        id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        for n in ast.walk(f)
    }  # fmt: skip
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    return names


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_layers(path):
    """funcgrad knows nothing of stateful; stateful nothing of its comparison."""
    name, modules = name_of(path), imported(path)
    if name.startswith("funcgrad/"):
        assert not [m for m in modules if m.partition(".")[0] == "stateful"]
    elif not name.startswith("stateful/compare/") and name != "stateful/__main__.py":
        assert not [m for m in modules if m.startswith("stateful.compare")]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_torch_is_imported_only_to_compare(path):
    allowed = name_of(path).startswith(("stateful/compare/", "funcgrad/testing/"))
    assert "torch" not in module_level(path)
    if not allowed:
        assert "torch" not in {m.partition(".")[0] for m in imported(path)}


@pytest.mark.parametrize("name", ORDER)
def test_the_core_imports_only_from_its_left(name):
    later = ORDER[ORDER.index(name) + 1 :]
    modules = imported(ROOT / "stateful" / f"{name}.py")
    assert not [m for m in modules for right in later if m.startswith(f"stateful.{right}")]


def test_the_core_stays_readable():
    lines = {name: len((ROOT / name).read_text().splitlines()) for name in CORE}
    assert sum(lines.values()) < 2000, lines


@pytest.mark.parametrize("name", ["__setattr__", "__delattr__", "__getattribute__"])
def test_attributes_of_tensors_are_plain(name):
    """A method of this name makes every attribute of a Tensor slow: 0.9 us a recorded op."""
    from stateful import Tensor

    assert getattr(Tensor, name) is getattr(object, name)
