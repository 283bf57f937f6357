"""Indices outside of a tensor are errors at the call that has them.

The ops themselves cannot look at values; these functions look at them first. An index that is not
computed yet is computed for it. Indices inside of somebody's `jax.jit` are not looked at.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from funcgrad.broadcast import broadcast_shape

from .execute import Tracer, Value
from .indexing import index_put
from .methods import FUNCTIONS
from .tensor import Tensor


def _extremes(index: Any) -> tuple[int, int] | None:
    """The least and the greatest index; None where nobody can know."""
    if not isinstance(index, Tensor) or index._aval.dtype.kind not in "iu" or not index.numel():
        return None
    array = index._read().read()
    if isinstance(array, Tracer):
        return None
    values = np.asarray(array)
    return int(values.min()), int(values.max())


_seen: weakref.WeakKeyDictionary[Value, tuple[int, int]] = weakref.WeakKeyDictionary()
"""The extremes of class indices that were looked at: a target is used step after step."""


def _at_hand(index: Any) -> Value | None:
    """The value of an integer tensor, if it is computed: nobody waits for classes."""
    value = index._read() if isinstance(index, Tensor) else None
    if value is None or value.array is None or isinstance(value.array, Tracer):
        return None
    return value if value.aval.dtype.kind in "iu" and index.numel() else None


def _known_extremes(index: Any) -> tuple[int, int] | None:
    """As `_extremes`, of what is at hand."""
    value = _at_hand(index)
    if value is None:
        return None
    found = _seen.get(value)
    if found is None:
        array = np.asarray(value.array)
        found = _seen[value] = int(array.min()), int(array.max())
    return found


def check_rows(input: Any, weight: Any) -> None:
    """Raise if ``input`` has a row that the table ``weight`` has not."""
    found = _known_extremes(input)
    if found is not None and not 0 <= found[0] <= found[1] < weight.shape[0]:
        raise IndexError(
            f"index out of range in self: the table has {weight.shape[0]} rows, the indices are "
            f"from {found[0]} to {found[1]}"
        )


def check_classes(input: Any, target: Any, ignored: int) -> None:
    """Raise if ``target`` has a class that ``input`` has not, other than ``ignored``."""
    found = _known_extremes(target)
    if found is None or not isinstance(input, Tensor) or not input.ndim:
        return
    count = input._aval.shape[1 if input.ndim > 1 else 0]
    if 0 <= found[0] <= found[1] < count:
        return
    given = np.asarray(target._read().array)
    wrong = given[((given < 0) | (given >= count)) & (given != ignored)]
    if wrong.size:
        raise IndexError(
            f"Target {wrong[0]} is out of bounds: there are {count} classes, counted from 0"
        )


def _outside(index: Any, least: int, length: int) -> int | None:
    """An index that is not in ``[least, length - 1]``."""
    found = _extremes(index)
    return next((i for i in found or () if not least <= i < length), None)


def _length(tensor: Tensor, dim: Any) -> int:
    shape = tensor._aval.shape
    return shape[dim] if shape and -len(shape) <= dim < len(shape) else 1


def _along(
    message: str, error: type[Exception], negative: bool, of_vectors: Any = None
) -> Callable:
    """The check of an op with arguments ``(self, dim, index, ...)``.

    ``of_vectors``: what is raised if ``self`` has one dimension, where that is another error.
    """

    def check(self: Tensor, dim: Any = None, index: Any = None, *args: Any, **kwargs: Any) -> None:
        if isinstance(dim, int):
            length = _length(self, dim)
            wrong = _outside(index, -length if negative else 0, length)
            if wrong is not None and of_vectors is not None and self.ndim == 1:
                raise of_vectors(f"index out of range in self: {wrong} of {length} elements")
            if wrong is not None:
                dim = dim % max(self.ndim, 1)
                raise error(message.format(index=wrong, dim=dim, length=length))

    return check


def _within(self: Tensor, index: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of `take` and `put`, which count through all elements."""
    wrong = _outside(index, -self.numel(), self.numel())
    if wrong is not None:
        raise IndexError(
            f"out of range: tried to access index {wrong} on a tensor of {self.numel()} elements."
        )


