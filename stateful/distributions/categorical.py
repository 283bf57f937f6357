"""`Categorical` where PyTorch has it."""

from .discrete import Categorical as Categorical
