"""`torch._tensor`: where PyTorch keeps `Tensor`. This is the map."""

from .tensor import Tensor as Tensor
