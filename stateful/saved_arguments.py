"""What PyTorch's nodes say of arguments that are not tensors, where it is not what was passed.

ATen has one argument for each scale of an image, and windows with a number for each dimension.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_SCALES = {
    "1": ["scales"],
    "2": ["scales_h", "scales_w"],
    "3": ["scales_d", "scales_h", "scales_w"],
}
_WINDOW = ("kernel_size", "stride", "padding", "dilation")


def attributes(node: str | None) -> dict[str, property]:
    """The ``_saved_*`` attributes of a node's class that stand for other arguments than ours."""
    found = re.fullmatch(r"(Upsample|AvgPool|MaxPool)\w*([123])D\w*Backward0", node or "")
    if found is None:
        return {}
    kind, rank = found.groups()
    if kind == "Upsample":
        names = _SCALES[rank]
        return {f"_saved_{name}": property(_scale(i)) for i, name in enumerate(names)}
    return {f"_saved_{name}": property(_repeated(name, int(rank))) for name in _WINDOW}


def _argument(node: Any, name: str) -> Any:
    """What was passed as the argument ``name``. Raises AttributeError if there is none."""
    op, kernel = node.plan.op, node.plan.kernel
    if name not in op.names:
        raise AttributeError(f"{node.name()!r} object has no attribute '_saved_{name}'")
    return op.unbind(kernel.static, [None] * len(kernel.inputs))[op.names.index(name)]


def _scale(place: int) -> Callable[[Any], Any]:
    return lambda node: _argument(node, "scales")[place]


def _repeated(name: str, count: int) -> Callable[[Any], Any]:
    def read(node: Any) -> Any:
        given = _argument(node, name)
        return given * count if given is not None and len(given) == 1 else given

    return read
