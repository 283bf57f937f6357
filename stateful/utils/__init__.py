"""`torch.utils`: data loading, checkpointing. This is the map."""

from . import checkpoint as checkpoint
from . import data as data
from . import hooks as hooks
