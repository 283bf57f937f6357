"""Anomaly mode: where in the forward the failing backward came from, and who made the first NaN."""

from __future__ import annotations

import warnings

from ..modes import anomaly


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode, for all threads.

    >>> import stateful as torch
    >>> torch.set_anomaly_enabled(True)
    >>> torch.is_anomaly_enabled()
    True
    >>> torch.set_anomaly_enabled(False)
    """
    if not isinstance(mode, bool) or not isinstance(check_nan, bool):
        raise TypeError(f"anomaly mode is True or False, but got {mode!r}, check_nan={check_nan!r}")
    anomaly.enabled, anomaly.check_nan = mode, check_nan


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on.

    >>> import stateful as torch
    >>> torch.is_anomaly_enabled()
    False
    """
    return anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, when on, looks for NaN in gradients.

    >>> import stateful as torch
    >>> torch.is_anomaly_check_nan_enabled()
    True
    """
    return anomaly.check_nan


class set_detect_anomaly:
    """Switch anomaly mode on or off, as a function call or as a context manager.

    >>> import stateful as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        self._previous = (anomaly.enabled, anomaly.check_nan)
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc) -> None:
        set_anomaly_enabled(*self._previous)


class detect_anomaly:
    """Context manager: failing backward calls name the forward call; NaN gradients are errors.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly():
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, check_nan: bool = True):
        self._previous = (anomaly.enabled, anomaly.check_nan)
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        set_anomaly_enabled(True, self.check_nan)

    def __exit__(self, *exc) -> None:
        set_anomaly_enabled(*self._previous)
