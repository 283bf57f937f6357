"""Batch normalization folded into the layer before it, and modules without initial values."""

from __future__ import annotations

import copy
from typing import Any

from ...random import fork_rng
from ..parameter import Parameter


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of the convolution that does what both did.

    >>> import stateful as torch
    >>> one = torch.ones(1)
    >>> weight, bias = torch.nn.utils.fuse_conv_bn_weights(
    ...     torch.ones(1, 1, 1), None, 2 * one, 4 * one, 0.0, one, one
    ... )
    >>> weight.detach(), bias.detach()
    (tensor([[[0.5000]]]), tensor([0.]))
    """
    scale = (bn_rv + bn_eps).rsqrt()
    scale = scale if bn_w is None else bn_w * scale
    shift = bn_rm * 0 if bn_b is None else bn_b
    bias = bn_rm * 0 if conv_b is None else conv_b
    lead = [1, -1] if transpose else [-1, 1]
    weight = conv_w * scale.reshape(*lead, *[1] * (conv_w.dim() - 2))
    bias = (bias - bn_rm) * scale + shift
    return (
        Parameter(weight.detach(), conv_w.requires_grad),
        Parameter(bias.detach(), bias.requires_grad or conv_w.requires_grad),
    )


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the linear layer that does what both did.

    >>> import stateful as torch
    >>> one = torch.ones(1)
    >>> weight, bias = torch.nn.utils.fuse_linear_bn_weights(
    ...     torch.ones(1, 1), None, 2 * one, 4 * one, 0.0, one, one
    ... )
    >>> weight.detach(), bias.detach()
    (tensor([[0.5000]]), tensor([0.]))
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fuse(layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what ``conv`` and then ``bn`` do in eval mode.

    >>> import stateful as torch
    >>> conv, norm = torch.nn.Conv1d(1, 2, 3).eval(), torch.nn.BatchNorm1d(2).eval()
    >>> x = torch.ones(1, 1, 4)
    >>> torch.allclose(torch.nn.utils.fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)))
    True
    """
    return _fuse(conv, bn, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what ``linear`` and then ``bn`` do in eval mode.

    >>> import stateful as torch
    >>> linear, norm = torch.nn.Linear(3, 2).eval(), torch.nn.BatchNorm1d(2).eval()
    >>> x = torch.ones(1, 3)
    >>> torch.allclose(torch.nn.utils.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)))
    True
    """
    return _fuse(linear, bn, False)


def skip_init(module_cls: type, *args: Any, **kwargs: Any) -> Any:
    """The module without drawing initial values; its parameters are to be overwritten.

    The generator is left where it was.

    >>> import stateful as torch
    >>> torch.nn.utils.skip_init(torch.nn.Linear, 3, 2)
    Linear(in_features=3, out_features=2, bias=True)
    """
    kwargs.pop("device", None)
    with fork_rng():
        return module_cls(*args, **kwargs)
