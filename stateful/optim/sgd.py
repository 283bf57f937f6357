"""`SGD`, `ASGD`, `Muon`: steps along an averaged gradient."""

from __future__ import annotations

from typing import Any

from funcgrad import optim

from ..tensor import Tensor
from .rule_optimizer import RuleOptimizer

Number = float | Tensor


class SGD(RuleOptimizer):
    """Gradient descent with momentum.

    As https://pytorch.org/docs/stable/generated/torch.optim.SGD.html.

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
        self, params: Any, lr: Number = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: Number = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None,
    ):  # fmt: skip
        defaults = dict(lr=lr, momentum=momentum, dampening=dampening,
                        weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
                        foreach=foreach, differentiable=differentiable, fused=fused)  # fmt: skip
        super().__init__(params, defaults)


class ASGD(RuleOptimizer):
    """Averaged gradient descent (Polyak and Juditsky 1992).

    As https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.ASGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.5000], requires_grad=True)
    """

    factory = staticmethod(optim.asgd)

    def __init__(
        self, params: Any, lr: Number = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
        t0: float = 1e6, weight_decay: float = 0, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay,
                        foreach=foreach, maximize=maximize, differentiable=differentiable,
                        capturable=capturable)  # fmt: skip
        super().__init__(params, defaults)


class Muon(RuleOptimizer):
    """Momentum made nearly orthogonal, for matrices (Jordan et al. 2024).

    As https://pytorch.org/docs/stable/generated/torch.optim.Muon.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.eye(2))
    >>> optimizer = torch.optim.Muon([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.shape
    torch.Size([2, 2])
    """

    factory = staticmethod(optim.muon)
    counts_steps = False
    static = ("ns_steps",)

    def __init__(
        self, params: Any, lr: Number = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7,
        ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ):  # fmt: skip
        defaults = dict(lr=lr, weight_decay=weight_decay, momentum=momentum,
                        nesterov=nesterov, ns_coefficients=ns_coefficients, eps=eps,
                        ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn)  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{param.size()}"
                    )
