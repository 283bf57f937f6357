"""`RemovableHandle`: what registering a hook returns. Hooks live in ordered dictionaries by id."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any


class RemovableHandle:
    """Takes a hook away again, by `remove` or at the end of a ``with`` block.

    It refers weakly to the dictionary of hooks, so a handle keeps nothing alive.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with x.register_hook(lambda grad: grad * 3):
    ...     x.sum().backward()
    >>> x.grad
    tensor([3., 3.])
    """

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None):
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        extra = extra_dict if isinstance(extra_dict, list) else [extra_dict]
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra if d is not None)

    def remove(self) -> None:
        """Take the hook away; nothing happens the second time."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state):
        hooks, self.id, extra = state
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra if d is not None)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc):
        self.remove()


def attach(hooks: dict, hook: Callable, kinds: Sequence[dict] = ()) -> RemovableHandle:
    """Append ``hook`` to ``hooks``, and its number to the dictionaries of the kinds it is of."""
    handle = RemovableHandle(hooks, extra_dict=list(kinds))
    hooks[handle.id] = hook
    for kind in kinds:
        kind[handle.id] = True
    return handle


def unserializable_hook(hook: Callable) -> Callable:
    """Mark a hook that is meant to be lost when its tensor is pickled: no warning then.

    >>> import stateful as torch
    >>> def hook(grad):
    ...     return grad
    >>> torch.utils.hooks.unserializable_hook(hook) is hook
    True
    """
    hook.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return hook


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn about every hook of ``tensor`` that will not be pickled with it.

    >>> import stateful as torch
    >>> torch.utils.hooks.warn_if_has_hooks(torch.ones(2))
    """
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized. If this is expected, "
                "you can decorate the function with @torch.utils.hooks.unserializable_hook to "
                "suppress this warning",
                stacklevel=2,
            )
