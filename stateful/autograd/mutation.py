"""`allow_mutation_on_saved_tensors`: saved tensors are copied when somebody overwrites them."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

from .. import modes

NOT_RECORDED = (
    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the "
    "graph was originally recorded."
)


class _Handle:
    """Stands for a saved tensor in the graph: the value that it had, and where it came from."""

    def __init__(self, context: _AllowMutationOnSavedContext, tensor: Any):
        self.context, self.version = context, tensor._version
        self.original, self.value = tensor, tensor._read()
        self.stored = tensor._storage.value

    @property
    def changed(self) -> bool:
        """Whether somebody has written to the tensor, be it through ``.data``."""
        original = self.original
        return original._version != self.version or original._storage.value is not self.stored

    def tensor(self) -> Any:
        """The tensor, or a copy of what it was if it has changed since."""
        if not self.context.active:
            raise AssertionError(NOT_RECORDED)
        if not self.changed:
            return self.original
        copy = self.original.detach().clone()
        copy._storage.value, copy._view = self.value, None
        return copy


class _AllowMutationOnSavedContext:
    """What is known inside `allow_mutation_on_saved_tensors`.

    ``original`` and ``cloned`` are the saved tensors that are as they were and those that somebody
    has overwritten; as long as a graph holds them. ``tid_to_weakhandle`` has what stands for them,
    by tensor and version.
    """

    def __init__(self):
        self.active = True
        self.tid_to_weakhandle: weakref.WeakValueDictionary = weakref.WeakValueDictionary()

    def handle(self, tensor: Any) -> _Handle:
        """What stands for a tensor in the graph; the same tensor unchanged has only one."""
        key = (id(tensor), tensor._version)
        found = self.tid_to_weakhandle.get(key)
        if found is None or found.original is not tensor or found.changed:
            found = self.tid_to_weakhandle[key] = _Handle(self, tensor)
        return found

    @property
    def original(self) -> dict[_Handle, Any]:
        """The saved tensors that nobody has overwritten."""
        return {h: h.original for h in self.tid_to_weakhandle.values() if not h.changed}

    @property
    def cloned(self) -> dict[_Handle, Any]:
        """Copies of what the overwritten ones were."""
        return {h: h.tensor() for h in self.tid_to_weakhandle.values() if h.changed}

    def clear(self) -> None:
        """Forget everything; graphs recorded here can no longer run backward."""
        self.active = False
        self.tid_to_weakhandle.clear()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Inside, a tensor that was saved for backward may be overwritten: backward uses what it was.

    Values here are immutable, so the old one is simply kept.

    >>> import stateful as torch
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     a = torch.ones(2, requires_grad=True)
    ...     b = a.clone()
    ...     out = (b ** 2).sum()
    ...     _ = b.sin_()
    ...     out.backward()
    >>> a.grad
    tensor([2., 2.])
    """
    if modes.state.mutation_allowed:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    if modes.state.saved_hooks_disabled is not None:
        raise RuntimeError(modes.state.saved_hooks_disabled)
    context = _AllowMutationOnSavedContext()
    previous = modes.state.saved_hooks
    modes.state.mutation_allowed = True
    modes.state.saved_hooks = (*previous, (context.handle, _Handle.tensor))
    try:
        yield context
    finally:
        context.clear()
        modes.state.saved_hooks, modes.state.mutation_allowed = previous, False
