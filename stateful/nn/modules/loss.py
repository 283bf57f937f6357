"""Losses as modules: one table."""

from __future__ import annotations

from typing import Any

from funcgrad.ops.reduction import legacy_reduction

from ...tensor import Tensor
from .. import functional as F
from .module import Module

# name: (function, options with defaults, whether it takes `weight`)
_TABLE: dict[str, tuple[str, dict[str, Any], bool]] = {
    "MSELoss": ("mse_loss", {}, False),
    "L1Loss": ("l1_loss", {}, False),
    "SmoothL1Loss": ("smooth_l1_loss", {"beta": 1.0}, False),
    "HuberLoss": ("huber_loss", {"delta": 1.0}, False),
    "BCELoss": ("binary_cross_entropy", {}, True),
    "BCEWithLogitsLoss": ("binary_cross_entropy_with_logits", {"pos_weight": None}, True),
    "CrossEntropyLoss": (
        "cross_entropy", {"ignore_index": -100, "label_smoothing": 0.0}, True),
    "NLLLoss": ("nll_loss", {"ignore_index": -100}, True),
    "KLDivLoss": ("kl_div", {"log_target": False}, False),
    "PoissonNLLLoss": ("poisson_nll_loss", {"log_input": True, "full": False, "eps": 1e-8}, False),
    "GaussianNLLLoss": ("gaussian_nll_loss", {"full": False, "eps": 1e-6}, False),
    "SoftMarginLoss": ("soft_margin_loss", {}, False),
    "HingeEmbeddingLoss": ("hinge_embedding_loss", {"margin": 1.0}, False),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", {"margin": 0.0}, False),
    "MarginRankingLoss": ("margin_ranking_loss", {"margin": 0.0}, False),
    "MultiLabelMarginLoss": ("multilabel_margin_loss", {}, False),
    "MultiLabelSoftMarginLoss": ("multilabel_soft_margin_loss", {}, True),
    "MultiMarginLoss": ("multi_margin_loss", {"p": 1, "margin": 1.0}, True),
    "TripletMarginLoss": (
        "triplet_margin_loss", {"margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": False}, False),
    "CTCLoss": ("ctc_loss", {"blank": 0, "zero_infinity": False}, False),
}  # fmt: skip
_POSITIONAL = {
    "CrossEntropyLoss": ["weight", "size_average", "ignore_index", "reduce", "reduction",
                         "label_smoothing"],
    "NLLLoss": ["weight", "size_average", "ignore_index", "reduce", "reduction"],
    "BCEWithLogitsLoss": ["weight", "size_average", "reduce", "reduction", "pos_weight"],
    "BCELoss": ["weight", "size_average", "reduce", "reduction"],
    "HuberLoss": ["reduction", "delta"],
    "CTCLoss": ["blank", "reduction", "zero_infinity"],
}  # fmt: skip
_DEFAULT_POSITIONAL = ["size_average", "reduce", "reduction"]
_LEADING_OPTIONS = {"margin", "p", "eps", "swap", "log_input", "full"}


class _Loss(Module):
    """A loss with fixed options."""

    _function: str
    _options: dict[str, Any]
    _takes_weight: bool
    _positional: list[str]
    reduction: str

    def __init__(self, *args, **kwargs):
        super().__init__()
        given = dict(zip(self._positional, args, strict=False)) | kwargs
        average, reduce = given.pop("size_average", None), given.pop("reduce", None)
        self.reduction = legacy_reduction(average, reduce, given.pop("reduction", "mean"))
        if self._takes_weight:
            self.register_buffer("weight", given.pop("weight", None))
        for name, default in self._options.items():
            value = given.pop(name, default)
            if isinstance(value, Tensor) or name == "pos_weight":
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        if self._function == "triplet_margin_loss" and self.margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {self.margin} "
                "instead"
            )
        if given:
            raise TypeError(
                f"{type(self).__name__}.__init__() got unexpected arguments {sorted(given)}"
            )

    def forward(self, *inputs):
        options = {}
        for name in self._options:
            options[name] = getattr(self, name)
        if self._takes_weight:
            options["weight"] = self.weight
        return getattr(F, self._function)(*inputs, reduction=self.reduction, **options)


def _make(name: str) -> type[_Loss]:
    function, options, takes_weight = _TABLE[name]
    leading = [o for o in options if o in _LEADING_OPTIONS]
    positional = _POSITIONAL.get(name, [*leading, *_DEFAULT_POSITIONAL])
    fields = {"_function": function, "_options": options, "_takes_weight": takes_weight,
              "_positional": positional, "__doc__": f"`nn.functional.{function}` as a module.",
              "__module__": __name__}  # fmt: skip
    return type(name, (_Loss,), fields)


LOSSES = {name: _make(name) for name in _TABLE}
globals().update(LOSSES)


class TripletMarginWithDistanceLoss(Module):
    """`nn.functional.triplet_margin_with_distance_loss` as a module.

    >>> import stateful as torch
    >>> loss = torch.nn.TripletMarginWithDistanceLoss(distance_function=torch.dist, margin=2.0)
    >>> loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
    tensor(1.)
    """

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__()
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{margin} instead"
            )
        self.reduction, self.margin, self.swap = reduction, margin, swap
        self.distance_function = distance_function or F.pairwise_distance

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip
