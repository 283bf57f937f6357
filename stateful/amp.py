"""`torch.amp`: automatic mixed precision. Off on the CPU unless asked; then not supported here."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from . import cuda, dtypes


class autocast:
    """A context, or decorator, in which PyTorch computes products in a smaller dtype.

    ``enabled=False`` is accepted, and ``"cuda"`` without a GPU is off with a warning, as in
    PyTorch. Raises NotImplementedError where it would change dtypes: convert the model and its
    inputs with ``.to(torch.bfloat16)`` instead.

    >>> import stateful as torch
    >>> with torch.autocast("cpu", enabled=False):
    ...     y = torch.ones(1, 1) @ torch.ones(1, 1)
    >>> y.dtype
    torch.float32
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ):  # fmt: skip
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`"
            )
        if enabled and device_type == "cuda" and not cuda.is_available():
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling",
                stacklevel=2,
            )
            enabled = False
        self.device, self._enabled = device_type, enabled
        self.fast_dtype = dtypes.bfloat16 if dtype is None else dtype

    def __enter__(self):
        if self._enabled:
            raise NotImplementedError(
                "autocast is not implemented: convert the model and its inputs with "
                ".to(torch.bfloat16), or pass enabled=False"
            )
        return self

    def __exit__(self, *error) -> None:
        return None

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return inside


class GradScaler:
    """Scales a loss so that float16 gradients do not vanish. Without a GPU it is off.

    >>> import stateful as torch
    >>> torch.amp.GradScaler("cpu", enabled=False).scale(torch.ones(1))
    tensor([1.])
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ):  # fmt: skip
        if enabled and device == "cuda" and not cuda.is_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._scale, self._growth_factor = float(init_scale), growth_factor
        self._backoff_factor, self._growth_interval = backoff_factor, growth_interval
        self._growth_tracker, self._found_inf = 0, False
        self._unscaled: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """The loss, or losses, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, list | tuple):
            return type(outputs)(map(self.scale, outputs))
        return outputs * self._scale

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the scale, and see whether they are finite."""
        if not self._enabled:
            return
        if id(optimizer) in self._unscaled:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        self._unscaled.add(id(optimizer))
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.mul_(1 / self._scale)
                    self._found_inf |= not bool(parameter.grad.isfinite().all())

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``, unless a gradient is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        return None if self._found_inf else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | None = None) -> None:
        """A smaller scale after gradients that were not finite, a larger one after a good while."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif self._found_inf:
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found_inf, self._unscaled = False, set()

    def get_scale(self) -> float:
        """The scale; 1 if off."""
        return self._scale if self._enabled else 1.0

    def is_enabled(self) -> bool:
        """Whether it scales at all."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes; empty if off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale, "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor, "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from `state_dict`."""
        if not self._enabled:
            return
        for name, value in state_dict.items():
            setattr(self, name if name.startswith("_") else f"_{name}", value)


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` can be turned on.

    >>> import stateful as torch
    >>> torch.amp.is_autocast_available("cpu")
    False
    """
    return False


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Marks `forward` of an `autograd.Function`; nothing to do without autocast.

    >>> import stateful as torch
    >>> @torch.amp.custom_fwd(device_type="cuda")
    ... def forward(ctx, x):
    ...     return x
    >>> forward.__name__
    'forward'
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Any:
    """Marks `backward` of an `autograd.Function`; nothing to do without autocast.

    >>> import stateful as torch
    >>> @torch.amp.custom_bwd(device_type="cuda")
    ... def backward(ctx, grad):
    ...     return grad
    >>> backward.__name__
    'backward'
    """
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: there is no autocast.

    >>> import stateful as torch
    >>> torch.is_autocast_enabled("cpu")
    False
    """
    return False


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The dtype that autocast would use.

    >>> import stateful as torch
    >>> torch.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return dtypes.float16 if device_type in ("cuda", "mps") else dtypes.bfloat16
