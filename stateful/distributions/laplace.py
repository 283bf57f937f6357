"""`Laplace` where PyTorch has it."""

from .continuous import Laplace as Laplace
