"""`torch.storage`: the classes of storages. This is the map."""

from .storages import TypedStorage as TypedStorage
from .storages import UntypedStorage as UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
