"""`nn.utils`: clipping, and parameters as one vector. This is the map."""

from . import stateless as stateless
from .clip import clip_grad_norm as clip_grad_norm
from .clip import clip_grad_norm_ as clip_grad_norm_
from .clip import clip_grad_value_ as clip_grad_value_
from .clip import clip_grads_with_norm_ as clip_grads_with_norm_
from .clip import get_total_norm as get_total_norm
from .convert_parameters import parameters_to_vector as parameters_to_vector
from .convert_parameters import vector_to_parameters as vector_to_parameters
