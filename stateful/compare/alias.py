"""Makes `import torch` mean `stateful`, in a process that runs a PyTorch program on JAX.

`torch.nn.functional` is not a copy of `stateful.nn.functional` but the same module object, so that
whatever a program sets on one is set on the other. A name that `stateful` lacks fails where it is
used, and the error says which it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_ALIAS = "torch"
_TARGET = "stateful"


def install() -> None:
    """From now on `torch` and every `torch.*` is `stateful` in this process.

    Raises RuntimeError if the real torch has been imported already.
    """
    if any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        return
    if _ALIAS in sys.modules:
        raise RuntimeError(
            "torch is imported already, so `import torch` cannot mean stateful in this process: "
            "start the script with `stateful run`"
        )
    sys.meta_path.insert(0, _AliasFinder())
    sys.meta_path.append(_MissingFinder())


def uninstall() -> None:
    """Undoes `install`, for tests."""
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not isinstance(finder, _AliasFinder | _MissingFinder)
    ]
    for name in [name for name in sys.modules if name.split(".")[0] == _ALIAS]:
        del sys.modules[name]


def _alias_of(name: str) -> str:
    """The name under which a PyTorch user knows this `stateful` module."""
    return _ALIAS + name.removeprefix(_TARGET).removeprefix(_ALIAS)


def _missing(name: str) -> str:
    return f"stateful has no {_alias_of(name)} yet"


class _AliasFinder(MetaPathFinder):
    """Finds `torch.x` by importing `stateful.x`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] != _ALIAS:
            return None
        return ModuleSpec(fullname, _AliasLoader(), is_package=True)


class _AliasLoader(Loader):
    """Hands out the module that exists already; a name that it lacks is told in a sentence."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from stateful.standing_in import ExistingModule  # a worker starts without `stateful`

        self._existing = ExistingModule()
        module = self._existing.create_module(spec)
        module.__dict__.setdefault("__getattr__", _complain(module.__name__))
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._existing.exec_module(module)


class _MissingFinder(MetaPathFinder):
    """Asked last: turns "No module named 'stateful.x'" into a sentence about `torch.x`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.startswith(_TARGET + "."):
            raise ModuleNotFoundError(_missing(fullname), name=_alias_of(fullname))
        return None


def _complain(module: str) -> Callable[[str], Any]:
    def __getattr__(name: str) -> Any:
        # Python itself asks for names like `__path__` and `__wrapped__`; nobody used those.
        raise AttributeError(_missing(f"{module}.{name}"), name=name)

    return __getattr__
