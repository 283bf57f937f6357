"""`torch.nn.modules.utils`: arguments that are one number or many, prefixes of names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .sizes import tuple_of


def _ntuple(rank: int, name: str = "parse") -> Callable[[Any], tuple]:
    """Makes of one number a tuple of ``rank`` of them."""
    return functools.partial(tuple_of, rank=rank)


_single, _pair, _triple, _quadruple = map(_ntuple, range(1, 5))


def _reverse_repeat_tuple(t: tuple, n: int) -> tuple:
    """The items in reverse order, each ``n`` times."""
    return tuple(x for x in reversed(t) for _ in range(n))


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take a prefix away from the names in a state, in place.

    >>> from stateful.nn.modules.utils import consume_prefix_in_state_dict_if_present
    >>> state = {"module.weight": 1}
    >>> consume_prefix_in_state_dict_if_present(state, "module.")
    >>> state
    {'weight': 1}
    """
    for name in list(state_dict):
        if name.startswith(prefix):
            state_dict[name.removeprefix(prefix)] = state_dict.pop(name)
    metadata = getattr(state_dict, "_metadata", None)
    for name in list(metadata or ()):
        if name and name.startswith(prefix):
            metadata[name.removeprefix(prefix)] = metadata.pop(name)  # type: ignore[index]
        elif name and name == prefix.removesuffix("."):
            metadata[""] = metadata.pop(name)  # type: ignore[index]
