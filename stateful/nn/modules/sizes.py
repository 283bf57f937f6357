"""Arguments that are one number for all dimensions or a number for each."""

from __future__ import annotations

from typing import Any


def tuple_of(value: Any, rank: int) -> tuple:
    """``value`` as a tuple of ``rank`` numbers.

    >>> tuple_of(3, 2), tuple_of([1, 2], 2)
    ((3, 3), (1, 2))
    """
    return tuple(value) if isinstance(value, list | tuple) else (value,) * rank
