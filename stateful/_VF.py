"""`torch._VF`: the functions of ATen under their own names. This is the map."""

from .aten_layers import LAYERS as _LAYERS
from .methods import FUNCTIONS as _FUNCTIONS

globals().update({**_FUNCTIONS["torch"], **_LAYERS})
