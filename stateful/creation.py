"""`tensor`, `zeros`, `from_numpy`, `Tensor(...)`: tensors from numbers, arrays and shapes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from funcgrad import types

from . import devices, dtypes, modes
from .dispatch import Face, wrap
from .execute import Value
from .foreign import foreign
from .frames import batched_like
from .layout import is_default, set_like
from .methods import FUNCTIONS
from .sizes import Size
from .tensor import Tensor


def tensor(
    data: Any, *, dtype=None, device=None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf with a copy of ``data``: numbers, nested sequences, numpy arrays, tensors.

    The dtype is inferred as PyTorch does: Python floats become the default dtype, integers int64.

    >>> import stateful as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(data, Tensor):
        _warn_of_copy("torch.tensor")
    return new_tensor(data, dtype, device, requires_grad)


def _warn_of_copy(function: str) -> None:
    warnings.warn(
        "To copy construct from a tensor, it is recommended to use "
        "sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), "
        f"rather than {function}(sourceTensor).",
        UserWarning,
        stacklevel=3,
    )


def new_tensor(data: Any, dtype=None, device=None, requires_grad: bool = False) -> Tensor:
    """As `tensor`, without its warning."""
    value = _value(data, dtype)
    out = place(wrap(value), device)
    return requiring(out) if requires_grad else out


def requiring(made: Tensor) -> Tensor:
    """A new tensor as a leaf that requires a gradient."""
    if not types.is_differentiable(made._aval.dtype):
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients, not "
            f"{made.dtype}"
        )
    made.requires_grad = True
    return made


def as_tensor(data: Any, dtype=None, device=None) -> Tensor:
    """``data`` as a tensor; itself if it already is one with this dtype.

    >>> import stateful as torch
    >>> x = torch.ones(2)
    >>> torch.as_tensor(x) is x, torch.as_tensor([1, 2])
    (True, tensor([1, 2]))
    """
    if isinstance(data, Tensor):
        data = data if dtype is None or data.dtype is dtype else data.to(dtype)
        return place(data, device)
    return new_tensor(data, dtype, device)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor with the elements of a numpy array (a copy: JAX arrays cannot share memory).

    >>> import numpy as np
    >>> import stateful as torch
    >>> torch.from_numpy(np.arange(3.0))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return wrap(Value.of(np.array(array)))


def place(out: Tensor, device: Any) -> Tensor:
    """``out`` on ``device``; itself where it is there already."""
    if device is None or out.device == devices.device(device):
        return out
    return out.to(device)


def _value(data: Any, dtype: Any) -> Value:
    if isinstance(data, Tensor):
        return data._read() if dtype is None else data._cast(dtypes.as_dtype(dtype).numpy)
    if isinstance(data, jax.Array):
        value = Value.of(data)
        return value if dtype is None else wrap(value)._cast(dtypes.as_dtype(dtype).numpy)
    wanted = None if dtype is None else dtypes.as_dtype(dtype).numpy
    array = (
        np.array(data) if isinstance(data, np.ndarray | np.generic) else _from_nested(data, wanted)
    )
    return Value.of(array if wanted is None else array.astype(wanted))


def _from_nested(data: Any, wanted: np.dtype | None) -> np.ndarray:
    """Numbers and sequences (of numbers, tensors, arrays) as an array of PyTorch's dtype."""
    shape = _shape(data)
    flat: list = []
    _flatten(data, shape, flat)
    if wanted is None:
        wanted = _inferred(flat)
    array = np.array(flat, dtype=_host(wanted, flat)) if flat else np.zeros(0, wanted)
    return array.astype(wanted).reshape(shape)


def _host(wanted: np.dtype, flat: list) -> Any:
    return np.dtype(np.float64) if wanted.kind == "V" or wanted.name == "bfloat16" else wanted


def _shape(data: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(data, list | tuple | range) or (
        isinstance(data, Tensor | np.ndarray) and data.ndim
    ):
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]  # type: ignore[index]
    return tuple(shape)


def _flatten(data: Any, shape: tuple[int, ...], flat: list, depth: int = 0) -> None:
    if not shape:
        flat.append(_number(data))
        return
    if not isinstance(data, list | tuple | range | Tensor | np.ndarray):
        raise TypeError(f"not a sequence at dim {depth}: {type(data).__name__}")
    if len(data) != shape[0]:
        raise ValueError(f"expected sequence of length {shape[0]} at dim {depth} (got {len(data)})")
    for item in data:
        _flatten(item, shape[1:], flat, depth + 1)


def _number(item: Any) -> Any:
    if isinstance(item, Tensor):
        return item._scalar() if item.requires_grad else item.item()
    if isinstance(item, np.ndarray | np.generic | jax.Array):
        return item.item()
    if isinstance(item, bool | int | float | complex):
        return item
    if isinstance(item, str) or not hasattr(item, "__float__"):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}': a tensor holds numbers")
    return float(item)


def _inferred(flat: list) -> np.dtype:
    kinds = {type(x) for x in flat}
    if not flat or float in kinds and complex not in kinds:
        return types.default_dtype()
    if complex in kinds:
        return types.default_complex_dtype()
    return np.dtype(np.int64 if int in kinds else np.bool_)


# -- from shapes -----------------------------------------------------------------------------------


