"""`InputMetadata`: what a node of the backward graph tells of the gradients it is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from funcgrad import types

from .execute import Aval

NO_GRADIENT = Aval.of((), np.dtype("float32"))
"""What PyTorch says of outputs that get no gradient."""


class InputMetadata:
    """What a node knows of the gradient of one of its outputs."""

    dtype_of: Any = None

    def __init__(self, aval: Aval | None):
        has_gradient = aval is not None and types.is_differentiable(aval.dtype)
        self._aval: Any = aval if has_gradient else NO_GRADIENT

    @property
    def shape(self) -> list[int]:
        """The size of the gradient."""
        return list(self._aval.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the gradient."""
        return self.dtype_of(self._aval)

    device_of: Any = None

    @property
    def device(self) -> Any:
        """Where the gradient is expected."""
        return self.device_of()

    is_nested_tensor = False
    is_cpp_nested_tensor = False
