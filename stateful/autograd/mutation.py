"""`allow_mutation_on_saved_tensors`: saved tensors are copied when somebody overwrites them."""

from __future__ import annotations

import contextlib
from typing import Any

from .. import modes

NOT_RECORDED = (
    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the "
    "graph was originally recorded."
)


class _Handle:
    """Stands for a saved tensor in the graph: the value that it had, and where it came from."""

    def __init__(self, context: AllowMutationContext, tensor: Any):
        self.context, self.version = context, tensor._version
        self.original, self.value = tensor, tensor._read()

    def tensor(self) -> Any:
        """The tensor, or a copy of what it was if it has changed since."""
        if not self.context.active:
            raise AssertionError(NOT_RECORDED)
        if self.original._version == self.version:
            return self.original
        copy = self.original.detach().clone()
        copy._storage.value, copy._view = self.value, None
        return copy


class AllowMutationContext:
    """What is known inside `allow_mutation_on_saved_tensors`."""

    def __init__(self):
        self.active = True

    def clear(self) -> None:
        """Forget everything; graphs recorded here can no longer run backward."""
        self.active = False


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
    context = AllowMutationContext()
    previous = modes.state.saved_hooks
    modes.state.mutation_allowed = True
    modes.state.saved_hooks = (*previous, (lambda tensor: _Handle(context, tensor), _Handle.tensor))
    try:
        yield context
    finally:
        context.clear()
        modes.state.saved_hooks, modes.state.mutation_allowed = previous, False
