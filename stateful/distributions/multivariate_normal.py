"""`MultivariateNormal` where PyTorch has it."""

from .normal import MultivariateNormal as MultivariateNormal
