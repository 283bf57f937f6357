"""Names that PyTorch's programs take from ``torch._C``. This is the map."""

from ..autograd.fallback import get_mode as _get_autograd_fallback_mode
from ..autograd.fallback import set_mode as _set_autograd_fallback_mode
from ..autograd.forward_ad import _is_fwd_grad_enabled as _is_fwd_grad_enabled
from ..autograd.forward_ad import enter_dual_level as _enter_dual_level
from ..autograd.forward_ad import exit_dual_level as _exit_dual_level
from ..autograd.function import BackwardCFunction
from ..autograd.grad_mode import is_multithreading_enabled as _is_multithreading_enabled
from ..autograd.grad_mode import is_view_replay_enabled as _is_view_replay_enabled
from ..autograd.graph import increment_version as _increment_version
from ..devices import device as device
from ..dtypes import dtype as dtype
from ..dtypes import layout as layout
from ..dtypes import memory_format as memory_format
from ..once import is_warn_always_enabled as _get_warnAlways
from ..once import set_warn_always as _set_warnAlways
from ..own_ops import AutoDispatchBelowAutograd as _AutoDispatchBelowAutograd
from ..random import Generator as Generator
from ..random import default_generator as default_generator
from ..sizes import Size as Size
from ..tensor import Tensor as TensorBase
from ..torch_dispatch import DisableTorchDispatch as _DisableTorchDispatch
from ..torch_dispatch import disabled_torch_dispatch as _disabled_torch_dispatch_impl
from ..torch_function import DisableTorchFunction as DisableTorchFunction
from ..torch_function import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from ..torch_function import disabled_torch_function as _disabled_torch_function_impl
from . import _autograd as _autograd
from . import _functions as _functions
from . import _functorch as _functorch
from .questions import _get_tracing_state as _get_tracing_state
from .questions import _has_storage as _has_storage
from .questions import _is_alias_of as _is_alias_of
from .questions import _is_any_autocast_enabled as _is_any_autocast_enabled
from .questions import _is_torch_function_enabled as _is_torch_function_enabled
from .questions import _len_torch_function_stack as _len_torch_function_stack
from .running import _current_autograd_node as _current_autograd_node
from .running import (
    _current_graph_task_execution_order as _current_graph_task_execution_order,
)
from .running import _current_graph_task_id as _current_graph_task_id
from .running import _will_engine_execute_node as _will_engine_execute_node
from .switches import _InferenceMode as _InferenceMode
from .switches import _set_fwd_grad_enabled as _set_fwd_grad_enabled
from .switches import _set_grad_enabled as _set_grad_enabled
from .switches import _set_multithreading_enabled as _set_multithreading_enabled
from .switches import _set_view_replay_enabled as _set_view_replay_enabled

_TensorBase = TensorBase
_FunctionBase = BackwardCFunction
has_lapack = has_mkl = True
has_cuda = has_mps = False
"""What PyTorch's build for CPU says of itself: programs skip parts of themselves by it."""
