"""`torch.amp.GradScaler`: a loss that is scaled, so that gradients in float16 do not vanish."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Iterable
from typing import Any

from . import cuda, dtypes
from .tensor import Tensor


class OptState(enum.Enum):
    """Where an optimizer is since the last `update`."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """Scales a loss so that float16 gradients do not vanish. Off for ``"cuda"`` without a GPU.

    ``step`` is skipped if a gradient is not finite; `update` then makes the scale smaller.

    >>> import stateful as torch
    >>> scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale(torch.ones(1))
    tensor([4.])
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ):  # fmt: skip
        self._device, self._enabled = device, enabled
        if enabled and device == "cuda" and not cuda.is_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1:
            raise AssertionError(f"The growth factor must be > 1.0: it is {growth_factor}")
        if backoff_factor >= 1:
            raise AssertionError(f"The backoff factor must be < 1.0: it is {backoff_factor}")
        self._init_scale, self._scale = float(init_scale), None
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._states: dict[int, OptState] = {}
        self._found_inf: dict[int, bool] = {}

    _scale: float | None

    def scale(self, outputs: Any) -> Any:
        """The loss, or losses, times the scale."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = self._init_scale
        if isinstance(outputs, Tensor):
            return outputs * self._scale  # type: ignore[operator]
        if not isinstance(outputs, Iterable):
            raise ValueError(
                f"outputs must be a Tensor or an iterable of Tensors, not {type(outputs).__name__}"
            )
        scaled = map(self.scale, outputs)
        return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled

    def _started(self, doing: str) -> float:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {doing} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the scale, and see whether they are finite."""
        if not self._enabled:
            return
        scale = self._started("unscale_")
        state = self._states.get(id(optimizer), OptState.READY)
        if state is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if state is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._unscale(parameter.grad, 1 / scale, id(optimizer))
        self._states[id(optimizer)] = OptState.UNSCALED

    def _unscale(self, grad: Tensor, factor: float, key: int) -> None:
        if grad.dtype is dtypes.float16:
            raise ValueError("Attempting to unscale FP16 gradients.")
        infinite = not bool(grad.isfinite().all())
        self._found_inf[key] = self._found_inf.get(key, False) or infinite
        grad.mul_(factor)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``, unless a gradient is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError(
                "Closure use is not currently supported if GradScaler is enabled: it would compute "
                "gradients that are not unscaled"
            )
        self._started("step")
        state = self._states.get(id(optimizer), OptState.READY)
        if state is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if state is OptState.READY:
            self.unscale_(optimizer)
        if id(optimizer) not in self._found_inf:
            raise AssertionError(
                "No inf checks were recorded for this optimizer: none of its parameters has a "
                "gradient"
            )
        self._states[id(optimizer)] = OptState.STEPPED
        return None if self._found_inf[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """A smaller scale after gradients that were not finite, a larger one after a good while."""
        if not self._enabled:
            return
        scale = self._started("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found_inf:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._found_inf.values()):
            self._scale, self._growth_tracker = scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = scale * self._growth_factor, 0
        self._states, self._found_inf = {}, {}

    def get_scale(self) -> float:
        """The scale; 1 if off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale

    def is_enabled(self) -> bool:
        """Whether it scales at all."""
        return self._enabled

    def get_growth_factor(self) -> float:
        """What the scale is multiplied with after a good while."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Another `get_growth_factor`."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied with after gradients that were not finite."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Another `get_backoff_factor`."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps make a good while."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Another `get_growth_interval`."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes; empty if off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor, "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from `state_dict`."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = self._scale = float(state_dict["scale"])
        for name in ("growth_factor", "backoff_factor", "growth_interval"):
            setattr(self, f"_{name}", state_dict[name])
        self._growth_tracker = state_dict["_growth_tracker"]
