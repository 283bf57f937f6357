"""PyTorch's stateful face on JAX: ``import stateful as torch`` runs PyTorch code. This is the map."""

import math as _math



from . import autograd as autograd
from . import conversion as _conversion
from . import copies as _copies
from . import creation as _creation
from . import indexing as _indexing
from . import inplace_views as _inplace_views
from . import methods as _methods
from . import sampling as _sampling
from . import nn as nn
from . import optim as optim
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from .autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from .autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from .creation import as_tensor as as_tensor
from .creation import from_numpy as from_numpy
from .creation import tensor as tensor
from .devices import device as device
from .dtypes import *  # noqa: F403
from .cache import cache_programs as cache_programs
from .lazy import set_execution as set_execution
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import is_inference_mode_enabled as is_inference_mode_enabled
from .modes import is_grad_enabled as is_grad_enabled
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .printing import set_printoptions as set_printoptions
from .purify import compile as compile
from .purify import purify as purify
from .purify import scan as scan
from .random import Generator as Generator
from .random import default_generator as default_generator
from .random import fork_rng as fork_rng
from .random import get_rng_state as get_rng_state
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import seed as seed
from .random import set_rng_state as set_rng_state
from .tensor import Tensor as Tensor

__version__ = "2.13.0+jax"
globals().update(_methods.FUNCTIONS["torch"])
globals().update(_creation.FACTORIES)
globals().update(_creation.LEGACY_TYPES)
globals().update(_sampling.SAMPLERS)
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
