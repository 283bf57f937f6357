"""`Dirichlet` where PyTorch has it."""

from .continuous import Dirichlet as Dirichlet
