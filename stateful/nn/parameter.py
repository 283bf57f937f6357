"""`Parameter`: a leaf that a Module registers when it is assigned."""

from __future__ import annotations

from typing import Any

from ..creation import FACTORIES
from ..tensor import Tensor


class _ParameterMeta(type):
    """A Tensor marked ``_is_param`` counts as a Parameter, as in PyTorch."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return (
            cls is Parameter
            and isinstance(instance, Tensor)
            and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that is a parameter of the Module it is an attribute of.

    Shares the elements of ``data``; requires a gradient unless told otherwise.

    >>> import stateful as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = FACTORIES["zeros"]((0,))
        out = data.detach()._as(cls)
        out.requires_grad = requires_grad
        return out

    def __repr__(self, **kwargs) -> str:
        return f"Parameter containing:\n{Tensor.__repr__(self)}"

    def __deepcopy__(self, memo: dict) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any):
        return _rebuild, (type(self), self.detach(), self.requires_grad)


def _rebuild(cls: type, data: Tensor, requires_grad: bool) -> Any:
    return cls(data, requires_grad)


class Buffer(Tensor):
    """A tensor that is a buffer of the Module it is an attribute of."""

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        out = (FACTORIES["zeros"]((0,)) if data is None else data).detach()._as(cls)
        out.persistent = persistent
        return out
