"""Methods that change dtype, device or place: `to`, `float`, `contiguous`, `copy_`, `fill_`, ..."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import numpy as np

from funcgrad.ops import complexes, copying, view

from . import devices, dtypes, geometry_shape, geometry_views, modes
from .dispatch import call, call_inplace, wrap
from .execute import Value
from .geometry import is_contiguous, suggested
from .graph import Node, gradient_edge
from .layout import is_default, place, set_like
from .layout import of as geometry_of
from .methods import FUNCTIONS
from .once import warn_once
from .tensor import Tensor
from .watching import Hooks


def to(self: Tensor, *args, non_blocking=False, copy=False, memory_format=None, **kwargs) -> Tensor:
    """This tensor in another dtype, on another device, or like another tensor; itself if it is.

    >>> import stateful as torch
    >>> torch.tensor([1.5]).to(torch.int64)
    tensor([1])
    """
    dtype, device = kwargs.pop("dtype", None), kwargs.pop("device", None)
    other = kwargs.pop("other", None)
    for arg in args:
        if isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, devices.device | str | int) and not isinstance(arg, bool):
            device = arg
        elif isinstance(arg, Tensor):
            other = arg
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    if other is not None:
        dtype, device = other.dtype, other.device
    out = self
    if dtype is not None and dtype is not self.dtype or copy or not _has(self, memory_format):
        wanted = dtype or self.dtype
        _warn_of_loss(self, wanted, 4)
        out = call(copying._to_copy, (self,), {"dtype": wanted.numpy})
        if memory_format is not None:
            set_like(out, self, memory_format)
    return out if device is None else move(out, devices.device(device))


def _has(tensor: Tensor, memory_format: Any) -> bool:
    """Whether a tensor is laid out as is asked for, None and `preserve_format` for any way.

    `contiguous_format` asks for any order but that of channels last.
    """
    if memory_format is None or memory_format is devices.preserve_format:
        return True
    return suggested(geometry_of(tensor)) is memory_format


def move(tensor: Tensor, device: devices.device) -> Tensor:
    """The tensor on ``device``; recorded, so that the gradient goes back where it came from."""
    here = tensor.device
    if here == device or (here.type == device.type and device.index is None):
        return tensor
    out = wrap(Value.of(jax.device_put(tensor._array, device.to_jax())))
    if tensor._requires_grad and modes.state.grad_enabled:
        out._set_history(DEVICE_NODE(gradient_edge(tensor), here, out._aval), 0)
    return out


class _ToCopyBackward0(Node):
    """Brings a gradient back to the device that its tensor came from."""

    def __init__(self, edge, device, aval):
        super().__init__()
        self.edges, self.device, self.avals = (edge,), device, (aval,)

    def run(self, grads, needed):
        return [move(Hooks.as_tensor(grads[0]), self.device)]


DEVICE_NODE = type("ToCopyBackward0", (_ToCopyBackward0,), {})


def _converter(dtype: dtypes.dtype, name: str):
    def method(self, memory_format=None):
        return to(self, dtype, memory_format=memory_format)

    method.__name__ = name
    method.__doc__ = f"This tensor as {dtype}."
    return method


def contiguous(self: Tensor, memory_format=devices.contiguous_format) -> Tensor:
    """This tensor with its elements in order in storage; itself if they are.

    >>> import stateful as torch
    >>> x = torch.zeros(2, 3).t()
    >>> x.stride(), x.contiguous().stride()
    ((1, 3), (2, 1))
    """
    if self.is_contiguous(memory_format):
        return self
    if memory_format is devices.preserve_format:
        raise RuntimeError(
            "preserve memory format is unsupported by the contiguous operator: name the format "
            "that the result is to have"
        )
    return clone(self, memory_format=memory_format)


def clone(self: Tensor, *, memory_format=None) -> Tensor:
    """A copy, recorded; its elements lie in memory as those of this tensor, or as is asked for.

    >>> import stateful as torch
    >>> x = torch.zeros(2)
    >>> y = x.clone()
    >>> y[0] = 1
    >>> x, y
    (tensor([0., 0.]), tensor([1., 0.]))
    """
    out = call(copying.clone, (self,), {})
    if memory_format is not None:
        set_like(out, self, memory_format)
    return out


_declared_clone = FUNCTIONS["torch"]["clone"]


@functools.wraps(_declared_clone)
def _clone_of(input: Any, *, memory_format: Any = None) -> Tensor:
    if not isinstance(input, Tensor):
        return _declared_clone(input)
    return clone(input, memory_format=memory_format)


FUNCTIONS["torch"]["clone"] = _clone_of


def _warn_of_loss(tensor: Tensor, wanted: dtypes.dtype, stacklevel: int) -> None:
    """Warn if elements lose their imaginary parts; a conversion to bool looks at both parts."""
    if tensor.dtype.is_complex and not wanted.is_complex and wanted is not dtypes.bool:
        if 0 not in tensor._aval.shape:
            text = "Casting complex values to real discards the imaginary part"
            warn_once(text, stacklevel=stacklevel)


def view_(self: Tensor, *size, **named: Any) -> Tensor:
    """The same elements under a new shape; shares memory.

    Raises RuntimeError where the strides do not allow it.

    >>> import stateful as torch
    >>> torch.arange(4).view(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if named and not size and named.keys() <= {"size", "dtype"}:
        size, named = tuple(named.values()), {}
    if named:
        raise TypeError(f"view() got unexpected keyword arguments {sorted(named)}; it takes a size")
    if len(size) == 1 and isinstance(size[0], dtypes.dtype):
        out = call(view.view_dtype, (self, size[0].numpy), {})
        out._base = None  # to autograd it is a tensor of its own
        return out
    shape = size[0] if len(size) == 1 and isinstance(size[0], list | tuple) else size
    if not is_default(self):
        geometry_views.RULES["view"](geometry_of(self), shape)
    return call(view.view_size, (self, tuple(shape)), {})


def view_as_complex(input: Tensor) -> Tensor:
    """The pairs of the last dimension as complex numbers; shares memory.

    Raises RuntimeError where the two numbers of a pair do not lie side by side.

    >>> import stateful as torch
    >>> torch.view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    if isinstance(input, Tensor) and not is_default(input):
        geometry_views.RULES["view_as_complex"](geometry_of(input))
    return call(complexes.view_as_complex, (input,), {})


def broadcast_to(self: Tensor, *size) -> Tensor:
    """`expand` under NumPy's name.

    >>> import stateful as torch
    >>> torch.tensor([1, 2]).broadcast_to(2, 2)
    tensor([[1, 2],
            [1, 2]])
    """
    return self.expand(*size)  # type: ignore[attr-defined]


def reshape(self: Tensor, *given, shape: Any = ()) -> Tensor:
    """A view under a new shape where strides allow it, else a copy.

    >>> import stateful as torch
    >>> torch.arange(4).reshape(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    given = given or (shape,)
    size = given[0] if len(given) == 1 and isinstance(given[0], list | tuple) else given
    size = geometry_shape.infer_size(tuple(map(int, size)), math.prod(self._aval.shape))
    if is_default(self) or is_contiguous(geometry_of(self)):
        return call(view.view_size, (self, size), {})
    stride = geometry_shape.view_stride(geometry_of(self), size)
    if stride is not None:
        return call(view._reshape_alias, (self, size, stride), {})
    copied = clone(self, memory_format=devices.contiguous_format)
    return call(view._unsafe_view, (copied, size), {})


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Overwrite this tensor with ``src``, broadcast and converted; recorded.

    >>> import stateful as torch
    >>> torch.zeros(2).copy_(torch.tensor([1, 2]))
    tensor([1., 2.])
    """
    if not isinstance(src, Tensor):
        src = wrap(Value.of(np.asarray(src)))
    _check_broadcast(src, self)
    _warn_of_loss(src, self.dtype, 3)
    return call_inplace(copying.copy, (self, src), {})


def _check_broadcast(src: Tensor, target: Tensor) -> None:
    a, b = src._aval.shape, target._aval.shape
    pairs = zip(reversed(a), reversed(b), strict=False)
    if len(a) > len(b) or any(n not in (1, m) for n, m in pairs):
        raise RuntimeError(
            f"The size of tensor a {list(b)} must match the size of tensor b {list(a)}: "
            f"output with shape {list(b)} doesn't match the broadcast shape of {list(a)}"
        )


def _assign(self: Tensor, result: Tensor) -> Tensor:
    """What ``out=`` does: take the elements of ``result``, and its shape if need be."""
    if self._aval.shape == result._aval.shape:
        return copy_(self, result)
    self._storage.value = result._cast(self._aval.dtype)
    place(self, geometry_of(result)._replace(offset=0))
    self._counter.version += 1
    return self


def detach(self: Tensor) -> Tensor:
    """A tensor that shares storage and version counter, without history.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> (x * 2).detach()
    tensor([2., 2.])
    """
    out = self._alias()
    out._inference = self._inference
    return out


def detach_(self: Tensor) -> Tensor:
    """Make this tensor a leaf that needs no gradient.

    Raises RuntimeError for a view, whose base would keep its history.

    >>> import stateful as torch
    >>> y = torch.ones(2, requires_grad=True) * 2
    >>> y.detach_()
    tensor([2., 2.])
    """
    if modes.state.inference:
        return self  # autograd is not asked
    if self._base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
            "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
            "these gradients."
        )
    hooks = self._backward_hooks
    self._node, self._output_nr, self._requires_grad = None, 0, False
    self._hooks = hooks
    return self


def cpu(self: Tensor, memory_format=None) -> Tensor:
    """This tensor in host memory.

    >>> import stateful as torch
    >>> torch.ones(2).cpu().device
    device(type='cpu')
    """
    return to(self, "cpu", memory_format=memory_format)


def cuda(self: Tensor, device=None, non_blocking=False, memory_format=None) -> Tensor:
    """This tensor on a GPU.

    >>> import stateful as torch
    >>> x = torch.ones(2)
    >>> x.cuda().device.type if torch.cuda.is_available() else "no GPU here"
    'no GPU here'
    """
    return to(self, "cuda" if device is None else device, memory_format=memory_format)


def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is a real floating dtype.

    >>> import stateful as torch
    >>> torch.tensor([1.0]).is_floating_point()
    True
    """
    return self.dtype.is_floating_point


def is_complex(self: Tensor) -> bool:
    """Whether the dtype is complex.

    >>> import stateful as torch
    >>> torch.tensor([1j]).is_complex()
    True
    """
    return self.dtype.is_complex


def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative numbers.

    >>> import stateful as torch
    >>> torch.zeros(1, dtype=torch.uint8).is_signed()
    False
    """
    return self.dtype.is_signed


def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made under `inference_mode`.

    >>> import stateful as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(1)
    >>> x.is_inference()
    True
    """
    return self._inference


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype of ``other``.

    >>> import stateful as torch
    >>> torch.tensor([1.5]).type_as(torch.tensor([1]))
    tensor([1])
    """
    return to(self, other.dtype)


def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal.

    >>> import stateful as torch
    >>> torch.zeros(2, 3).is_same_size(torch.ones(2, 3))
    True
    """
    return self._aval.shape == other._aval.shape


CONVERTERS = {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "long": dtypes.int64, "int": dtypes.int32, "short": dtypes.int16,
    "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool, "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}  # fmt: skip
for _name, _dtype in CONVERTERS.items():
    setattr(Tensor, _name, _converter(_dtype, _name))
for _method in (
    to,
    contiguous,
    clone,
    broadcast_to,
    reshape,
    copy_,
    _assign,
    detach,
    detach_,
    cpu,
    cuda,
    type_as,
    is_floating_point,
    is_complex,
    is_signed,
    is_inference,
    is_same_size,
):
    setattr(Tensor, _method.__name__, _method)
Tensor.view = view_  # type: ignore[attr-defined]
FUNCTIONS["torch"]["view_as_complex"] = view_as_complex
