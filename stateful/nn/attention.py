"""`torch.nn.attention`: by which computation `scaled_dot_product_attention` is done."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from funcgrad import types


class SDPBackend(enum.IntEnum):
    """The computations of PyTorch; on the CPU there are the first two.

    >>> import stateful as torch
    >>> torch.nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_allowed: ContextVar[tuple[SDPBackend, ...]] = ContextVar("allowed", default=tuple(SDPBackend))


@contextlib.contextmanager
def sdpa_kernel(
    backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """Inside, attention is computed in one of these ways. ``MATH`` has derivatives of any order.

    >>> import stateful as torch
    >>> x = torch.ones(1, 1, 2, 2, requires_grad=True)
    >>> attend = torch.nn.functional.scaled_dot_product_attention
    >>> with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
    ...     attend(x, x, x).grad_fn.name()
    'UnsafeViewBackward0'
    >>> attend(x, x, x).grad_fn.name()
    'ScaledDotProductFlashAttentionForCpuBackward0'
    """
    chosen = (backends,) if isinstance(backends, SDPBackend) else tuple(backends)
    if not chosen:
        raise AssertionError("sdpa_kernel expects at least one backend, but got none")
    token = _allowed.set(chosen)
    try:
        yield
    finally:
        _allowed.reset(token)


def is_fused(query: Any, key: Any, value: Any, mask: Any, dropout: float, grouped: bool) -> bool:
    """Whether PyTorch computes attention by its kernel for the CPU, which is one op."""
    inputs = query, key, value
    if SDPBackend.FLASH_ATTENTION not in _allowed.get() or dropout > 0:
        return False
    if any(x.ndim != 4 or 0 in x.shape or x.stride(-1) != 1 for x in inputs):
        return False
    if not types.is_floating(query._aval.dtype) or len({x.shape[-1] for x in inputs}) > 1:
        return False
    heads = 1 if grouped else 2
    if len({tuple(x.shape[:heads]) for x in inputs}) > 1 or key.shape[1] != value.shape[1]:
        return False
    return query.shape[1] % key.shape[1] == 0 and (mask is None or _fits(mask, query, key))


def _fits(mask: Any, query: Any, key: Any) -> bool:
    whole = (*query.shape[:-1], key.shape[-2])
    if mask.requires_grad or mask.ndim not in (2, 4):
        return False
    return all(n in (1, m) for n, m in zip(mask.shape, whole[-mask.ndim :], strict=True))
