"""`torch.fft`: derived from the declarations."""

from .creation import factory as _factory
from .methods import FUNCTIONS as _FUNCTIONS

globals().update(_FUNCTIONS["fft"])
for _name in ("fftfreq", "rfftfreq"):
    globals()[_name] = _factory(_FUNCTIONS["fft"][_name])
