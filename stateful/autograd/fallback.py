"""What is recorded of an op of one's own that has no backward: a node that warns.

As PyTorch's autograd fallback: what the op gives requires a gradient if its inputs do, and no
gradient passes. Source: torch/csrc/autograd/autograd_not_implemented_fallback.h.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from .. import modes
from ..tensor import Tensor
from .function import Function

_MODES = ("nothing", "warn")


class _Fallback:
    mode = "warn"


def get_mode() -> str:
    """What becomes of the outputs of ops without a backward: ``"nothing"`` or ``"warn"``."""
    return _Fallback.mode


def set_mode(mode: str) -> None:
    """Set what becomes of ops without a backward; RuntimeError for another word."""
    if mode not in _MODES:
        raise RuntimeError(f"unknown autograd fallback mode {mode!r}: it is one of {_MODES}")
    _Fallback.mode = mode


def _tell(name: str) -> None:
    warnings.warn(
        f"{name}: an autograd kernel was not registered to the Autograd key(s) but we are trying "
        "to backprop through it. This may lead to silently incorrect behavior. Use "
        "torch.library.register_autograd.",
        stacklevel=2,
    )


class WarnNotImplemented(Function):
    """Gives its first tensors a history, from which no gradient comes."""

    @staticmethod
    def forward(ctx: Any, name: str, count: int, *tensors: Any) -> Any:
        ctx.name, ctx.inputs = name, len(tensors) + 2
        ctx.mark_dirty(*tensors[:count])
        return tensors[:count]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        _tell(ctx.name)
        return (None,) * ctx.inputs


def record(name: str, inputs: Iterable, outputs: Iterable, written: Iterable = ()) -> None:
    """Let the outputs of an op have a history that warns, if an input requires a gradient.

    ``written``: the inputs that the op changed. If they are views their bases warn too.
    """
    needed = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    if not needed or not modes.state.grad_enabled or _Fallback.mode == "nothing":
        return
    plain = []
    for out in outputs:
        if not isinstance(out, Tensor) or not (out.is_floating_point() or out.is_complex()):
            continue
        if out.requires_grad:
            base = out._base if any(out is x for x in written) else None
            for tensor in (out, base):
                if tensor is not None and tensor.requires_grad:
                    tensor.register_hook(lambda grad: _tell(name))
        else:
            plain.append(out)
    if plain:
        WarnNotImplemented.apply(name, len(plain), *plain, *needed)
