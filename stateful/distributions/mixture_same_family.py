"""`MixtureSameFamily` where PyTorch has it."""

from .combined import MixtureSameFamily as MixtureSameFamily
