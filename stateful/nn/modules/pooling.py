"""Pooling: one row for each kind, in one, two and three dimensions."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .from_functions import REQUIRED, FunctionModule, make
from .module import Module
from .sizes import tuple_of


class _WithStride(FunctionModule):
    """The stride is the kernel size unless given."""

    def _check(self) -> None:
        if self.stride is None:
            self.stride: Any = self.kernel_size


class _AvgPool1d(_WithStride):
    def _check(self) -> None:
        super()._check()
        for name in ("kernel_size", "stride", "padding"):
            setattr(self, name, tuple_of(getattr(self, name), 1))


class _Adaptive(FunctionModule):
    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


def _pools() -> dict[str, type]:
    found = {}
    for rank in (1, 2, 3):
        window = {"kernel_size": REQUIRED, "stride": None, "padding": 0}
        found[f"MaxPool{rank}d"] = make(
            f"MaxPool{rank}d", f"max_pool{rank}d",
            {**window, "dilation": 1, "return_indices": False, "ceil_mode": False}, __name__,
            hidden=("return_indices",), base=_WithStride,
        )  # fmt: skip
        average = {**window, "ceil_mode": False, "count_include_pad": True}
        if rank > 1:
            average["divisor_override"] = None
        found[f"AvgPool{rank}d"] = make(
            f"AvgPool{rank}d", f"avg_pool{rank}d", average, __name__,
            hidden=("ceil_mode", "count_include_pad", "divisor_override"),
            base=_AvgPool1d if rank == 1 else _WithStride,
        )  # fmt: skip
        found[f"LPPool{rank}d"] = make(
            f"LPPool{rank}d", f"lp_pool{rank}d",
            {"norm_type": REQUIRED, "kernel_size": REQUIRED, "stride": None, "ceil_mode": False},
            __name__,
        )  # fmt: skip
        found[f"AdaptiveAvgPool{rank}d"] = make(
            f"AdaptiveAvgPool{rank}d", f"adaptive_avg_pool{rank}d", {"output_size": REQUIRED},
            __name__, base=_Adaptive,
        )  # fmt: skip
        found[f"AdaptiveMaxPool{rank}d"] = make(
            f"AdaptiveMaxPool{rank}d", f"adaptive_max_pool{rank}d",
            {"output_size": REQUIRED, "return_indices": False}, __name__, base=_Adaptive,
        )  # fmt: skip
    return found


class _MaxUnpool(Module):
    """Puts values back to where `MaxPool` took them from."""

    rank: int

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = tuple_of(kernel_size, self.rank)
        self.stride = tuple_of(kernel_size if stride is None else stride, self.rank)
        self.padding = tuple_of(padding, self.rank)

    def forward(self, input, indices, output_size=None):
        function = getattr(F, f"max_unpool{self.rank}d")
        return function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Puts values back to where `MaxPool1d` took them from.

    >>> import stateful as torch
    >>> pool = torch.nn.MaxPool1d(2, return_indices=True)
    >>> torch.nn.MaxUnpool1d(2)(*pool(torch.tensor([[1.0, 3.0, 7.0, 5.0]])))
    tensor([[0., 3., 7., 0.]])
    """

    rank = 1


class MaxUnpool2d(_MaxUnpool):
    """Puts values back to where `MaxPool2d` took them from.

    >>> import stateful as torch
    >>> pool = torch.nn.MaxPool2d(2, return_indices=True)
    >>> torch.nn.MaxUnpool2d(2)(*pool(torch.tensor([[[1.0, 3.0], [7.0, 5.0]]])))
    tensor([[[0., 0.],
             [7., 0.]]])
    """

    rank = 2


class MaxUnpool3d(_MaxUnpool):
    """Puts values back to where `MaxPool3d` took them from.

    >>> import stateful as torch
    >>> pool = torch.nn.MaxPool3d(2, return_indices=True)
    >>> torch.nn.MaxUnpool3d(2)(*pool(torch.zeros(1, 2, 2, 2))).shape
    torch.Size([1, 2, 2, 2])
    """

    rank = 3


POOLS = _pools()
globals().update(POOLS)