def factory(function: Callable) -> Callable:
    """A creation function of the registry, with ``device``, ``requires_grad`` and so on as well."""

    @functools.wraps(function)
    def create(
        *args,
        dtype=None,
        device=None,
        requires_grad=False,
        layout=None,
        pin_memory=False,
        memory_format=None,
        out=None,
        **kwargs,
    ):
        if dtype is not None:
            kwargs["dtype"] = dtype
        with modes.no_grad():
            made = function(*args, **kwargs)
        if out is not None:
            if out.requires_grad and modes.state.grad_enabled:
                raise RuntimeError(
                    f"aten::{function.__name__}(): functions with out=... arguments don't support "
                    "automatic differentiation, but one of the arguments requires grad."
                )
            return out._assign(made)
        made = place(made, device)
        return requiring(made) if requires_grad else made

    return create


FACTORIES = {
    name: factory(function)
    for name, function in FUNCTIONS["torch"].items()
    if name in {
        "zeros", "ones", "full", "empty", "arange", "range", "linspace", "logspace", "eye",
        "zeros_like", "ones_like", "full_like", "empty_like", "scalar_tensor", "tril_indices",
        "triu_indices", "empty_strided", "hann_window", "hamming_window", "blackman_window",
        "bartlett_window", "kaiser_window",
    }
}  # fmt: skip


def _uninitialised(name: str, zeros: str) -> Callable:
    """PyTorch's ``empty``: here the elements are zeros."""

    def create(*args, memory_format=None, **kwargs):
        made = FACTORIES[zeros](*args, **kwargs)
        if memory_format is devices.preserve_format and zeros == "zeros":
            raise RuntimeError("unsupported memory format Preserve: there is no tensor to go by")
        if memory_format is not None:
            set_like(made, args[0] if zeros == "zeros_like" else made, memory_format)
        return made

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"`{zeros}`: in PyTorch the elements are whatever was in memory."
    return create


def in_frames_of(like: Tensor, made: Tensor) -> Tensor:
    """A new tensor, which inside of `vmap` is batched as ``like`` is."""
    if modes.vmap.frames:
        made._storage.value = batched_like(made._storage.value, like)
    return made


def keeps_order(input: Tensor, memory_format: Any) -> bool:
    """Whether a tensor made like ``input`` surely is contiguous."""
    return is_default(input) and memory_format is None or bool(modes.vmap.frames)


def _like(create: Callable) -> Callable:
    @functools.wraps(create)
    def method(input, *args, memory_format=None, **kwargs):
        try:
            made = in_frames_of(input, create(input, *args, **kwargs))
            if memory_format is not None and not modes.vmap.frames:
                set_like(made, input, memory_format)
            return made
        except AttributeError:
            return foreign(method, (input, *args), kwargs)

    return method


for _name in ("zeros_like", "ones_like", "full_like"):
    FACTORIES[_name] = _like(FACTORIES[_name])
FACTORIES["empty"] = _uninitialised("empty", "zeros")
FACTORIES["empty_like"] = _uninitialised("empty_like", "zeros_like")


def _new_method(name: str) -> Callable:
    create = FACTORIES[name]

    def method(self, *args, dtype=None, **kwargs):
        made = create(*args, dtype=self.dtype if dtype is None else dtype, **kwargs)
        return in_frames_of(self, made)

    method.__name__ = f"new_{name}"
    method.__doc__ = f"`{name}` with the dtype of this tensor."
    return method


for _name in ("zeros", "ones", "full", "empty"):
    if _name in FACTORIES:
        setattr(Tensor, f"new_{_name}", _new_method(_name))


def _new_tensor(
    self: Tensor, data: Any, *, dtype=None, device=None, requires_grad: bool = False
) -> Tensor:
    """A new leaf with a copy of ``data``, in the dtype of this tensor."""
    if isinstance(data, Tensor):
        _warn_of_copy("tensor.new_tensor")
    return new_tensor(data, self.dtype if dtype is None else dtype, device, requires_grad)


Tensor.new_tensor = _new_tensor  # type: ignore[attr-defined]


# -- the constructors of old -----------------------------------------------------------------------


def legacy(cls: type, dtype: dtypes.dtype | None, args: tuple) -> Tensor:
    """``Tensor(2, 3)`` is a shape (zeros; undefined in PyTorch), ``Tensor([2, 3])`` numbers."""
    wanted = dtypes.get_default_dtype() if dtype is None else dtype
    first = args[0] if len(args) == 1 else None
    if isinstance(first, Tensor):
        out = first.detach() if first.dtype is wanted else first.detach().to(wanted)
    elif isinstance(first, list | tuple | range | np.ndarray) and not isinstance(first, Size):
        out = new_tensor(first, wanted)
    else:
        sizes = first if isinstance(first, Size) else args
        out = FACTORIES["zeros"](tuple(sizes) if args else (0,), dtype=wanted)
    return out if type(out) is cls else out._as(cls)


Face.construct = staticmethod(lambda cls, args: legacy(cls, None, args))


class _LegacyMeta(type):
    """``isinstance(x, torch.FloatTensor)`` asks for the dtype."""

    _dtype: dtypes.dtype

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor) and instance.dtype is cls._dtype

    def __call__(cls, *args):
        return legacy(Tensor, cls._dtype, args)


def _legacy_type(name: str, dtype: dtypes.dtype) -> type:
    return _LegacyMeta(
        name,
        (),
        {
            "_dtype": dtype,
            "dtype": dtype,
            "__module__": "torch",
            "__doc__": f"Makes tensors of dtype {dtype}.",
        },
    )


LEGACY_TYPES = {
    f"{name}Tensor": _legacy_type(f"{name}Tensor", dtypes.from_numpy(np.dtype(numpy_name)))
    for name, numpy_name in {
        "Float": "float32", "Double": "float64", "Half": "float16", "Long": "int64",
        "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool",
    }.items()
}  # fmt: skip
