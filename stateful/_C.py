"""Names that PyTorch's programs take from ``torch._C``."""

from .torch_function import DisableTorchFunction as DisableTorchFunction
from .torch_function import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from .torch_function import disabled_torch_function as _disabled_torch_function_impl

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "_disabled_torch_function_impl"]
