"""`optim`: PyTorch's optimizers. This is the map."""

from . import lr_scheduler as lr_scheduler
from .optimizer import Optimizer as Optimizer
from .rules import SGD as SGD
from .rules import Adam as Adam
from .rules import AdamW as AdamW
