"""The modules of `nn`. This is the map."""

from .activation import ACTIVATIONS as _ACTIVATIONS
from .activation import PReLU as PReLU
from .container import ModuleDict as ModuleDict
from .container import ModuleList as ModuleList
from .container import ParameterDict as ParameterDict
from .container import ParameterList as ParameterList
from .container import Sequential as Sequential
from .linear import Bilinear as Bilinear
from .linear import Identity as Identity
from .linear import Linear as Linear
from .loss import LOSSES as _LOSSES
from .module import Module as Module

globals().update(_ACTIVATIONS)
globals().update(_LOSSES)
