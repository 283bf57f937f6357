"""Functions that `vmap` refuses, because the shape or the value of the result is not one for all.

Refused at the call, in PyTorch's words, rather than where the function first looks at an element.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import modes
from .frames import is_batched
from .methods import FUNCTIONS
from .nn import functional as F
from .tensor import Tensor

_DYNAMIC = (
    "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap "
    "over aten::{}, whose result may have another shape for each slice."
)
_NO_RULE = "Batching rule not implemented for aten::{}. We could not generate a fallback."
_MASK = (
    "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this "
    "because for each batch this would return a differently shaped Tensor. Use torch.where."
)

_CLASSES = (
    "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive num_classes "
    "argument."
)


def _nonzero(*args: Any, as_tuple: bool = False) -> str:
    return _NO_RULE.format("nonzero_numpy") if as_tuple else _DYNAMIC.format("nonzero")


def _where(*args: Any) -> str | None:
    return _DYNAMIC.format("where") if len(args) == 1 else None


def _masked_select(input: Any, mask: Any) -> str | None:
    return _MASK if is_batched(mask) else None


def _unique(*args: Any, dim: int | None = None, **kwargs: Any) -> str:
    return _DYNAMIC.format("_unique2" if dim is None else "unique_dim")


def _one_hot(tensor: Any, num_classes: int = -1) -> str | None:
    return _CLASSES if num_classes == -1 else None


_REFUSED: dict[str, Callable[..., str | None]] = {
    "nonzero": _nonzero,
    "unique": _unique,
    "unique_consecutive": lambda *args, **kwargs: _DYNAMIC.format("unique_consecutive"),
    "masked_select": _masked_select,
    "where": _where,
    "equal": lambda *args, **kwargs: _NO_RULE.format("equal"),
    "allclose": lambda *args, **kwargs: "vmap over torch.allclose isn't supported yet.",
}
"""What is said of a call of each function."""


def _refusing(function: Callable, text: Callable[..., str | None]) -> Callable:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if modes.vmap.frames and any(map(is_batched, (*args, *kwargs.values()))):
            said = text(*args, **kwargs)
            if said is not None:
                raise RuntimeError(said)
        return function(*args, **kwargs)

    return wrapper


for _name, _text in _REFUSED.items():
    FUNCTIONS["torch"][_name] = _refusing(FUNCTIONS["torch"][_name], _text)
    setattr(Tensor, _name, _refusing(getattr(Tensor, _name), _text))
FUNCTIONS["nn"]["one_hot"] = _refusing(FUNCTIONS["nn"]["one_hot"], _one_hot)
F.one_hot = FUNCTIONS["nn"]["one_hot"]  # type: ignore[attr-defined]
