"""The rule of broadcasting, with PyTorch's error."""

from __future__ import annotations

import re


def broadcast_shape(*shapes) -> tuple[int, ...]:
    """The common shape of ``shapes``, or PyTorch's error."""
    rank = max(map(len, shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for i, n in enumerate(shape, rank - len(shape)):
            if n != 1 and result[i] not in (1, n):
                raise RuntimeError(
                    f"The size of tensor a ({result[i]}) must match the size of tensor b ({n}) at "
                    f"non-singleton dimension {i}"
                )
            result[i] = result[i] if n == 1 else n
    return tuple(result)


def explain(error: Exception) -> None:
    """Raise PyTorch's error in place of JAX's, if it is about shapes that do not broadcast."""
    if "ncompatible shapes for broadcasting" in str(error):
        found = re.findall(r"\(([\d, ]*)\)", str(error))
        broadcast_shape(*(tuple(int(n) for n in re.findall(r"\d+", shape)) for shape in found))
