"""`torch.utils`: data loading, checkpointing. This is the map."""

from . import _mode_utils as _mode_utils
from . import _python_dispatch as _python_dispatch
from . import _pytree as _pytree
from . import checkpoint as checkpoint
from . import data as data
from . import hooks as hooks
from .swapping import swap_tensors as swap_tensors
