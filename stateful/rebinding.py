"""Putting another function in the place of one, wherever it was imported.

What few programs need is looked for by functions that are put in place when it is first used, so
that the others do not pay for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


def rebind(function: Callable, make: Callable[[Callable], Callable]) -> None:
    """Put ``make(function)`` in the place of ``function`` in all modules of this package."""
    new = make(function)
    for name, module in list(sys.modules.items()):
        if name == __package__ or name.startswith(f"{__package__}."):
            for key, item in list(vars(module).items()):
                if item is function:
                    setattr(module, key, new)
