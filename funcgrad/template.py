"""Templates: what of a call is part of the program, with holes where its data goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class _Hole:
    """The mark in a template where an array goes."""

    def __repr__(self):
        return "_"


HOLE = _Hole()


def small_numbers(default: Any) -> range:
    """Integers that are few, and worth knowing to the compiler: ``pow(x, 2)``.

    None where the default is a float: equal numbers of two types must not share a template.
    """
    return range(0) if type(default) is float else range(-4, 5)


def fill(entry: Any, items: Iterator) -> Any:
    """An entry of a template with its holes filled from ``items``."""
    if entry is HOLE:
        return next(items)
    if type(entry) is tuple and any(item is HOLE for item in entry):
        return tuple(next(items) if item is HOLE else item for item in entry)
    return entry
