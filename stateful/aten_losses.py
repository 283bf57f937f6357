"""Losses of `torch` with ATen's arguments: ``reduction`` is 0 none, 1 mean or 2 sum.

ATen's default is the mean; that of the functions in `torch` is none, as they read the name of the
default as 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from .nn import functional as F
from .tensor import Tensor

_REDUCTIONS = defaultdict(lambda: "none", {1: "mean", 2: "sum"})
"""Every number but 1 and 2 means none, as in PyTorch."""


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.cosine_embedding_loss`.

    >>> import stateful as torch
    >>> x = torch.eye(2)
    >>> torch.cosine_embedding_loss(x, x, torch.ones(2), 0.0, 2)
    tensor(0.)
    """
    name = _REDUCTIONS[reduction]
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=name)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any,
    blank: int = 0, reduction: int = 0, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """`nn.functional.ctc_loss`.

    >>> import stateful as torch
    >>> x = torch.zeros(2, 1, 2).log_softmax(2)
    >>> torch.ctc_loss(x, torch.tensor([[1]]), (2,), (1,), 0, 2)
    tensor(0.2877)
    """
    name = _REDUCTIONS[reduction]
    lengths = input_lengths, target_lengths
    return F.ctc_loss(log_probs, targets, *lengths, blank, name, zero_infinity)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.hinge_embedding_loss`.

    >>> import stateful as torch
    >>> torch.hinge_embedding_loss(torch.tensor([0.5, 0.5]), torch.tensor([1.0, -1.0]), 1.0, 0)
    tensor([0.5000, 0.5000])
    """
    return F.hinge_embedding_loss(input, target, margin, reduction=_REDUCTIONS[reduction])


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """`nn.functional.kl_div`.

    >>> import stateful as torch
    >>> torch.kl_div(torch.zeros(1), torch.ones(1), 2)
    tensor(0.)
    """
    return F.kl_div(input, target, reduction=_REDUCTIONS[reduction], log_target=log_target)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.margin_ranking_loss`.

    >>> import stateful as torch
    >>> torch.margin_ranking_loss(torch.ones(1), torch.zeros(1), -torch.ones(1), 0.5)
    tensor([1.5000])
    """
    name = _REDUCTIONS[reduction]
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=name)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """`nn.functional.poisson_nll_loss`.

    >>> import stateful as torch
    >>> torch.poisson_nll_loss(torch.zeros(2), torch.ones(2), True, False, 1e-8, 2)
    tensor(2.)
    """
    name = _REDUCTIONS[reduction]
    return F.poisson_nll_loss(
        input, target, log_input=log_input, full=full, eps=eps, reduction=name
    )


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """`nn.functional.triplet_margin_loss`.

    >>> import stateful as torch
    >>> x = torch.zeros(1, 2)
    >>> torch.triplet_margin_loss(x, x, x)
    tensor([1.])
    """
    name = _REDUCTIONS[reduction]
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=name)


LOSSES: dict[str, Callable] = {
    function.__name__: function
    for function in (
        cosine_embedding_loss, ctc_loss, hinge_embedding_loss, kl_div, margin_ranking_loss,
        poisson_nll_loss, triplet_margin_loss,
    )
}  # fmt: skip
