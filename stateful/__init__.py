"""PyTorch's stateful face on JAX: ``import stateful as torch`` runs PyTorch code. The map."""

import math as _math
import sys as _sys

from . import _C as _C
from . import _VF as _VF
from . import _tensor as _tensor
from . import _vmap_internals as _vmap_internals
from . import aliases as _aliases
from . import allocation as _allocation
from . import amp as amp
from . import assertions as _assertions
from . import aten_layers as _aten_layers
from . import aten_losses as _aten_losses
from . import attributes as _attributes
from . import autograd as autograd
from . import backends as backends
from . import bounds as _bounds
from . import captures as _captures
from . import compiler as compiler
from . import conversion as _conversion
from . import copies as _copies
from . import creation as _creation
from . import cuda as cuda
from . import distributions as distributions
from . import fft as fft
from . import foreach as _foreach
from . import func as func
from . import functional as functional
from . import incidental as _incidental
from . import indexing as _indexing
from . import inplace_views as _inplace_views
from . import input_strides as _input_strides
from . import jit as jit
from . import library as library
from . import linalg as linalg
from . import low_rank as _low_rank
from . import methods as _methods
from . import nn as nn
from . import not_implemented as _not_implemented
from . import older as _older
from . import optim as optim
from . import overrides as overrides
from . import profiler as profiler
from . import removed as _removed
from . import sampling as _sampling
from . import shapes as _shapes
from . import slice_by_slice as _slice_by_slice
from . import special as special
from . import standing_in as _standing_in
from . import storage as storage
from . import storages as _storages
from . import striding as _striding
from . import symbolic as _symbolic
from . import testing as testing
from . import types as types
from . import unbatchable as _unbatchable
from . import underivable as _underivable
from . import utils as utils
from . import version as version
from . import view_copies as _view_copies
from . import wrappers as _wrappers
from . import zero_gradient as _zero_gradient
from .absent import accelerator as accelerator
from .absent import cpu as cpu
from .absent import distributed as distributed
from .absent import mps as mps
from .absent import mtia as mtia
from .absent import xpu as xpu
from .amp import GradScaler as GradScaler
from .amp import autocast as autocast
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from .autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from .autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from .cache import cache_programs as cache_programs
from .creation import as_tensor as as_tensor
from .creation import from_numpy as from_numpy
from .creation import tensor as tensor
from .cuda import amp as _cuda_amp
from .devices import device as device
from .dtypes import *  # noqa: F403
from .examples import attach as _attach_examples
from .func import vmap as vmap
from .gradient import gradient as gradient
from .lazy import set_execution as set_execution
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import is_grad_enabled as is_grad_enabled
from .modes import is_inference_mode_enabled as is_inference_mode_enabled
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .once import is_warn_always_enabled as is_warn_always_enabled
from .once import set_warn_always as set_warn_always
from .operators import ops as ops
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
from .serialization import load as load
from .serialization import save as save
from .settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from .settings import get_default_device as get_default_device
from .settings import get_deterministic_debug_mode as get_deterministic_debug_mode
from .settings import get_float32_matmul_precision as get_float32_matmul_precision
from .settings import get_num_interop_threads as get_num_interop_threads
from .settings import get_num_threads as get_num_threads
from .settings import is_complex as is_complex
from .settings import (
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
)
from .settings import is_floating_point as is_floating_point
from .settings import is_inference as is_inference
from .settings import is_nonzero as is_nonzero
from .settings import is_signed as is_signed
from .settings import is_storage as is_storage
from .settings import is_tensor as is_tensor
from .settings import numel as numel
from .settings import set_default_dtype as set_default_dtype
from .settings import set_default_tensor_type as set_default_tensor_type
from .settings import set_deterministic_debug_mode as set_deterministic_debug_mode
from .settings import set_float32_matmul_precision as set_float32_matmul_precision
from .settings import set_num_interop_threads as set_num_interop_threads
from .settings import set_num_threads as set_num_threads
from .settings import typename as typename
from .settings import use_deterministic_algorithms as use_deterministic_algorithms
from .storages import TypedStorage as TypedStorage
from .storages import UntypedStorage as UntypedStorage
from .tensor import Tensor as Tensor

__version__ = "2.13.0+jax"
globals().update(_aliases.ALIASES)
globals().update(amp.AUTOCAST)
globals().update(_methods.FUNCTIONS["torch"])
globals().update(_creation.FACTORIES)
globals().update(_creation.LEGACY_TYPES)
globals().update(_sampling.SAMPLERS)
globals().update(_older.OLDER)
globals().update(_shapes.SHAPES)
globals().update(_allocation.ALLOCATIONS)
globals().update(_assertions.ASSERTIONS)
globals().update(_aten_layers.LAYERS)
globals().update(_aten_losses.LOSSES)
globals().update(_foreach.FOREACH)
globals().update(_low_rank.LOW_RANK)
globals().update(_removed.REMOVED)
globals().update(_incidental.INCIDENTAL)
globals().update(_symbolic.SYMBOLIC)
pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None
_attach_examples(_sys.modules[__name__])
_standing_in.install()


def __getattr__(name: str):
    raise AttributeError(f"stateful has no torch.{name} yet", name=name)
