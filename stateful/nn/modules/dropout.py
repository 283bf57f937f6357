"""The dropout family: one table."""

from __future__ import annotations

from typing import Any

from .from_functions import FunctionModule, make

_FUNCTIONS = {
    "Dropout": "dropout", "Dropout1d": "dropout1d", "Dropout2d": "dropout2d",
    "Dropout3d": "dropout3d", "AlphaDropout": "alpha_dropout",
    "FeatureAlphaDropout": "feature_alpha_dropout",
}  # fmt: skip


class _Dropout(FunctionModule):
    """Active in training only."""

    p: Any

    def _check(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {self.p}")

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "training": self.training}


class _AlphaDropout(_Dropout):
    """As in PyTorch never in place, whatever ``inplace`` says."""

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "inplace": False}


DROPOUTS = {
    name: make(name, function, {"p": 0.5, "inplace": False}, __name__,
               base=_AlphaDropout if "Alpha" in name else _Dropout)
    for name, function in _FUNCTIONS.items()
}  # fmt: skip
globals().update(DROPOUTS)
