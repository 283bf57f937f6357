"""Parts of PyTorch that there are none of here: other accelerators, `torch.distributed`."""

from __future__ import annotations

from types import SimpleNamespace


def _absent() -> SimpleNamespace:
    return SimpleNamespace(
        is_available=lambda: False,
        device_count=lambda: 0,
        synchronize=lambda device=None: None,
        manual_seed=lambda seed: None,
        manual_seed_all=lambda seed: None,
        empty_cache=lambda: None,
    )


accelerator, mps, mtia, xpu, distributed = (_absent() for _ in range(5))
distributed.is_initialized = lambda: False
cpu = SimpleNamespace(
    is_available=lambda: True,
    device_count=lambda: 1,
    synchronize=lambda device=None: None,
    current_device=lambda: "cpu",
)
