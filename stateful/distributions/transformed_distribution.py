"""`TransformedDistribution` where PyTorch has it."""

from .combined import TransformedDistribution as TransformedDistribution
