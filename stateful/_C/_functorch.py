"""``torch._C._functorch``: what tensors are inside of function transforms."""

from __future__ import annotations

from typing import Any

from .. import modes
from ..frames import is_batched


def is_batchedtensor(tensor: Any) -> bool:
    """Whether a tensor stands for a slice of a batch of an open `vmap`."""
    return is_batched(tensor)


def maybe_current_level() -> int | None:
    """How many transforms are open; None outside of any."""
    return modes.transforms.open or None
