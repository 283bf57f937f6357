"""`torch.func`: transforms of functions on Tensors. This is the map."""

from .batch import vmap as vmap
from .gradient import grad as grad
from .gradient import grad_and_value as grad_and_value
from .gradient import jacrev as jacrev
from .gradient import vjp as vjp
from .modules import debug_unwrap as debug_unwrap
from .modules import functional_call as functional_call
from .modules import functionalize as functionalize
from .modules import (
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
)
from .modules import stack_module_state as stack_module_state
from .products import hessian as hessian
from .products import jacfwd as jacfwd
from .products import jvp as jvp
from .products import linearize as linearize
