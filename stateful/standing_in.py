"""Every `torch.x` is `stateful.x`, once a program says `sys.modules["torch"] = stateful`.

Python looks for `torch.nn` in the folder of whatever `torch` is, and would run the files of
`stateful` a second time, under other names and with other classes. The finder here hands out the
modules that exist. It does nothing while `torch` is anything else.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ALIAS = "torch"
TARGET = __package__ or "stateful"


class ExistingModule(Loader):
    """Hands out the module of `stateful`, and leaves its own `__spec__` as it was."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(TARGET + spec.name.removeprefix(ALIAS))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _Finder(MetaPathFinder):
    """Finds `torch.x` while `torch` is `stateful`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{ALIAS}."):
            return None
        if getattr(sys.modules.get(ALIAS), "__name__", None) != TARGET:
            return None
        return ModuleSpec(fullname, ExistingModule(), is_package=True)


def install() -> None:
    """From now on the submodules of a `torch` that is `stateful` are those of `stateful`."""
    sys.meta_path.insert(0, _Finder())
