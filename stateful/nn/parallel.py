"""`DataParallel`, as it is with one device: XLA shards arrays, not modules."""

from __future__ import annotations

from typing import Any

from .modules.module import Module


class DataParallel(Module):
    """Calls ``module``. PyTorch's splits the batch among GPUs, and does this where there are none.

    To use many devices see `funcgrad.sharding`.

    >>> import stateful as torch
    >>> torch.nn.DataParallel(torch.nn.ReLU())(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(
        self, module: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ):
        super().__init__()
        self.module, self.dim = module, dim
        self.device_ids: list = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)
