"""`torch.utils.hooks`: handles of hooks. They live in `stateful.hooks`."""

from ..hooks import RemovableHandle as RemovableHandle
from ..hooks import unserializable_hook as unserializable_hook
from ..hooks import warn_if_has_hooks as warn_if_has_hooks

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]
