"""The optimizers: PyTorch's constructors over the rules of `funcgrad.optim`."""

from __future__ import annotations

from typing import Any

from funcgrad import optim

from .optimizer import RuleOptimizer


class SGD(RuleOptimizer):
    """Gradient descent with momentum: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.item()
    0.0
    """

    factory = staticmethod(optim.sgd)
    counts_steps = False

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None,
    ):  # fmt: skip
        defaults = dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                        nesterov=nesterov, maximize=maximize, foreach=foreach,
                        differentiable=differentiable, fused=fused)  # fmt: skip
        optim.sgd(lr, momentum, dampening, weight_decay, nesterov, maximize=maximize)
        super().__init__(params, defaults)


class Adam(RuleOptimizer):
    """Adam (Kingma and Ba 2015): https://pytorch.org/docs/stable/generated/torch.optim.Adam.html."""

    factory = staticmethod(optim.adam)

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
                        maximize=maximize, foreach=foreach, capturable=capturable,
                        differentiable=differentiable, fused=fused,
                        decoupled_weight_decay=decoupled_weight_decay)  # fmt: skip
        optim.adam(lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
        super().__init__(params, defaults)


class AdamW(RuleOptimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    factory = staticmethod(optim.adamw)

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
        maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ):  # fmt: skip
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
                        maximize=maximize, foreach=foreach, capturable=capturable,
                        differentiable=differentiable, fused=fused)  # fmt: skip
        optim.adamw(lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
        super().__init__(params, defaults)
