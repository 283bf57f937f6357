"""What can be asked of values: nothing while a program is traced."""

from __future__ import annotations


def holds(condition) -> bool:
    """Whether a zero-dim ``condition`` is known to hold; False where values are not at hand."""
    try:
        return bool(condition)
    except (RuntimeError, TypeError):  # tracers and batched tensors have no truth
        return False
