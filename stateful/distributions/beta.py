"""`Beta` where PyTorch has it."""

from .continuous import Beta as Beta
