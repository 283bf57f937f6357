"""Warnings that PyTorch gives once in a process, unless it was told to give them always."""

from __future__ import annotations

import warnings


class _Always:
    """What `set_warn_always` was told, and the warnings that were given."""

    enabled: bool = False
    given: set[str] = set()


def set_warn_always(b: bool) -> None:
    """Whether warnings that are given once in a process are given each time.

    >>> import stateful as torch
    >>> torch.set_warn_always(True)
    >>> torch.is_warn_always_enabled()
    True
    >>> torch.set_warn_always(False)
    """
    _Always.enabled = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was told.

    >>> import stateful as torch
    >>> torch.is_warn_always_enabled()
    False
    """
    return _Always.enabled


def warn_once(message: str, stacklevel: int = 3) -> None:
    """A UserWarning, the first time or always."""
    if _Always.enabled or message not in _Always.given:
        _Always.given.add(message)
        warnings.warn(message, UserWarning, stacklevel=stacklevel)
