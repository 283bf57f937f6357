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
    if node in _OTHERS:
        return {f"_saved_{name}": property(read) for name, read in _OTHERS[node].items()}
    found = re.fullmatch(r"(Upsample|AvgPool|MaxPool)\w*([123])D\w*Backward0", node or "")
    if found is None:
        return {}
    kind, rank = found.groups()
    if kind == "Upsample":
        names = _SCALES[rank]
        return {f"_saved_{name}": property(_scale(i)) for i, name in enumerate(names)}
    names = _WINDOW[:3] if kind == "AvgPool" else _WINDOW
    return {f"_saved_{name}": property(_repeated(name, int(rank))) for name in names}


def hidden(node: str | None) -> set[str]:
    """The ``_saved_*`` attributes that a node's class does not have in PyTorch."""
    found = re.fullmatch(r"Upsample(\w*?)([123])DBackward0", node or "")
    if found is None:
        return set()
    names = set() if found[2] == "1" else {"_saved_scales"}
    return names | {"_saved_align_corners"} if found[1].startswith("Nearest") else names


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


def _end(node: Any) -> int:
    """Where a slice ends: PyTorch has a number for "at the end"."""
    end = _argument(node, "end")
    return 2**63 - 1 if end is None else end % 2**64


def _start(node: Any) -> int:
    return (_argument(node, "start") or 0) % 2**64


def _source_dim(node: Any) -> int:
    kernel = node.plan.kernel
    given = node.plan.op.unbind(kernel.static, kernel.inputs)
    return len(given[node.plan.op.names.index("source")].shape)


_OTHERS: dict[str | None, dict[str, Callable[[Any], Any]]] = {
    "EmbeddingBackward0": {"sparse": lambda node: _argument(node, "sparse")},
    "GatherBackward0": {"sparse_grad": lambda node: False},
    "IndexAddBackward0": {"source_dim": _source_dim},
    "IndexCopyBackward0": {"source_dim": _source_dim},
    "LinalgLuBackward0": {"pivot": lambda node: True},
    "LinalgLuFactorExBackward0": {"pivot": lambda node: True},
    "NativeGroupNormBackward0": {"eps": lambda node: _argument(node, "eps")},
    "SliceBackward0": {"start": _start, "end": _end},
}
"""By the name of the node."""
