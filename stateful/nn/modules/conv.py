"""Convolutions and transposed convolutions in one, two and three dimensions."""

from __future__ import annotations

import math
from typing import Any

from .. import functional as F
from .. import init
from .linear import empty
from .module import Module
from .sizes import tuple_of

_PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


class _Conv(Module):
    """What convolutions share: parameters, their initial values, printing."""

    rank: int
    transposed = False
    bias: Any

    def _build(self, in_channels, out_channels, kernel_size, stride, padding, dilation,
               output_padding, groups, bias, padding_mode, device, dtype):  # fmt: skip
        _check(in_channels, out_channels, groups, padding, stride, padding_mode)
        rank = self.rank
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = tuple_of(kernel_size, rank)
        self.stride = tuple_of(stride, rank)
        self.padding = padding if isinstance(padding, str) else tuple_of(padding, rank)
        self.dilation = tuple_of(dilation, rank)
        self.output_padding = tuple_of(output_padding, rank)
        self.groups, self.padding_mode = groups, padding_mode
        channels = (out_channels, in_channels // groups)
        if self.transposed:
            channels = (in_channels, out_channels // groups)
        self.weight = empty(*channels, *self.kernel_size, device=device, dtype=dtype)
        if bias:
            self.bias = empty(out_channels, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(fan_in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        none = (0,) * self.rank
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
                 f"stride={self.stride}"]  # fmt: skip
        if self.padding != none:
            shown.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.rank:
            shown.append(f"dilation={self.dilation}")
        if self.output_padding != none:
            shown.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


def _check(in_channels, out_channels, groups, padding, stride, padding_mode) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}"
            )
        if padding == "same" and any(s != 1 for s in tuple_of(stride, 1)):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(
            f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'"
        )


class _Convolution(_Conv):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        bias=True, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups,
                    bias, padding_mode, device, dtype)  # fmt: skip

    def forward(self, input):
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input, weight, bias):
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._both_sides(), mode=self.padding_mode), 0
        function = getattr(F, f"conv{self.rank}d")
        return function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def _both_sides(self) -> list[int]:
        """Padding as `F.pad` wants it: last dimension first, before and after."""
        sides: list[Any] = []
        for d in reversed(range(self.rank)):
            if self.padding == "valid":
                sides += [0, 0]
            elif self.padding == "same":
                total = self.dilation[d] * (self.kernel_size[d] - 1)
                sides += [total // 2, total - total // 2]
            else:
                sides += [self.padding[d]] * 2
        return sides


class Conv1d(_Convolution):
    """Cross-correlation of (N, C, L); weight (out, in / groups, kernel).

    >>> import stateful as torch
    >>> torch.nn.Conv1d(2, 5, kernel_size=3)(torch.zeros(1, 2, 4)).shape
    torch.Size([1, 5, 2])
    """

    rank = 1


class Conv2d(_Convolution):
    """Cross-correlation of (N, C, H, W); weight (out, in / groups, kernel, kernel).

    >>> import stateful as torch
    >>> torch.nn.Conv2d(3, 8, 3, padding=1)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 8, 5, 5])
    """

    rank = 2


class Conv3d(_Convolution):
    """Cross-correlation of (N, C, D, H, W).

    >>> import stateful as torch
    >>> torch.nn.Conv3d(2, 5, kernel_size=3)(torch.zeros(1, 2, 4, 4, 4)).shape
    torch.Size([1, 5, 2, 2, 2])
    """

    rank = 3


class _Transposed(_Conv):
    transposed = True

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0,
        groups=1, bias=True, dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation,
                    output_padding, groups, bias, padding_mode, device, dtype)  # fmt: skip

    def forward(self, input, output_size=None):
        function = getattr(F, f"conv_transpose{self.rank}d")
        more = self._output_padding(input, output_size)
        return function(input, self.weight, self.bias, self.stride, self.padding, more,
                        self.groups, self.dilation)  # fmt: skip

    def _output_padding(self, input, output_size) -> tuple[int, ...]:
        """What must be added at one side to make the output as large as asked for."""
        if output_size is None:
            return self.output_padding
        spatial = tuple(output_size)
        if len(spatial) not in (self.rank, input.dim()):
            raise ValueError(
                f"{type(self).__name__}: for {input.dim()}D input, output_size must have "
                f"{self.rank} or {input.dim()} elements (got {len(spatial)})"
            )
        spatial = spatial[-self.rank :]
        smallest = [
            (input.size(input.dim() - self.rank + d) - 1) * self.stride[d] - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1) + 1
            for d in range(self.rank)
        ]  # fmt: skip
        for size, least, stride in zip(spatial, smallest, self.stride, strict=True):
            if not least <= size < least + stride:
                largest = [n + s - 1 for n, s in zip(smallest, self.stride, strict=True)]
                raise ValueError(
                    f"requested an output size of {spatial}, but valid sizes range from "
                    f"{smallest} to {largest} (for an input of {input.size()[-self.rank :]})"
                )
        return tuple(size - least for size, least in zip(spatial, smallest, strict=True))


class ConvTranspose1d(_Transposed):
    """The transpose of `Conv1d`.

    >>> import stateful as torch
    >>> torch.nn.ConvTranspose1d(2, 5, kernel_size=3)(torch.zeros(1, 2, 4)).shape
    torch.Size([1, 5, 6])
    """

    rank = 1


class ConvTranspose2d(_Transposed):
    """The transpose of `Conv2d`.

    >>> import stateful as torch
    >>> torch.nn.ConvTranspose2d(2, 5, kernel_size=3, stride=2)(torch.zeros(1, 2, 4, 4)).shape
    torch.Size([1, 5, 9, 9])
    """

    rank = 2


class ConvTranspose3d(_Transposed):
    """The transpose of `Conv3d`.

    >>> import stateful as torch
    >>> torch.nn.ConvTranspose3d(2, 5, kernel_size=3)(torch.zeros(1, 2, 2, 2, 2)).shape
    torch.Size([1, 5, 4, 4, 4])
    """

    rank = 3
