"""The context managers and the seed of `torch.testing._internal.common_utils`."""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Iterator

import numpy as np

from ... import dtypes, settings
from ...once import is_warn_always_enabled, set_warn_always
from ...random import fork_rng, manual_seed

SEED = 1234


def set_rng_seed(seed: int | None = None) -> None:
    """Seed PyTorch, Python and NumPy, by default with `SEED`."""
    seed = SEED if seed is None else seed
    manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


def freeze_rng_state() -> contextlib.AbstractContextManager:
    """What is drawn inside is drawn again after it."""
    return fork_rng()


@contextlib.contextmanager
def set_default_dtype(dtype: dtypes.dtype) -> Iterator[None]:
    """Tensors of Python floats are of this dtype inside."""
    before = dtypes.get_default_dtype()
    settings.set_default_dtype(dtype)
    try:
        yield
    finally:
        settings.set_default_dtype(before)


@contextlib.contextmanager
def set_warn_always_context(new_val: bool) -> Iterator[None]:
    """Whether warnings that are given once in a process are given each time, inside."""
    before = is_warn_always_enabled()
    set_warn_always(new_val)
    try:
        yield
    finally:
        set_warn_always(before)


@contextlib.contextmanager
def disable_gc() -> Iterator[None]:
    """No cycle is collected inside."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class DeterministicGuard:
    """`torch.use_deterministic_algorithms` inside."""

    def __init__(
        self,
        deterministic: bool,
        *,
        warn_only: bool = False,
        fill_uninitialized_memory: bool = True,
    ):
        self.wanted = (deterministic, warn_only)

    def __enter__(self) -> None:
        self.before = (
            settings.are_deterministic_algorithms_enabled(),
            settings.is_deterministic_algorithms_warn_only_enabled(),
        )
        self._use(*self.wanted)

    def __exit__(self, *exc: object) -> None:
        self._use(*self.before)

    @staticmethod
    def _use(mode: bool, warn_only: bool) -> None:
        settings.use_deterministic_algorithms(mode, warn_only=warn_only)
