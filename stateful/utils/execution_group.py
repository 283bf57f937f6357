"""Backward passes that compute a checkpointed region again only once, all together."""

from __future__ import annotations

import threading


class _Current(threading.local):
    """The group that this thread is in."""

    group: GraphExecGroup | None = None


_current = _Current()


class GraphExecGroup:
    """Context manager: backward passes inside share what checkpointed regions compute again.

    Each saved tensor may be asked for once in a group, even under ``retain_graph=True``. Regions
    with ``use_reentrant=True`` do not take notice. Raises RuntimeError inside another group.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import GraphExecGroup, checkpoint
    >>> x, runs = torch.ones(2, requires_grad=True), []
    >>> def region(t):
    ...     runs.append(1)
    ...     return t.sin(), t.cos()
    >>> first, second = checkpoint(region, x, use_reentrant=False)
    >>> with GraphExecGroup():
    ...     first.sum().backward()
    ...     second.sum().backward()
    >>> len(runs)
    2
    """

    def __enter__(self) -> GraphExecGroup:
        if _current.group is not None:
            raise RuntimeError(
                "GraphExecGroup contexts cannot be nested. "
                f"Already inside group {_current.group}: leave it first."
            )
        _current.group = self
        return self

    def __exit__(self, *exc: object) -> None:
        _current.group = None

    @classmethod
    def _get_current_group(cls) -> GraphExecGroup | None:
        return _current.group
