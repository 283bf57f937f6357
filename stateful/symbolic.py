"""`torch.sym_int` and the like: what they are for numbers, as no size here is symbolic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any


def sym_float(a: Any) -> float:
    """``float(a)``.

    >>> import stateful as torch
    >>> torch.sym_float(2)
    2.0
    """
    return float(a)


def sym_int(a: Any) -> int:
    """``int(a)``.

    >>> import stateful as torch
    >>> torch.sym_int(2.5)
    2
    """
    return int(a)


def sym_not(a: Any) -> bool:
    """``not a``.

    >>> import stateful as torch
    >>> torch.sym_not(True)
    False
    """
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """The larger number, a float if one of both is.

    >>> import stateful as torch
    >>> torch.sym_max(1, 2.0), torch.sym_max(3, 2)
    (2.0, 3)
    """
    return _common(max(a, b), a, b)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller number, a float if one of both is.

    >>> import stateful as torch
    >>> torch.sym_min(1, 2.0), torch.sym_min(3, 2)
    (1.0, 2)
    """
    return _common(min(a, b), a, b)


def _common(chosen: Any, a: Any, b: Any) -> Any:
    return float(chosen) if isinstance(a, float) or isinstance(b, float) else chosen


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """``t if b else f``.

    >>> import stateful as torch
    >>> torch.sym_ite(True, 1, 2)
    1
    """
    return t if b else f


def sym_sum(args: Iterable) -> Any:
    """The sum of several numbers.

    >>> import stateful as torch
    >>> torch.sym_sum([1, 2])
    3
    """
    return sum(args)


def sym_sqrt(a: Any) -> float:
    """The square root.

    >>> import stateful as torch
    >>> torch.sym_sqrt(4)
    2.0
    """
    return math.sqrt(a)


SYMBOLIC: dict[str, Callable] = {
    function.__name__: function
    for function in (
        sym_float, sym_int, sym_ite, sym_max, sym_min, sym_not, sym_sqrt, sym_sum,
    )
}  # fmt: skip
