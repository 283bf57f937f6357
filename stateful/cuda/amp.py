"""`torch.cuda.amp`: the older names of `torch.amp` for ``"cuda"``."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .. import amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _warn(name: str, now: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{name}` is deprecated. Please use `torch.amp.{now}` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):
    """`torch.amp.autocast` for ``"cuda"``.

    >>> import stateful as torch, warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     context = torch.cuda.amp.autocast(enabled=False)
    >>> context.device
    'cuda'
    """

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True):
        _warn("autocast(args...)", "autocast('cuda', args...)")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`torch.amp.GradScaler` for ``"cuda"``.

    >>> import stateful as torch, warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     scaler = torch.cuda.amp.GradScaler(enabled=False)
    >>> scaler.is_enabled()
    False
    """

    def __init__(self, *args: Any, **options: Any):
        _warn("GradScaler(args...)", "GradScaler('cuda', args...)")
        super().__init__("cuda", *args, **options)


def custom_fwd(fwd: Callable | None = None, *, cast_inputs: Any = None) -> Any:
    """`torch.amp.custom_fwd` for ``"cuda"``.

    >>> import stateful as torch, warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     decorated = torch.cuda.amp.custom_fwd(lambda ctx, x: x)
    """
    _warn("custom_fwd(args...)", "custom_fwd(args..., device_type='cuda')")
    return functools.partial(amp.custom_fwd, device_type="cuda")(fwd=fwd, cast_inputs=cast_inputs)


def custom_bwd(bwd: Callable) -> Any:
    """`torch.amp.custom_bwd` for ``"cuda"``.

    >>> import stateful as torch, warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     decorated = torch.cuda.amp.custom_bwd(lambda ctx, grad: grad)
    """
    _warn("custom_bwd(args...)", "custom_bwd(args..., device_type='cuda')")
    return amp.custom_bwd(bwd, device_type="cuda")
