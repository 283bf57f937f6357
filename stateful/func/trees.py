"""Nested tuples, lists, deques and dicts of Tensors, in the order in which they were written."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any


def flatten(tree: Any) -> tuple[list, Callable[[list], Any], Any]:
    """The leaves, a function that puts other leaves in their places, and the structure."""
    leaves: list = []
    structure = _walk(tree, leaves)

    def rebuild(items: list) -> Any:
        return _build(structure, iter(items))

    return leaves, rebuild, structure


def _walk(tree: Any, leaves: list) -> Any:
    if isinstance(tree, tuple | list | deque):
        return type(tree), None, [_walk(item, leaves) for item in tree]
    if isinstance(tree, dict):
        return type(tree), tuple(tree), [_walk(item, leaves) for item in tree.values()]
    leaves.append(tree)
    return None


def _build(structure: Any, items: Iterator) -> Any:
    if structure is None:
        return next(items)
    kind, keys, children = structure
    built = [_build(child, items) for child in children]
    if keys is not None:
        made = dict(zip(keys, built, strict=True))
        return kind(None, made) if issubclass(kind, defaultdict) else kind(made)
    return kind(*built) if hasattr(kind, "_make") else kind(built)


def spread(prefix: Any, structure: Any) -> list | None:
    """One entry of ``prefix`` for each leaf under it; None if it does not fit."""
    if structure is None:
        return None if isinstance(prefix, tuple | list | dict) else [prefix]
    kind, keys, children = structure
    if not isinstance(prefix, tuple | list | dict):
        prefixes = [prefix] * len(children)
    elif type(prefix) is not kind or len(prefix) != len(children):
        return None
    elif isinstance(prefix, dict) and prefix.keys() != set(keys):
        return None
    else:  # the same keys, taken in the order of each dict, as PyTorch does
        prefixes = list(prefix.values() if isinstance(prefix, dict) else prefix)
    parts = [spread(p, c) for p, c in zip(prefixes, children, strict=True)]
    if any(part is None for part in parts):
        return None
    return [entry for part in parts for entry in part]  # type: ignore[union-attr]
