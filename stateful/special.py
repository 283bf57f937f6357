"""`torch.special`: derived from the declarations."""

from .methods import FUNCTIONS as _FUNCTIONS

globals().update(_FUNCTIONS.get("special", {}))
