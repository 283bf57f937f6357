"""Functions of `torch` about shapes, dtypes and memory, and tensors from other libraries."""

from __future__ import annotations

import math
import warnings
from typing import Any

import jax
import numpy as np

from funcgrad import random as pure
from funcgrad import types
from funcgrad.broadcast import broadcast_shape

from . import dtypes, modes
from .conjugates import BITS, view_as_real
from .creation import FACTORIES, as_tensor, new_tensor
from .dispatch import wrap
from .drawing import draw_from
from .execute import Value
from .forward import push_zeros
from .sizes import Size
from .tensor import Tensor


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that these shapes broadcast to.

    >>> import stateful as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    given = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    return Size(broadcast_shape(*given)) if given else Size(())


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of ``tensor1 + tensor2``; either may be a number.

    >>> import stateful as torch
    >>> torch.result_type(torch.ones(1, dtype=torch.int32), 1.0)
    torch.float32
    """
    with jax.enable_x64(True):
        operands = [
            jax.ShapeDtypeStruct(x.shape, x.dtype.numpy) if isinstance(x, Tensor) else x
            for x in (tensor1, tensor2)
        ]
        return dtypes.from_numpy(types.result_type(*operands))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Numbers, arrays or tensors as a tensor; ``copy`` asks for memory of its own.

    >>> import stateful as torch
    >>> torch.asarray([1, 2], dtype=torch.float32)
    tensor([1., 2.])
    """
    made: Any = as_tensor(obj, dtype, device)
    if copy and made is obj:
        made = made.clone()
    if requires_grad:
        made = made.detach().requires_grad_() if made.grad_fn is not None else made.requires_grad_()
    return made


def from_dlpack(ext_tensor: Any) -> Any:
    """A tensor with the elements of another library's array, taken over by DLPack.

    >>> import numpy as np
    >>> import stateful as torch
    >>> torch.from_dlpack(np.arange(3.0))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    with jax.enable_x64(True):
        return wrap(Value.of(jax.dlpack.from_dlpack(ext_tensor)))


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Any:
    """A tensor of the numbers in a buffer (a copy).

    >>> import stateful as torch
    >>> torch.frombuffer(bytearray(b"ab"), dtype=torch.uint8)
    tensor([97, 98], dtype=torch.uint8)
    """
    array = np.frombuffer(buffer, dtypes.as_dtype(dtype).numpy, count, offset)
    return new_tensor(array, requires_grad=requires_grad)


def range_(start: float = 0, end: float | None = None, step: float = 1, **options: Any) -> Any:
    """Deprecated: as `arange`, but ``end`` is included; of the default dtype.

    >>> import warnings
    >>> import stateful as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.range(1, 3)
    tensor([1., 2., 3.])
    """
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces "
        "values in [start, end).",
        stacklevel=2,
    )
    start, end = (0, start) if end is None else (start, end)
    count = math.floor((end - start) / step) + 1
    places = FACTORIES["arange"](count, dtype=options.pop("dtype", dtypes.get_default_dtype()))
    return places * step + start if not options else (places * step + start).to(**options)


def poisson(input: Any, generator: Any = None) -> Any:
    """Counts of events at the rates in ``input``.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.poisson(torch.tensor([1.0, 100.0]))
    tensor([  2., 117.])
    """
    made = wrap(draw_from(generator, pure.poisson, input.detach()))
    if modes.forward.active:
        push_zeros((input,), made)
    return made


def get_device(input: Any) -> int:
    """The number of the device; -1 for the CPU.

    >>> import stateful as torch
    >>> torch.get_device(torch.ones(1))
    -1
    """
    return -1 if input.device.type == "cpu" else input.device.index or 0


def set_default_device(device: Any) -> None:
    """Where tensors are made: the CPU, as before, is all that can be asked for.

    >>> import stateful as torch
    >>> torch.set_default_device("cpu")
    >>> torch.set_default_device(None)  # as it was
    """
    if device is not None:
        dtypes.device(device).check_default()


def sum_to_size(self: Any, *size: Any) -> Any:
    """The sum over what was broadcast from a tensor of ``size``.

    >>> import stateful as torch
    >>> torch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)
    lead = self.dim() - len(shape)
    dims = [
        *range(lead),
        *(i + lead for i, n in enumerate(shape) if n == 1 and self.size(i + lead) != 1),
    ]
    if lead < 0 or any(n not in (1, self.size(i + lead)) for i, n in enumerate(shape)):
        raise RuntimeError(
            f"size {{{list(shape)}}} is not expandable to size {{{list(self.shape)}}}."
        )
    if not dims:
        return self
    summed = self.sum(dims, keepdim=True)
    return summed.reshape(shape) if lead else summed


