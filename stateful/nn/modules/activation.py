"""Activation functions as modules: one table."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import init
from .linear import empty
from .module import Module

# name: (function, its arguments with defaults, whether it takes `inplace`)
_TABLE: dict[str, tuple[str, dict[str, Any], bool]] = {
    "ReLU": ("relu", {}, True),
    "ReLU6": ("relu6", {}, True),
    "ELU": ("elu", {"alpha": 1.0}, True),
    "CELU": ("celu", {"alpha": 1.0}, True),
    "SELU": ("selu", {}, True),
    "GELU": ("gelu", {"approximate": "none"}, False),
    "SiLU": ("silu", {}, True),
    "Mish": ("mish", {}, True),
    "Sigmoid": ("sigmoid", {}, False),
    "Tanh": ("tanh", {}, False),
    "LogSigmoid": ("logsigmoid", {}, False),
    "Softsign": ("softsign", {}, False),
    "Tanhshrink": ("tanhshrink", {}, False),
    "Hardsigmoid": ("hardsigmoid", {}, True),
    "Hardswish": ("hardswish", {}, True),
    "Hardtanh": ("hardtanh", {"min_val": -1.0, "max_val": 1.0}, True),
    "Hardshrink": ("hardshrink", {"lambd": 0.5}, False),
    "Softshrink": ("softshrink", {"lambd": 0.5}, False),
    "Softplus": ("softplus", {"beta": 1.0, "threshold": 20.0}, False),
    "LeakyReLU": ("leaky_relu", {"negative_slope": 0.01}, True),
    "Threshold": ("threshold", {"threshold": None, "value": None}, True),
    "GLU": ("glu", {"dim": -1}, False),
    "Softmax": ("softmax", {"dim": None}, False),
    "LogSoftmax": ("log_softmax", {"dim": None}, False),
    "Softmin": ("softmin", {"dim": None}, False),
}


class _Activation(Module):
    """A function of one argument with fixed options."""

    _function: str
    _options: dict[str, Any]
    _takes_inplace: bool

    def __init__(self, *args, inplace: bool = False, **kwargs):
        super().__init__()
        names = list(self._options)
        given = dict(zip([*names, "inplace"], args, strict=False))
        inplace = given.pop("inplace", inplace)
        unknown = set(kwargs) - set(names)
        if unknown or len(args) > len(names) + self._takes_inplace:
            raise TypeError(
                f"{type(self).__name__}.__init__() got unexpected arguments "
                f"{sorted(unknown) or args}"
            )
        for name, default in {**self._options, **given, **kwargs}.items():
            setattr(self, name, default)
        if self._takes_inplace:
            self.inplace = inplace

    def forward(self, input):
        options = {}
        for name in self._options:
            options[name] = getattr(self, name)
        if self._takes_inplace and self.inplace:
            options["inplace"] = True
        return getattr(F, self._function)(input, **options)

    def extra_repr(self) -> str:
        if self._function in ("hardshrink", "softshrink"):  # PyTorch leaves out the name
            return str(self.lambd)
        shown = [f"{name}={getattr(self, name)!r}" for name in self._options]
        if self._takes_inplace and self.inplace:
            shown.append("inplace=True")
        return ", ".join(shown)


def _make(name: str) -> type[_Activation]:
    function, options, takes_inplace = _TABLE[name]
    fields = {"_function": function, "_options": options, "_takes_inplace": takes_inplace,
              "__doc__": f"`nn.functional.{function}` as a "
                         "module.", "__module__": __name__}  # fmt: skip
    return type(name, (_Activation,), fields)


ACTIVATIONS = {name: _make(name) for name in _TABLE}
globals().update(ACTIVATIONS)


class PReLU(Module):
    """Leaky ReLU with a learned slope.

    >>> import stateful as torch
    >>> torch.nn.PReLU()(torch.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(self, num_parameters=1, init_value=0.25, device=None, dtype=None, **kwargs):
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = empty(num_parameters, device=device, dtype=dtype)
        init.constant_(self.weight, kwargs.get("init", init_value))

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """Leaky ReLU whose slopes are random in training.

    >>> import stateful as torch
    >>> torch.nn.RReLU(0.1, 0.3).eval()(torch.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        shown = f"lower={self.lower}, upper={self.upper}"
        return shown + (", inplace=True" if self.inplace else "")


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W).

    >>> import stateful as torch
    >>> torch.nn.Softmax2d()(torch.zeros(2, 1, 1))
    tensor([[[0.5000]],
    <BLANKLINE>
            [[0.5000]]])
    """

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3)
