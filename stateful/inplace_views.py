"""In-place changes of shape: `t_`, `transpose_`, `unsqueeze_`, `squeeze_`, `as_strided_`.

Nothing is written: the tensor looks at its storage in another way from now on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import forward, modes
from .nodes import inplace_class
from .rules import check_inplace, count_write
from .tensor import Tensor


def _inplace(name: str) -> Callable:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_inplace(self, self.requires_grad and modes.state.grad_enabled)
        seen = getattr(self, name)(*args, **kwargs)
        if seen._storage is self._storage:
            self._view = seen._view
        for level, tangent in (seen._tangents or {}).items():
            forward.set_tangent(self, tangent, level)
        count_write(self)
        if seen._node is not None:
            self._grad_version = self._counter.version
            seen._node.__class__ = inplace_class(type(seen._node))
            self._set_history(seen._node, seen._output_nr)
        return self

    method.__name__ = f"{name}_"
    method.__doc__ = f"`{name}`, as a change of this tensor itself."
    return method


for _name in ("t", "transpose", "swapaxes", "swapdims", "unsqueeze", "squeeze", "as_strided"):
    setattr(Tensor, f"{_name}_", _inplace(_name))
