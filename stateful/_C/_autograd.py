"""``torch._C._autograd``: default hooks on saved tensors, version counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import modes
from ..autograd.graph import saved_tensors_hooks
from ..engine import current_task
from ..saved import SavedTensor as SavedTensor


def _push_saved_tensors_default_hooks(pack_hook: Callable, unpack_hook: Callable) -> None:
    saved_tensors_hooks(pack_hook, unpack_hook).__enter__()


def _pop_saved_tensors_default_hooks() -> None:
    if not modes.state.saved_hooks:
        raise RuntimeError("there are no default hooks on saved tensors to take away")
    modes.state.saved_hooks = modes.state.saved_hooks[:-1]


def _top_saved_tensors_default_hooks(ignore_is_tracing: bool) -> tuple | None:
    """The innermost pair of hooks."""
    return modes.state.saved_hooks[-1] if modes.state.saved_hooks else None


def _saved_tensors_hooks_is_enabled() -> bool:
    return modes.state.saved_hooks_disabled is None


def _saved_tensors_hooks_disable(error_message: str, fail_if_non_empty: bool = True) -> None:
    if modes.state.saved_hooks and fail_if_non_empty:
        raise RuntimeError(error_message)
    modes.state.saved_hooks_disabled = error_message


def _saved_tensors_hooks_enable() -> None:
    modes.state.saved_hooks_disabled = None


def _saved_tensors_hooks_get_disabled_error_message() -> str | None:
    return modes.state.saved_hooks_disabled


def _get_current_graph_task_keep_graph() -> bool:
    """Whether the running backward pass keeps what nodes have saved."""
    return current_task().keep_graph


def _unsafe_set_version_counter(tensors: Any, versions: Any) -> None:
    """Make these the versions of the tensors."""
    if len(tensors) != len(versions):
        raise RuntimeError(
            f"tensors and versions must be as many: got {len(tensors)} and {len(versions)}"
        )
    for tensor, version in zip(tensors, versions, strict=True):
        if version < 0:
            raise RuntimeError(
                f"Cannot set a version_counter to a value below 0: {version} was asked for"
            )
        tensor._counter.version = version
