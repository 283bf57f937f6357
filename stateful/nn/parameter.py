"""`Parameter`: a leaf that a Module registers when it is assigned."""

from __future__ import annotations

from typing import Any

from ..copies import own_attributes
from ..creation import FACTORIES
from ..tensor import Tensor
from ..torch_dispatch import dispatches
from ..torch_function import disabled_torch_function, overrides


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

    __torch_function__ = disabled_torch_function

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = FACTORIES["zeros"]((0,))
        if requires_grad and not (data.is_floating_point() or data.is_complex()):
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients, but this "
                f"one is of dtype {data.dtype}: pass requires_grad=False"
            )
        if overrides(type(data)) or dispatches(type(data)):
            return _of_subclass(data, requires_grad)
        out = data.detach()._as(cls)
        out.requires_grad = bool(requires_grad)
        return out

    def __repr__(self, **kwargs) -> str:
        return f"Parameter containing:\n{Tensor.__repr__(self)}"

    def __deepcopy__(self, memo: dict) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any):
        return _rebuild, (type(self), self.detach(), self.requires_grad, own_attributes(self))


def _of_subclass(data: Any, requires_grad: bool) -> Any:
    """A parameter that stays a tensor of the class that it has."""
    out = data.detach().requires_grad_(requires_grad)
    if type(out) is not type(data):
        raise RuntimeError(
            f"Creating a Parameter from an instance of type {type(data).__name__} requires that "
            f"detach() returns an instance of the same type, but it returned {type(out).__name__}"
        )
    out._is_param = True
    return out


def _rebuild(cls: type, data: Tensor, requires_grad: bool, attributes: dict) -> Any:
    out = cls(data, requires_grad)
    out.__dict__.update(attributes)
    return out


class Buffer(Tensor):
    """A tensor that is a buffer of the Module it is an attribute of.

    >>> import stateful as torch
    >>> model = torch.nn.Module()
    >>> model.mean = torch.nn.Buffer(torch.zeros(2))
    >>> model.state_dict()
    OrderedDict([('mean', tensor([0., 0.]))])
    """

    __torch_function__ = disabled_torch_function

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        out = (FACTORIES["zeros"]((0,)) if data is None else data).detach()._as(cls)
        out.persistent = persistent
        return out


class _Uninitialized:
    """What tensors without a shape share."""

    __torch_function__ = disabled_torch_function
    _becomes: type

    @property
    def shape(self) -> Any:
        """Raises RuntimeError: there is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of this shape, to be filled in."""
        tensor: Any = self
        made = FACTORIES["zeros"](
            tuple(shape), dtype=tensor.dtype if dtype is None else dtype, device=device
        )
        tensor.__class__ = self._becomes
        tensor.data = made

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is known only when a lazy module sees its first input.

    >>> import stateful as torch
    >>> weight = torch.nn.parameter.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> weight.shape
    torch.Size([2, 3])
    """

    _becomes = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return Parameter.__new__(
            cls, FACTORIES["zeros"]((0,), dtype=dtype, device=device), requires_grad
        )

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)
        return memo[id(self)]


class UninitializedBuffer(_Uninitialized, Tensor):
    """A buffer whose shape is known only when a lazy module sees its first input.

    >>> import stateful as torch
    >>> buffer = torch.nn.parameter.UninitializedBuffer()
    >>> buffer.materialize((2,))
    >>> buffer.shape
    torch.Size([2])
    """

    _becomes = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None,
        persistent: bool = True,
    ) -> Any:  # fmt: skip
        return FACTORIES["zeros"]((0,), dtype=dtype, device=device)._as(cls)


def is_lazy(param: Any) -> bool:
    """Whether a tensor has no shape yet.

    >>> import stateful as torch
    >>> torch.nn.parameter.is_lazy(torch.nn.LazyLinear(2).weight)
    True
    """
    return isinstance(param, _Uninitialized)
