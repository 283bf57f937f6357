"""`Uniform` where PyTorch has it."""

from .continuous import Uniform as Uniform
