"""`LogNormal` where PyTorch has it."""

from .combined import LogNormal as LogNormal
