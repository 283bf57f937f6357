"""Layers of `torch` with ATen's arguments, where `nn.functional` has others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from funcgrad.ops.convolution import convolution_backward

from .nn import functional as F
from .nn.modules.rnn import run_cell, run_layers
from .operators import FUNCTIONS, FunctionOverload
from .tensor import Tensor


def instance_norm(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.instance_norm`.

    >>> import stateful as torch
    >>> x = torch.tensor([[[0.0, 2.0]]])
    >>> torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[[-1.0000,  1.0000]]])
    """
    statistics = running_mean, running_var
    return F.instance_norm(input, *statistics, weight, bias, use_input_stats, momentum, eps)


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample`, with numbers for its modes.

    ``interpolation_mode``: 0 bilinear, 1 nearest, 2 bicubic; ``padding_mode``: 0 zeros, 1 border,
    2 reflection.

    >>> import stateful as torch
    >>> image = torch.arange(4.0).view(1, 1, 2, 2)
    >>> torch.grid_sampler(image, torch.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.5000]]]])
    """
    mode = {0: "bilinear", 1: "nearest", 2: "bicubic"}[interpolation_mode]
    padding = {0: "zeros", 1: "border", 2: "reflection"}[padding_mode]
    return F.grid_sample(input, grid, mode, padding, align_corners)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`nn.functional.affine_grid`.

    >>> import stateful as torch
    >>> torch.affine_grid_generator(torch.eye(2, 3)[None], (1, 1, 1, 2), True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    return F.affine_grid(theta, list(size), align_corners)


def _convolution_backward(
    grad_output: Tensor, input: Tensor, weight: Tensor, bias_sizes: Any, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool,
    output_padding: Sequence[int], groups: int, output_mask: Sequence[bool],
) -> tuple:  # fmt: skip
    """The gradients of a convolution, None for those that ``output_mask`` leaves out."""
    found: Any = convolution_backward(
        grad_output, input, weight, stride, padding, dilation, transposed, output_padding, groups,
        [int(wanted) for wanted in output_mask],
    )  # fmt: skip
    return tuple(x if wanted else None for x, wanted in zip(found, output_mask, strict=True))


_name = "convolution_backward"
FUNCTIONS[_name] = FunctionOverload(_name, _convolution_backward)


def _module(mode: str) -> str:
    return mode.partition("_")[0]


def _recurrence(mode: str) -> Callable:
    def layers(
        input: Tensor, hx: Any, params: Sequence[Tensor], has_biases: bool, num_layers: int,
        dropout: float, train: bool, bidirectional: bool, batch_first: bool,
    ) -> tuple:  # fmt: skip
        return run_layers(
            mode, input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
            batch_first,
        )  # fmt: skip

    layers.__doc__ = f"The layers of `nn.{_module(mode)}` as a function."
    return layers


def _cell(mode: str) -> Callable:
    def cell(
        input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any = None, b_hh: Any = None
    ) -> Any:
        return run_cell(mode, input, hx, w_ih, w_hh, b_ih, b_hh)

    cell.__doc__ = f"The step of `nn.{_module(mode)}Cell` as a function."
    return cell


LAYERS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        affine_grid_generator, grid_sampler, instance_norm,
    )
}  # fmt: skip
for _mode in ("LSTM", "GRU", "RNN_TANH", "RNN_RELU"):
    LAYERS[_mode.lower()] = _recurrence(_mode)
    LAYERS[f"{_mode.lower()}_cell"] = _cell(_mode)
for _name, _function in LAYERS.items():
    _function.__name__ = _function.__qualname__ = _name
