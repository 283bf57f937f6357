"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...methods import FUNCTIONS
from ...tensor import Tensor

_cat = FUNCTIONS["torch"]["cat"]


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements of all parameters, one after the other.

    >>> import stateful as torch
    >>> torch.nn.utils.parameters_to_vector([torch.ones(2), torch.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    return _cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Give the parameters the elements of a vector, in order.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.zeros(2))
    >>> torch.nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0]), [w])
    >>> w
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        number = parameter.numel()
        parameter.data = vec[start : start + number].view(parameter.shape).data  # type: ignore
        start += number
