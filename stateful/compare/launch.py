"""Starts a worker without importing the package it lies in.

The process of real PyTorch must not meet `stateful` or JAX, so this file is run by its path, and it
gives the folder around it a name of its own.
"""

import importlib
import sys
import types
from pathlib import Path


def main() -> None:
    """Imports `worker` from this folder as part of a package without a parent, and runs it."""
    here = Path(__file__).resolve().parent
    sys.path.remove(str(here))
    package = types.ModuleType("stateful_compare")
    package.__path__ = [str(here)]
    sys.modules["stateful_compare"] = package
    importlib.import_module("stateful_compare.worker").main(sys.argv[1:])


if __name__ == "__main__":
    main()
