"""`torch.utils._mode_utils`."""

from __future__ import annotations

from ..torch_dispatch import DisableTorchDispatch


def no_dispatch() -> DisableTorchDispatch:
    """A context in which ops ignore ``__torch_dispatch__`` and modes.

    >>> import stateful as torch
    >>> from stateful.utils._mode_utils import no_dispatch
    >>> with no_dispatch():
    ...     torch.ones(2) + 1
    tensor([2., 2.])
    """
    return DisableTorchDispatch()
