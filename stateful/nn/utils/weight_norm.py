"""Weight normalization (Salimans and Kingma 2016), set up before each forward."""

from __future__ import annotations

import warnings
from typing import Any

from ..parameter import Parameter


def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Any:
    """Norms over all dimensions but one, which stays; of everything for ``dim = -1``.

    >>> import stateful as torch
    >>> from stateful.nn.utils.weight_norm import norm_except_dim
    >>> norm_except_dim(torch.tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([[5.],
            [2.]])
    """
    if dim == -1:
        return v.norm(pow)
    if dim != 0 and dim != v.dim() - 1:
        return norm_except_dim(v.transpose(0, dim), pow, 0).transpose(0, dim)
    if dim == 0:
        return v.reshape(v.size(0), -1).norm(pow, 1).view(v.size(0), *[1] * (v.dim() - 1))
    return v.reshape(-1, v.size(-1)).norm(pow, 0).view(*[1] * (v.dim() - 1), v.size(-1))


def normalized(v: Any, g: Any, dim: int = 0) -> Any:
    """``v`` with the lengths ``g``."""
    return v * (g / norm_except_dim(v, 2, dim))


class WeightNorm:
    """A forward pre-hook that computes ``name`` from ``name_g`` and ``name_v``.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     layer = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> [type(hook).__name__ for hook in layer._forward_pre_hooks.values()]
    ['WeightNorm']
    """

    def __init__(self, name: str, dim: int | None):
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """The weight."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return normalized(v, g, self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split ``name`` into its lengths ``name_g`` and directions ``name_v``.

    Deprecated in PyTorch: `parametrizations.weight_norm` does the same by a property.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     layer = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([2, 1]), torch.Size([2, 3]))
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning, stacklevel=2,
    )  # fmt: skip
    if any(isinstance(h, WeightNorm) and h.name == name for h in _hooks(module).values()):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    del module._parameters[name]
    lengths = norm_except_dim(weight, 2, hook.dim)
    module.register_parameter(f"{name}_g", Parameter(lengths.detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undo `weight_norm`; the weight stays what it is.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     layer = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> torch.nn.utils.remove_weight_norm(layer)
    Linear(in_features=3, out_features=2, bias=True)
    """
    for key, hook in _hooks(module).items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            weight = hook.compute_weight(module)
            delattr(module, name)
            del module._parameters[f"{name}_g"], module._parameters[f"{name}_v"]
            setattr(module, name, Parameter(weight.detach()))
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")


def _hooks(module: Any) -> dict:
    return module._forward_pre_hooks
