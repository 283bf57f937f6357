"""`FractionalMaxPool2d/3d`."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..fractional import FRACTIONAL
from .module import Module
from .sizes import tuple_of


class _FractionalMaxPool(Module):
    rank: int

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ):
        super().__init__()
        self.kernel_size = tuple_of(kernel_size, self.rank)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else tuple_of(output_size, self.rank)
        self.output_ratio = None if output_ratio is None else tuple_of(output_ratio, self.rank)
        name = type(self).__name__
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Any) -> Any:
        return FRACTIONAL[f"fractional_max_pool{self.rank}d"](
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            _random_samples=self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of windows at pseudo-random places.

    >>> import stateful as torch
    >>> torch.nn.FractionalMaxPool2d(2, output_size=1)(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4.]]])
    """

    rank = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest elements of windows at pseudo-random places.

    >>> import stateful as torch
    >>> torch.nn.FractionalMaxPool3d(2, output_ratio=0.5)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2])
    """

    rank = 3


for _name, _function in FRACTIONAL.items():
    setattr(F, _name, _function)
