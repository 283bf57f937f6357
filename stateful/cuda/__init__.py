"""`torch.cuda`: JAX's GPUs under PyTorch's questions."""

from __future__ import annotations

from typing import Any

import jax

from .. import random
from ..devices import device as Device


def _gpus() -> list[Any]:
    try:
        return jax.local_devices(backend="gpu")
    except RuntimeError:
        return []


def is_available() -> bool:
    """Whether JAX sees a GPU.

    >>> import stateful as torch
    >>> torch.cuda.is_available() == (torch.cuda.device_count() > 0)
    True
    """
    return bool(_gpus())


def device_count() -> int:
    """How many GPUs JAX sees.

    >>> import stateful as torch
    >>> torch.cuda.device_count() >= 0
    True
    """
    return len(_gpus())


def current_device() -> int:
    """The first GPU.

    >>> import stateful as torch
    >>> torch.cuda.current_device() if torch.cuda.is_available() else "no GPU here"
    'no GPU here'
    """
    _needed()
    return 0


def get_device_name(device: Any = None) -> str:
    """What the hardware is called.

    >>> import stateful as torch
    >>> name = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU here"
    """
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
    """Whether a GPU is in use.

    >>> import stateful as torch
    >>> torch.cuda.is_initialized() == torch.cuda.is_available()
    True
    """
    return is_available()


def manual_seed(seed: int) -> None:
    """Nothing: all random numbers are the CPU generator's, which `torch.manual_seed` seeds.

    >>> import stateful as torch
    >>> torch.cuda.manual_seed(0)
    """


def manual_seed_all(seed: int) -> None:
    """Nothing: see `manual_seed`.

    >>> import stateful as torch
    >>> torch.cuda.manual_seed_all(0)
    """


def synchronize(device: Any = None) -> None:
    """Wait for all computations.

    >>> import stateful as torch
    >>> if torch.cuda.is_available():
    ...     torch.cuda.synchronize()
    """
    if is_available():
        (jax.device_put(0.0) + 0).block_until_ready()


def empty_cache() -> None:
    """Nothing: XLA manages memory.

    >>> import stateful as torch
    >>> torch.cuda.empty_cache()
    """


def initial_seed() -> int:
    """The seed of the one generator there is.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(5)
    >>> torch.cuda.initial_seed()
    5
    """
    return random.initial_seed()
