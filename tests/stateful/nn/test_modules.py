"""Every module over PyTorch's own module database: initial values, outputs, gradients, state, repr."""

import pytest
import torch

import stateful
from tests.stateful.nn import module_twins

# What is not there yet, by reason.
MISSING = {
    "FractionalMaxPool2d": "no op", "FractionalMaxPool3d": "no op", "Bilinear": "no op",
    "CTCLoss": "no op", "LinearCrossEntropyLoss": "no op",
    **{f"Lazy{kind}{rank}d": "lazy modules" for kind in ("Conv", "ConvTranspose")
       for rank in (1, 2, 3)},
}  # fmt: skip
