"""Softmax without a dimension: an old program means the one that PyTorch used to guess."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any


def with_implicit_dim(function: Callable) -> Callable:
    """``function``, whose ``dim`` may be left out: 0 for 0, 1 or 3 dimensions and 1 otherwise."""

    @functools.wraps(function)
    def wrapper(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
        if dim is None:
            warnings.warn(
                f"Implicit dimension choice for {function.__name__} has been deprecated. Change "
                "the call to include dim=X as an argument.",
                stacklevel=_stacklevel,
            )
            dim = 0 if input.ndim in (0, 1, 3) else 1
        return function(input, dim, dtype)

    return wrapper
