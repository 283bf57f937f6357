"""`Independent` where PyTorch has it."""

from .combined import Independent as Independent
