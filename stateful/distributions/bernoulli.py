"""`Bernoulli` where PyTorch has it."""

from .discrete import Bernoulli as Bernoulli
