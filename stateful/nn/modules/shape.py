"""Modules that rearrange: `Flatten`, `Unflatten`, `Fold`, `Unfold`, `Upsample`, ..."""

from __future__ import annotations

from .. import functional as F
from .from_functions import REQUIRED, FunctionModule
from .module import Module


class Flatten(Module):
    """Dimensions ``start_dim`` to ``end_dim`` as one.

    >>> import stateful as torch
    >>> torch.nn.Flatten()(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Dimension ``dim`` as several.

    >>> import stateful as torch
    >>> torch.nn.Unflatten(1, (2, 3))(torch.zeros(4, 6)).shape
    torch.Size([4, 2, 3])
    """

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if not isinstance(dim, int) or not isinstance(unflattened_size, list | tuple):
            raise TypeError(
                "unflattened_size must be a tuple of ints and dim an int; got "
                f"{type(unflattened_size).__name__} and {type(dim).__name__}"
            )
        for place, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {place}"
                )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Fold(FunctionModule):
    """Sums of sliding blocks: the adjoint of `Unfold`.

    >>> import stateful as torch
    >>> torch.nn.Fold((2, 2), kernel_size=1)(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]))
    tensor([[[[1., 2.],
              [3., 4.]]]])
    """

    _function = "fold"
    _options = {"output_size": REQUIRED, "kernel_size": REQUIRED, "dilation": 1, "padding": 0,
                "stride": 1}  # fmt: skip


class Unfold(FunctionModule):
    """Sliding blocks as columns.

    >>> import stateful as torch
    >>> torch.nn.Unfold(kernel_size=2)(torch.arange(4.0).view(1, 1, 2, 2))
    tensor([[[0.],
             [1.],
             [2.],
             [3.]]])
    """

    _function = "unfold"
    _options = {"kernel_size": REQUIRED, "dilation": 1, "padding": 0, "stride": 1}


class PixelShuffle(FunctionModule):
    """Channels become finer pixels.

    >>> import stateful as torch
    >>> torch.nn.PixelShuffle(2)(torch.zeros(1, 4, 1, 1)).shape
    torch.Size([1, 1, 2, 2])
    """

    _function = "pixel_shuffle"
    _options = {"upscale_factor": REQUIRED}


class PixelUnshuffle(FunctionModule):
    """Pixels become more channels.

    >>> import stateful as torch
    >>> torch.nn.PixelUnshuffle(2)(torch.zeros(1, 1, 2, 2)).shape
    torch.Size([1, 4, 1, 1])
    """

    _function = "pixel_unshuffle"
    _options = {"downscale_factor": REQUIRED}


class ChannelShuffle(FunctionModule):
    """Channels of all groups, interleaved.

    >>> import stateful as torch
    >>> torch.nn.ChannelShuffle(2)(torch.arange(4.0).view(1, 4, 1, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    _function = "channel_shuffle"
    _options = {"groups": REQUIRED}

    def forward(self, input):
        return F.channel_shuffle(input, self.groups)


class Upsample(Module):
    """`nn.functional.interpolate` as a module.

    >>> import stateful as torch
    >>> torch.nn.Upsample(scale_factor=2)(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self, size=None, scale_factor=None, mode="nearest", align_corners=None,
        recompute_scale_factor=None,
    ):  # fmt: skip
        super().__init__()
        self.name = type(self).__name__
        self.size, self.mode, self.align_corners = size, mode, align_corners
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input):
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                             recompute_scale_factor=self.recompute_scale_factor)  # fmt: skip

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` with mode "nearest".

    >>> import stateful as torch
    >>> torch.nn.UpsamplingNearest2d(scale_factor=2)(torch.tensor([[[[0.0, 1.0]]]]))
    tensor([[[[0., 0., 1., 1.],
              [0., 0., 1., 1.]]]])
    """

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` with mode "bilinear" and aligned corners.

    >>> import stateful as torch
    >>> torch.nn.UpsamplingBilinear2d(size=(1, 3))(torch.tensor([[[[0.0, 1.0]]]]))
    tensor([[[[0.0000, 0.5000, 1.0000]]]])
    """

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
