"""The functions that the distributions are written in, and what they all do to their arguments."""

from __future__ import annotations

import math
from typing import Any

from ..creation import FACTORIES, as_tensor
from ..dtypes import finfo as finfo
from ..dtypes import get_default_dtype
from ..execute import Tracer
from ..methods import FUNCTIONS
from ..nn import functional as F
from ..sampling import SAMPLERS
from ..sizes import Size as Size
from ..tensor import Tensor as Tensor

_torch, _linalg = FUNCTIONS["torch"], FUNCTIONS["linalg"]
broadcast_tensors, cat, diag_embed = (_torch[n] for n in ("broadcast_tensors", "cat", "diag_embed"))
logsumexp, matmul, polygamma = (_torch[n] for n in ("logsumexp", "matmul", "polygamma"))
igamma, stack, where, xlogy = (_torch[n] for n in ("igamma", "stack", "where", "xlogy"))
eye, full_like, ones, zeros, zeros_like = (
    FACTORIES[n] for n in ("eye", "full_like", "ones", "zeros", "zeros_like")
)
rand: Any = SAMPLERS["rand"]
randn: Any = SAMPLERS["randn"]
cholesky, solve_triangular = _linalg["cholesky"], _linalg["solve_triangular"]
softplus, one_hot = F.softplus, F.one_hot
binary_cross_entropy_with_logits: Any = F.binary_cross_entropy_with_logits

EULER = 0.57721566490153286060
HALF_LOG_2PI = math.log(math.sqrt(2 * math.pi))


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype of the first tensor.

    Raises ValueError for anything else.

    >>> import stateful as torch
    >>> from stateful.distributions.normal import broadcast_all
    >>> broadcast_all(1.0, torch.zeros(2))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    for value in values:
        if not isinstance(value, Tensor | int | float):
            raise ValueError(
                "Input arguments must all be instances of Number, torch.Tensor or objects "
                f"implementing __torch_function__; got {type(value).__name__}"
            )
    given = [v for v in values if isinstance(v, Tensor)]
    dtype = given[0].dtype if given else get_default_dtype()
    made = [v if isinstance(v, Tensor) else as_tensor(v, dtype=dtype) for v in values]
    return tuple(broadcast_tensors(*made))


def is_traced(tensor: Any) -> bool:
    """Whether the values are not there yet, because a function is being traced."""
    return isinstance(tensor._read().array, Tracer)


def clamp_probs(probs: Any) -> Any:
    """Probabilities a little away from 0 and 1, so that their logarithms are finite."""
    eps = getattr(finfo(probs.dtype), "eps")  # noqa: B009
    return probs.clamp(min=eps, max=1 - eps)


def standard_normal(shape: Any, like: Any) -> Any:
    """Standard normal numbers in the dtype of ``like``."""
    return randn(shape, dtype=like.dtype, device=like.device)


def sum_rightmost(value: Any, count: int) -> Any:
    """The sum over the last ``count`` dimensions."""
    return value if not count else value.reshape((*value.shape[: value.dim() - count], -1)).sum(-1)