def _enough(self: Tensor, mask: Any = None, source: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of `masked_scatter`, which takes an element for each True."""
    if not isinstance(mask, Tensor) or not isinstance(source, Tensor):
        return
    shape = broadcast_shape(self._aval.shape, mask._aval.shape)
    most = math.prod(shape)
    if source.numel() >= most or mask._aval.dtype.kind != "b":
        return
    array = mask._read().read()
    if isinstance(array, Tracer):
        return
    wanted = int(np.asarray(array).sum()) * (most // max(mask.numel(), 1))
    if wanted > source.numel():
        raise RuntimeError(
            f"Number of elements of source < number of ones in mask: {source.numel()} < {wanted}"
        )


_BEYOND = "index {index} is out of bounds for dimension {dim} with size {length}"
_OUT = "index out of range in self: " + _BEYOND
_CHECKS: dict[str, Callable] = {
    **dict.fromkeys(
        ("gather", "scatter", "scatter_add", "scatter_reduce"),
        _along(_BEYOND, RuntimeError, False),
    ),
    **dict.fromkeys(
        ("index_add", "index_reduce"), _along(_BEYOND, RuntimeError, False, IndexError)
    ),
    "index_select": _along(_OUT, IndexError, False),
    "index_copy": _along("index_copy_(): " + _BEYOND, IndexError, False),
    "index_fill": _along(_BEYOND, IndexError, True),
    "take": _within,
    "put": _within,
    "masked_scatter": _enough,
}


def _of_classes(input: Any, target: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of the losses that take classes."""
    check_classes(input, target, args[2] if len(args) > 2 else kwargs.get("ignore_index", -100))


def _of_one_hot(tensor: Any, num_classes: int = -1) -> None:
    least, greatest = _known_extremes(tensor) or (0, -1)
    if least < 0:
        raise RuntimeError(f"Class values must be non-negative, but there is a {least}.")
    if 0 < num_classes <= greatest:
        raise RuntimeError(
            f"Class values must be smaller than num_classes: {greatest} is not smaller than "
            f"{num_classes}."
        )


def _of_bags(input: Any, weight: Any, offsets: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of `embedding_bag`: rows of the table, and where bags start."""
    found, starts = _known_extremes(input), _known_extremes(offsets)
    if found is not None and not 0 <= found[0] <= found[1] < weight.shape[0]:
        wrong = found[0] if found[0] < 0 else found[1]
        raise RuntimeError(
            f"embedding_bag: input takes value {wrong} which is not in the valid range "
            f"[0, {weight.shape[0]}): Expected idx >= 0 && idx < num_embeddings but found idx to "
            f"be {wrong}"
        )
    if starts is not None and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {starts[0]}"
        )
    if starts is not None and starts[1] > input.numel():
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {input.numel()} but got "
            f"offsets[-1] of {starts[1]}"
        )


def _of_margins(input: Any, target: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of `multi_margin_loss`."""
    found = _known_extremes(target)
    if found is not None and isinstance(input, Tensor) and input.ndim:
        if not 0 <= found[0] <= found[1] < input.shape[-1]:
            raise RuntimeError(
                f"target out of range: there are {input.shape[-1]} classes, the targets are from "
                f"{found[0]} to {found[1]}"
            )


def _of_labels(input: Any, target: Any = None, *args: Any, **kwargs: Any) -> None:
    """The check of `multilabel_margin_loss`, where -1 ends the list of labels."""
    found = _known_extremes(target)
    if found is not None and isinstance(input, Tensor) and input.ndim:
        if not -1 <= found[0] <= found[1] < input.shape[-1]:
            raise RuntimeError(
                f"argument #2 'target' is out of range: there are {input.shape[-1]} classes, the "
                f"labels are from {found[0]} to {found[1]}"
            )


def _checked(function: Callable, check: Callable) -> Callable:
    @functools.wraps(function)
    def wrapper(self, *args, **kwargs):
        check(self, *args, **kwargs)
        return function(self, *args, **kwargs)

    return wrapper


for _name, _check in _CHECKS.items():
    for _suffix in ("", "_"):
        if hasattr(Tensor, _name + _suffix):
            setattr(Tensor, _name + _suffix, _checked(getattr(Tensor, _name + _suffix), _check))
    if _name in FUNCTIONS["torch"]:
        FUNCTIONS["torch"][_name] = _checked(FUNCTIONS["torch"][_name], _check)
_of_nn = {
    "nll_loss": _of_classes, "cross_entropy": _of_classes, "one_hot": _of_one_hot,
    "embedding_bag": _of_bags, "multi_margin_loss": _of_margins,
    "multilabel_margin_loss": _of_labels,
}  # fmt: skip
for _name, _check in _of_nn.items():
    FUNCTIONS["nn"][_name] = _checked(FUNCTIONS["nn"][_name], _check)
FUNCTIONS["torch"]["index_put"] = index_put
