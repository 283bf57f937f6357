"""`torch.autograd.grad_mode`: what is recorded, and how."""

from __future__ import annotations

from typing import Any

from .. import modes
from ..modes import enable_grad as enable_grad
from ..modes import inference_mode as inference_mode
from ..modes import no_grad as no_grad
from ..modes import set_grad_enabled as set_grad_enabled


class _Switch(modes.ContextDecorator):
    """Sets a flag of the thread when it is made, takes it back at the end."""

    _flag: str

    def __init__(self, mode: bool = True):
        self.mode = mode
        self._previous = getattr(modes.state, self._flag)
        setattr(modes.state, self._flag, bool(mode))

    def __enter__(self):
        setattr(modes.state, self._flag, bool(self.mode))

    def __exit__(self, *exc):
        setattr(modes.state, self._flag, self._previous)

    def __call__(self, target):
        setattr(modes.state, self._flag, self._previous)
        return super().__call__(target)

    def clone(self):
        return type(self)(self.mode)


class set_multithreading_enabled(_Switch):
    """Accepted for compatibility: backward runs in the calling thread either way.

    >>> import stateful as torch
    >>> with torch.autograd.set_multithreading_enabled(False):
    ...     torch.ones(2, requires_grad=True).sum().backward()
    """

    _flag = "multithreading"


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` was told; nothing depends on it.

    >>> import stateful as torch
    >>> torch.autograd.grad_mode.is_multithreading_enabled()
    True
    """
    return modes.state.multithreading


def is_view_replay_enabled() -> bool:
    """Whether the history of a view whose base was written to is made of its view ops again.

    >>> import stateful as torch
    >>> torch.autograd.is_view_replay_enabled()
    False
    """
    return modes.state.view_replay


class enforce_grad_layout_policy(_Switch):
    """Accepted for compatibility: ``.grad`` always is laid out afresh.

    >>> import stateful as torch
    >>> with torch.autograd.grad_mode.enforce_grad_layout_policy(True):
    ...     pass
    """

    _flag = "grad_layout"


class _force_original_view_tracking(_Switch):
    _flag = "view_replay"


class _unsafe_preserve_version_counter(modes.ContextDecorator):
    """In-place writes to these tensors are not counted: on leaving the old versions are back."""

    def __init__(self, tensors: Any):
        self.tensors = (tensors,) if hasattr(tensors, "_counter") else tuple(tensors)
        self.versions = tuple(t._version for t in self.tensors)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            tensor._counter.version = version
