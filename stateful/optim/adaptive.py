"""`Adadelta`, `Adafactor`, `Adagrad`, `RMSprop`, `Rprop`: every element has a rate of its own."""

from __future__ import annotations

from typing import Any

from funcgrad import optim

from ..dispatch import wrap
from ..tensor import Tensor
from .fused import initial
from .optimizer import count_tensor
from .rule_optimizer import RuleOptimizer

Number = float | Tensor


class Adadelta(RuleOptimizer):
    """Steps without a unit of their own (Zeiler 2012).

    As https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.Adadelta([w], lr=100.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.6838], requires_grad=True)
    """

    factory = staticmethod(optim.adadelta)

    def __init__(
        self, params: Any, lr: Number = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach: bool | None = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay,
                        maximize=maximize, capturable=capturable, foreach=foreach,
                        differentiable=differentiable)  # fmt: skip
        super().__init__(params, defaults)


class Adafactor(RuleOptimizer):
    """Factored second moments (Shazeer and Stern 2018).

    As https://pytorch.org/docs/stable/generated/torch.optim.Adafactor.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.Adafactor([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.5000], requires_grad=True)
    """

    factory = staticmethod(optim.adafactor)

    def __init__(
        self, params: Any, lr: Number = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0,
        *, foreach: bool | None = None, maximize: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, beta2_decay=beta2_decay, eps=eps, d=d,
                        weight_decay=weight_decay, foreach=foreach, maximize=maximize)  # fmt: skip
        super().__init__(params, defaults)


class Adagrad(RuleOptimizer):
    """Steps over the root of the summed squares (Duchi et al. 2011).

    As https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.Adagrad([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.5000], requires_grad=True)
    """

    factory = staticmethod(optim.adagrad)

    def __init__(
        self, params: Any, lr: Number = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ):  # fmt: skip
        defaults = dict(lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
                        initial_accumulator_value=initial_accumulator_value,
                        foreach=foreach, maximize=maximize, differentiable=differentiable,
                        fused=fused)  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                slots = initial(self.factory, self._options(group), self.static, param)
                self.state[param] = {"step": count_tensor(0), "sum": wrap(slots["sum"])}

    def share_memory(self) -> None:
        """Nothing to do: JAX arrays are immutable."""


class RMSprop(RuleOptimizer):
    """Steps over a running root mean square (Hinton 2012).

    As https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.RMSprop([w], lr=0.05)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.5000], requires_grad=True)
    """

    factory = staticmethod(optim.rmsprop)

    def __init__(
        self, params: Any, lr: Number = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
                        weight_decay=weight_decay, capturable=capturable, foreach=foreach,
                        maximize=maximize, differentiable=differentiable)  # fmt: skip
        super().__init__(params, defaults)


class Rprop(RuleOptimizer):
    """Steps by the sign of the gradient (Riedmiller and Braun 1993).

    As https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.Rprop([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Parameter containing:
    tensor([0.5000], requires_grad=True)
    """

    factory = staticmethod(optim.rprop)

    def __init__(
        self, params: Any, lr: Number = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ):  # fmt: skip
        defaults = dict(lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach,
                        maximize=maximize, differentiable=differentiable,
                        capturable=capturable)  # fmt: skip
        super().__init__(params, defaults)
