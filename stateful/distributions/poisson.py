"""`Poisson` where PyTorch has it."""

from .discrete import Poisson as Poisson
