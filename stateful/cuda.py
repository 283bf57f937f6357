"""`torch.cuda`: JAX's GPUs under PyTorch's questions."""

from __future__ import annotations

from typing import Any

import jax

from . import random
from .devices import device as Device


def _gpus() -> list[Any]:
    try:
        return jax.local_devices(backend="gpu")
    except RuntimeError:
        return []


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return bool(_gpus())


def device_count() -> int:
    """How many GPUs JAX sees."""
    return len(_gpus())


def current_device() -> int:
    """The first GPU."""
    _needed()
    return 0


def get_device_name(device: Any = None) -> str:
    """What the hardware is called."""
    _needed()
    index = device if isinstance(device, int) else Device(device or "cuda").index or 0
    return _gpus()[index].device_kind


def _needed() -> None:
    if not is_available():
        raise RuntimeError(
            "No CUDA GPUs are available: JAX has only the cpu here. Install jax[cuda] on a machine "
            "with one"
        )


def is_initialized() -> bool:
    """Whether a GPU is in use."""
    return is_available()


def manual_seed(seed: int) -> None:
    """Nothing: all random numbers are the CPU generator's, which `torch.manual_seed` seeds."""


def manual_seed_all(seed: int) -> None:
    """Nothing: see `manual_seed`."""


def synchronize(device: Any = None) -> None:
    """Wait for all computations."""
    if is_available():
        (jax.device_put(0.0) + 0).block_until_ready()


def empty_cache() -> None:
    """Nothing: XLA manages memory."""


def initial_seed() -> int:
    """The seed of the one generator there is."""
    return random.initial_seed()
