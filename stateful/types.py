"""`torch.types`: names for annotations. This is the map."""

from collections.abc import Sequence

from .devices import device as Device
from .dtypes import dtype as _dtype  # noqa: F401 (PyTorch has it here)
from .sizes import Size as Size
from .storages import UntypedStorage as Storage
from .tensor import Tensor as Tensor

Number = int | float | bool
_int, _float, _bool, _device, _size = int, float, bool, Device, Size | list[int] | tuple[int, ...]
_TensorOrTensors = Tensor | Sequence[Tensor]
__all__ = ["Device", "Number", "Storage"]
