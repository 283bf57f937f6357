"""Tensors without elements of their own: their class says with ``__torch_dispatch__`` what ops are.

As `torch.Tensor._make_wrapper_subclass`, see https://docs.pytorch.org/docs/stable/notes/extending.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import devices, dtypes
from .execute import Aval, Value
from .geometry import Geometry
from .layout import place
from .tensor import Tensor
from .torch_dispatch import dispatches
from .views import Counter, Storage


class NoElements:
    """What computes the value of a wrapper: nobody."""

    @staticmethod
    def flush() -> None:
        raise RuntimeError(
            "Cannot access data pointer of Tensor that doesn't have storage: this one was made by "
            "_make_wrapper_subclass and has no elements of its own. Say in its __torch_dispatch__ "
            "what ops on it mean."
        )


def _make_wrapper_subclass(
    cls: type,
    size: Sequence[int],
    strides: Sequence[int] | None = None,
    storage_offset: int | None = None,
    memory_format: Any = None,
    dtype: Any = None,
    layout: Any = devices.strided,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """A tensor of class ``cls`` with this shape and dtype and no elements.

    >>> import stateful as torch
    >>> class Doubled(torch.Tensor):
    ...     @staticmethod
    ...     def __new__(cls, half):
    ...         self = torch.Tensor._make_wrapper_subclass(cls, half.size(), dtype=half.dtype)
    ...         self.half = half
    ...         return self
    ...     @classmethod
    ...     def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
    ...         return func(*[x.half * 2 if isinstance(x, cls) else x for x in args])
    >>> Doubled(torch.ones(2)) + 1
    tensor([3., 3.])
    """
    if not dispatches(cls):
        raise TypeError(
            f"{cls.__name__} must define __torch_dispatch__: without it no op on a tensor that has "
            "no elements of its own can be computed"
        )
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    out: Any = object.__new__(cls)
    aval = Aval.of(tuple(map(int, size)), kind.numpy)
    out._storage = Storage(Value(aval, None, NoElements))
    if strides is not None:
        place(out, Geometry(aval.shape, tuple(strides), storage_offset or 0))
    out._counter = Counter()
    out.requires_grad = requires_grad
    return out


Tensor._make_wrapper_subclass = staticmethod(_make_wrapper_subclass)  # type: ignore[attr-defined]
