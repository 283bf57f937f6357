"""Modes of the thread, set without a context manager."""

from __future__ import annotations

from .. import modes
from ..autograd import forward_ad
from ..modes import inference_mode


def _set_grad_enabled(enabled: bool) -> None:
    modes.set_grad_enabled(enabled)


def _set_multithreading_enabled(enabled: bool) -> None:
    modes.state.multithreading = enabled


def _set_view_replay_enabled(enabled: bool) -> None:
    modes.state.view_replay = enabled


def _set_fwd_grad_enabled(enabled: bool) -> None:
    forward_ad._set_fwd_grad_enabled(enabled)


class _InferenceMode(inference_mode):
    """`inference_mode` that is on from when it is made until it is gone."""

    def __init__(self, mode: bool = True):
        super().__init__(mode)
        super().__enter__()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self._previous is not None:
            super().__exit__(*exc)
            self._previous = None

    __del__ = __exit__