def _check_callable(self: Any, name: str) -> None:
    if self.requires_grad:
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() "
            "instead."
        )


def apply_(self: Any, callable: Any) -> Any:
    """Overwrite each element with a Python function of it. Slow.

    >>> import stateful as torch
    >>> torch.tensor([1.0, 2.0]).apply_(lambda x: x + 1)
    tensor([2., 3.])
    """
    _check_callable(self, "apply_")
    flat = [callable(x) for x in self.detach().flatten().tolist()]
    return self.copy_(new_tensor(flat, self.dtype).reshape(self.shape))


def map_(self: Any, tensor: Any, callable: Any) -> Any:
    """Overwrite each element with a Python function of it and of the element of ``tensor``.

    >>> import stateful as torch
    >>> torch.tensor([1.0, 2.0]).map_(torch.tensor([3.0, 4.0]), lambda x, y: x * y)
    tensor([3., 8.])
    """
    _check_callable(self, "map_")
    _check_callable(tensor, "map_")
    others = tensor.expand(self.shape).flatten().tolist()
    flat = [callable(x, y) for x, y in zip(self.flatten().tolist(), others, strict=True)]
    return self.copy_(new_tensor(flat, self.dtype).reshape(self.shape))


def map2_(self: Any, x: Any, y: Any, callable: Any) -> Any:
    """Overwrite each element with ``callable`` of it and of those in its place in ``x`` and ``y``.

    >>> import stateful as torch
    >>> torch.ones(2).map2_(torch.ones(2), torch.zeros(2), lambda a, b, c: a + b + c)
    tensor([2., 2.])
    """
    if any(t.requires_grad for t in (self, x, y)):
        raise RuntimeError(
            "Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead."
        )
    each = (t.expand(self.shape).reshape(-1).tolist() for t in (self, x, y))
    flat = [callable(*items) for items in zip(*each, strict=True)]
    return self.copy_(new_tensor(flat, self.dtype).reshape(self.shape))


def identity(self: Any, *args: Any, **kwargs: Any) -> Any:
    """The tensor itself: memory is not shared or pinned here.

    >>> import stateful as torch
    >>> x = torch.ones(2)
    >>> x.pin_memory() is x
    True
    """
    return self


SHAPES = {
    "broadcast_shapes": broadcast_shapes, "result_type": result_type, "asarray": asarray,
    "from_dlpack": from_dlpack, "frombuffer": frombuffer, "range": range_, "poisson": poisson,
    "get_device": get_device, "set_default_device": set_default_device,
    "view_as_real": view_as_real, **BITS,
}  # fmt: skip
for _name, _method in {
    "get_device": get_device, "sum_to_size": sum_to_size, "apply_": apply_, "map_": map_,
    "map2_": map2_, "pin_memory": identity, "share_memory_": identity, **BITS,
}.items():  # fmt: skip
    setattr(Tensor, _name, _method)
for _name, _value in {
    "is_cpu": property(lambda self: self.device.type == "cpu"),
    "is_sparse": property(lambda self: False), "is_quantized": property(lambda self: False),
    "is_meta": property(lambda self: self.device.type == "meta"),
    "is_mps": property(lambda self: False), "is_xpu": property(lambda self: False),
    "is_nested": property(lambda self: False), "is_mkldnn": property(lambda self: False),
    "is_sparse_csr": property(lambda self: False), "is_mtia": property(lambda self: False),
    "is_ipu": property(lambda self: False), "is_maia": property(lambda self: False),
    "is_vulkan": property(lambda self: False), "is_xla": property(lambda self: False),
    "is_pinned": lambda self, device=None: False, "is_shared": lambda self: False,
    "is_coalesced": lambda self: False,
    "to_dense": lambda self, dtype=None, **_: self if dtype is None else self.to(dtype),
    "is_nonzero": lambda self: bool(self),
}.items():  # fmt: skip
    setattr(Tensor, _name, _value)
