"""`OneHotCategorical` where PyTorch has it."""

from .discrete import OneHotCategorical as OneHotCategorical
