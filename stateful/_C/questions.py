"""What a program asks of tensors and of modes."""

from __future__ import annotations

from ..autocasting import state as autocasting
from ..tensor import Tensor
from ..torch_function import state


def _get_tracing_state() -> None:
    """Nothing is ever traced by `torch.jit`."""


def _is_any_autocast_enabled() -> bool:
    return any(autocasting.enabled.values())


def _is_torch_function_enabled() -> bool:
    return state.subclasses


def _len_torch_function_stack() -> int:
    return len(state.modes)


def _has_storage(tensor: Tensor) -> bool:
    return isinstance(tensor, Tensor)


def _is_alias_of(tensor: Tensor, other: Tensor) -> bool:
    """Whether two tensors share memory."""
    return tensor._storage is other._storage
