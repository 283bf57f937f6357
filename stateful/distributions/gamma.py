"""`Gamma` where PyTorch has it."""

from .continuous import Gamma as Gamma
