"""The text of a tensor inside of transforms: a layer for each transform that it belongs to."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from . import modes
from .frames import Frame


def described(tensor: Any, text: Callable[[Any], str]) -> str | None:
    """The text of a tensor of an open transform, with ``text`` of an array in the middle; None for
    one from outside of all of them.

    A batched tensor shows all slices.
    """
    array = tensor._array
    layers: dict[int, Frame | None] = dict.fromkeys(modes.transforms.levels[: _depth(tensor)])
    layers.update({f.level: f for f in modes.vmap.frames if f.batches(array)})
    if not layers:
        return None
    if array is None:
        array = tensor._read().numpy()
    return _text(sorted(layers.items(), key=lambda item: item[0]), array, text)


def _depth(tensor: Any) -> int:
    """How many transforms other than `vmap` a tensor belongs to, from the outermost on."""
    if tensor._tangents and any(level.nests for level in tensor._tangents):
        return modes.transforms.depth
    owners = [getattr(t, "_transform", None) for t in (tensor, tensor._base)]
    own = [owner.depth for owner in owners if owner is not None and owner.open]
    return max(*own, 0, getattr(tensor._storage, "born", 0))


def _text(layers: Sequence[tuple[int, Frame | None]], array: Any, text: Callable) -> str:
    if not layers:
        return text(array)
    *rest, (level, frame) = layers
    if frame is None:
        head = f"GradTrackingTensor(lvl={level}"
    else:
        array, dim = frame.unbatch(array)
        head = f"BatchedTensor(lvl={level}, bdim={dim}"
    inner = textwrap.indent(_text(rest, array, text), "    ")
    return f"{head}, value=\n{inner}\n)"
