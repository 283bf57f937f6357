"""`torch.overrides`: the public names of ``__torch_function__``."""

from .overriding import TorchFunctionMode as TorchFunctionMode
from .torch_function import get_default_nowrap_functions as get_default_nowrap_functions
from .torch_function import handle_torch_function as handle_torch_function
from .torch_function import has_torch_function as has_torch_function
from .torch_function import has_torch_function_unary as has_torch_function_unary
from .torch_function import has_torch_function_variadic as has_torch_function_variadic
from .torch_function import is_tensor_like as is_tensor_like
from .torch_function import wrap_torch_function as wrap_torch_function
