"""`Exponential` where PyTorch has it."""

from .continuous import Exponential as Exponential
