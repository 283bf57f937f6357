"""`torch.amp`: automatic mixed precision. Products are computed in a smaller dtype."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import cuda, dtypes
from .autocasting import install, state
from .grad_scaler import GradScaler as GradScaler
from .tensor import Tensor


class autocast:
    """A context, or decorator, in which products are computed in ``dtype``, losses in float32.

    ``dtype`` is by default bfloat16 on the CPU. ``cache_enabled``: a parameter is cast once in the
    outermost context. ``"cuda"`` without a GPU is off with a warning, as in PyTorch; so is a dtype
    other than bfloat16 and float16. Functions that were imported by name before the first
    `autocast` do not look for it, but the products in them do.

    >>> import stateful as torch
    >>> x = torch.ones(1, 1, requires_grad=True)
    >>> with torch.autocast("cpu"):
    ...     y = x @ x
    >>> y.sum().backward()
    >>> y.dtype, x.grad.dtype
    (torch.bfloat16, torch.float32)
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ):  # fmt: skip
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`"
            )
        _known(device_type)
        if enabled and device_type == "cuda" and not cuda.is_available():
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling",
                stacklevel=2,
            )
            enabled = False
        self.device, self._enabled = device_type, enabled
        self.fast_dtype = state.dtype[device_type] if dtype is None else dtype
        self._cache_enabled = state.cached if cache_enabled is None else cache_enabled
        if device_type == "cpu" and enabled and self.fast_dtype not in _SUPPORTED:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            self._enabled = False

    def __enter__(self):
        if self._enabled:
            install()
        device = self.device
        self._before = state.enabled[device], state.dtype[device], state.cached
        state.enabled[device], state.dtype[device] = self._enabled, self.fast_dtype
        state.cached = self._cache_enabled
        autocast_increment_nesting()
        return self

    def __exit__(self, *error) -> None:
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        state.enabled[self.device], state.dtype[self.device], state.cached = self._before

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return inside


def autocast_now() -> autocast:
    """A context in which functions cast as they do now.

    >>> import stateful as torch
    >>> from stateful.amp import autocast_now
    >>> with torch.autocast("cpu", dtype=torch.float16):
    ...     now = autocast_now()
    >>> with now:
    ...     (torch.ones(1, 1) @ torch.ones(1, 1)).dtype
    torch.float16
    """
    return autocast("cpu", state.dtype["cpu"], state.enabled["cpu"], state.cached)


_SUPPORTED = (dtypes.bfloat16, dtypes.float16)


def _known(device_type: str) -> str:
    if device_type not in state.enabled:
        raise RuntimeError(
            f"User specified an unsupported autocast device_type '{device_type}': it is one of "
            f"{', '.join(state.enabled)}"
        )
    return device_type


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` can be turned on.

    >>> import stateful as torch
    >>> torch.amp.is_autocast_available("cpu")
    True
    """
    return device_type in ("cpu", "cuda")


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorator for `forward` of an `autograd.Function`, whose backward is to cast as it does.

    ``cast_inputs``: a dtype for the floating tensors among its arguments; it then runs without
    `autocast`.

    >>> import stateful as torch
    >>> @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    ... def forward(ctx, x):
    ...     return x
    >>> class Context:
    ...     pass
    >>> with torch.autocast("cpu"):
    ...     forward(Context(), torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    if not isinstance(device_type, str):
        raise ValueError(
            f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`"
        )
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    function = fwd

    @functools.wraps(function)
    def decorate_fwd(*args, **kwargs):
        context = args[0]
        context._dtype = get_autocast_dtype(device_type)
        enabled = is_autocast_enabled(device_type)
        context._fwd_used_autocast = enabled and cast_inputs is None
        if cast_inputs is None or not enabled:
            return function(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return function(*_cast_all(args, cast_inputs), **_cast_all(kwargs, cast_inputs))

    return decorate_fwd


def _cast_all(value: Any, dtype: dtypes.dtype) -> Any:
    """The floating tensors in nested containers in ``dtype``, all but those of float64."""
    if isinstance(value, Tensor):
        castable = value.is_floating_point() and value.dtype is not dtypes.float64
        return value.to(dtype) if castable else value
    if isinstance(value, str | np.ndarray):
        return value
    if isinstance(value, Mapping):
        return {_cast_all(k, dtype): _cast_all(v, dtype) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_cast_all(item, dtype) for item in value])
    return value


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Any:
    """Decorator for `backward` of an `autograd.Function`: it casts as `forward` did.

    >>> import stateful as torch
    >>> @torch.amp.custom_bwd(device_type="cpu")
    ... def backward(ctx, grad):
    ...     return grad
    >>> backward.__name__
    'backward'
    """
    if not isinstance(device_type, str):
        raise ValueError(
            f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`"
        )
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    function = bwd

    @functools.wraps(function)
    def decorate_bwd(*args, **kwargs):
        context = args[0]
        with autocast(device_type, enabled=context._fwd_used_autocast, dtype=context._dtype):
            return function(*args, **kwargs)

    return decorate_bwd


# -- as functions ----------------------------------------------------------------------------------


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether `autocast` is on.

    >>> import stateful as torch
    >>> torch.is_autocast_enabled("cpu")
    False
    """
    return state.enabled[_known(device_type)]


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Turn `autocast` on or off for a device.

    >>> import stateful as torch
    >>> torch.set_autocast_enabled("cpu", True)
    >>> (torch.ones(1, 1) @ torch.ones(1, 1)).dtype
    torch.bfloat16
    >>> torch.set_autocast_enabled("cpu", False)
    """
    if enabled is None:
        device_type, enabled = "cuda", device_type
    if enabled:
        install()
    state.enabled[_known(device_type)] = bool(enabled)


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The dtype that `autocast` uses, or would use.

    >>> import stateful as torch
    >>> torch.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return dtypes.float16 if device_type == "mps" else state.dtype[_known(device_type)]


def set_autocast_dtype(device_type: str, dtype: dtypes.dtype) -> None:
    """Choose the dtype that `autocast` uses.

    >>> import stateful as torch
    >>> torch.set_autocast_dtype("cpu", torch.float16)
    >>> torch.get_autocast_dtype("cpu")
    torch.float16
    >>> torch.set_autocast_dtype("cpu", torch.bfloat16)
    """
    state.dtype[_known(device_type)] = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether the casts of parameters are kept.

    >>> import stateful as torch
    >>> torch.is_autocast_cache_enabled()
    True
    """
    return state.cached


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Choose whether the casts of parameters are kept.

    >>> import stateful as torch
    >>> torch.set_autocast_cache_enabled(True)
    """
    state.cached = bool(enabled)


def clear_autocast_cache() -> None:
    """Forget the casts of parameters.

    >>> import stateful as torch
    >>> torch.clear_autocast_cache()
    """
    state.casts.clear()


def autocast_increment_nesting() -> int:
    """A context is entered; how many are open.

    >>> import stateful as torch
    >>> torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()
    (1, 0)
    """
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """A context is left; how many are open.

    >>> import stateful as torch
    >>> torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()
    (1, 0)
    """
    state.nesting -= 1
    return state.nesting


def is_autocast_cpu_enabled() -> bool:
    """The older name of ``is_autocast_enabled("cpu")``.

    >>> import stateful as torch
    >>> torch.is_autocast_cpu_enabled()
    False
    """
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """The older name of ``set_autocast_enabled("cpu", enabled)``.

    >>> import stateful as torch
    >>> torch.set_autocast_cpu_enabled(False)
    """
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> dtypes.dtype:
    """The older name of ``get_autocast_dtype("cpu")``.

    >>> import stateful as torch
    >>> torch.get_autocast_cpu_dtype()
    torch.bfloat16
    """
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: dtypes.dtype) -> None:
    """The older name of ``set_autocast_dtype("cpu", dtype)``.

    >>> import stateful as torch
    >>> torch.set_autocast_cpu_dtype(torch.bfloat16)
    """
    set_autocast_dtype("cpu", dtype)


AUTOCAST: dict[str, Callable] = {
    function.__name__: function
    for function in (
        autocast_decrement_nesting, autocast_increment_nesting, clear_autocast_cache,
        get_autocast_cpu_dtype, get_autocast_dtype, is_autocast_cache_enabled,
        is_autocast_cpu_enabled, is_autocast_enabled, set_autocast_cache_enabled,
        set_autocast_cpu_dtype, set_autocast_cpu_enabled, set_autocast_dtype, set_autocast_enabled,
    )
}  # fmt: skip
"""The functions that `torch` has too."""
