"""PyTorch's dtypes: names for NumPy and JAX dtypes that print and behave as PyTorch's.

There is one object for each dtype, so `is` works also after pickling and copying. Left out is what
JAX cannot hold: complex32, quantized and sub-byte dtypes. The sizes and devices that go with dtypes
in every factory function are re-exported here.
"""

import builtins
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from funcgrad import types
from stateful.devices import channels_last as channels_last
from stateful.devices import channels_last_3d as channels_last_3d
from stateful.devices import contiguous_format as contiguous_format
from stateful.devices import device as device
from stateful.devices import layout as layout
from stateful.devices import memory_format as memory_format
from stateful.devices import preserve_format as preserve_format
from stateful.devices import sparse_coo as sparse_coo
from stateful.devices import strided as strided
from stateful.sizes import Size as Size


class dtype:
    """The type of a tensor's elements, such as `stateful.float32`; NumPy and JAX accept it too.

    >>> import jax.numpy as jnp
    >>> import stateful as torch
    >>> torch.float32, torch.float32.itemsize, torch.float32.is_floating_point
    (torch.float32, 4, True)
    >>> torch.bfloat16.to_complex(), torch.complex128.to_real()
    (torch.complex64, torch.float64)
    >>> jnp.zeros(2, dtype=torch.int32).dtype
    dtype('int32')
    """

    __slots__ = ("_name", "numpy")

    _name: str
    numpy: np.dtype

    def __new__(cls, *args: Any, **kwargs: Any) -> "dtype":
        raise TypeError("cannot create 'dtype' instances; use an existing one, such as float32")

    @property
    def is_floating_point(self) -> builtins.bool:
        """Whether it is a real floating dtype; complex ones are not."""
        return types.is_floating(self.numpy)

    @property
    def is_complex(self) -> builtins.bool:
        """Whether it is a complex dtype."""
        return types.is_complex(self.numpy)

    @property
    def is_signed(self) -> builtins.bool:
        """Whether it holds negative numbers."""
        return self is not float8_e8m0fnu and self.numpy.kind not in "ub"

    @property
    def itemsize(self) -> builtins.int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def dtype(self) -> np.dtype:
        """What `numpy.dtype(...)` looks for on an object."""
        return self.numpy

    def to_real(self) -> "dtype":
        """The dtype of the real part of a number of this dtype."""
        return from_numpy(types.to_real(self.numpy))

    def to_complex(self) -> "dtype":
        """The complex dtype whose parts have this dtype. RuntimeError if there is none.

        float16 gives complex64, because JAX has no complex32.
        """
        return from_numpy(types.to_complex(self.numpy))

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class finfo:
    """Limits of a floating dtype, or of the parts of a complex one; the default dtype if none.

    >>> import stateful as torch
    >>> torch.finfo(torch.float16).max, torch.finfo(torch.float16).eps
    (65504.0, 0.0009765625)
    """

    min: builtins.float
    max: builtins.float
    eps: builtins.float
    smallest_normal: builtins.float
    tiny: builtins.float

    def __init__(self, type: dtype | None = None):
        type = get_default_dtype() if type is None else type
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                f"integers; got {type}"
            )
        limits = jnp.finfo(type.to_real().numpy)
        self.dtype = type.to_real()._name
        self.bits = builtins.int(limits.bits)
        digits = math.floor(limits.nmant * math.log10(2))
        self.resolution = builtins.float(f"1e-{digits}")
        for name in ("min", "max", "eps", "smallest_normal", "tiny"):
            setattr(self, name, builtins.float(getattr(limits, name)))

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> builtins.int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        values = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({values}, dtype={self.dtype})"


class iinfo:
    """Limits of an integer dtype.

    >>> import stateful as torch
    >>> torch.iinfo(torch.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: dtype):
        if type is bool:
            raise TypeError("torch.bool is not supported by torch.iinfo: it has no limits")
        if type.is_floating_point or type.is_complex:
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                f"floating dtypes; got {type}"
            )
        limits = np.iinfo(type.numpy)
        self.dtype = type._name
        self.bits, self.min, self.max = (
            limits.bits,
            builtins.int(limits.min),
            builtins.int(limits.max),
        )

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> builtins.int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def from_numpy(numpy_dtype: Any) -> dtype:
    """The dtype of this NumPy or JAX dtype. TypeError if PyTorch has none.

    >>> from_numpy("float32"), from_numpy(jnp.bfloat16)
    (torch.float32, torch.bfloat16)
    """
    try:
        return _from_numpy[numpy_dtype]
    except (KeyError, TypeError):
        found = _from_numpy.get(np.dtype(numpy_dtype))
    if found is None:
        names = ", ".join(each._name for each in _from_numpy.values())
        raise TypeError(
            f"can't convert {np.dtype(numpy_dtype)}. The only supported types are: {names}"
        )
    return found


def as_dtype(value: Any) -> dtype:
    """What a `dtype=` argument means: a dtype, one of Python's number types, or a NumPy dtype.

    >>> as_dtype(builtins.float), as_dtype(builtins.int), as_dtype(float16)
    (torch.float64, torch.int64, torch.float16)
    """
    return value if isinstance(value, dtype) else from_numpy(value)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that holds both.

    >>> import stateful as torch
    >>> torch.promote_types(torch.int32, torch.float16)
    torch.float16
    """
    return from_numpy(types.promote_types(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether the result of an in-place op of dtype `from_` may be stored in a tensor of `to`.

    >>> import stateful as torch
    >>> torch.can_cast(torch.float64, torch.float16), torch.can_cast(torch.float32, torch.int64)
    (True, False)
    """
    return types.can_cast(from_.numpy, to.numpy)


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats; float32 unless `set_default_dtype` was called.

    >>> import stateful as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return from_numpy(types.default_dtype())


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of tensors made from Python floats. TypeError unless it is a floating dtype.

    >>> set_default_dtype(float32)
    """
    types.set_default_dtype(d.numpy)


_from_numpy: dict[Any, dtype] = {}


def _declare(name: str, scalar_type: Any) -> dtype:
    self = object.__new__(dtype)
    self._name = name
    self.numpy = np.dtype(scalar_type)
    _from_numpy[self.numpy] = self
    return self


float64 = double = _declare("float64", np.float64)
float32 = _declare("float32", np.float32)
float16 = half = _declare("float16", np.float16)
bfloat16 = _declare("bfloat16", jnp.bfloat16)
float8_e4m3fn = _declare("float8_e4m3fn", jnp.float8_e4m3fn)
float8_e4m3fnuz = _declare("float8_e4m3fnuz", jnp.float8_e4m3fnuz)
float8_e5m2 = _declare("float8_e5m2", jnp.float8_e5m2)
float8_e5m2fnuz = _declare("float8_e5m2fnuz", jnp.float8_e5m2fnuz)
float8_e8m0fnu = _declare("float8_e8m0fnu", jnp.float8_e8m0fnu)
complex128 = cdouble = _declare("complex128", np.complex128)
complex64 = cfloat = _declare("complex64", np.complex64)
int64 = long = _declare("int64", np.int64)
int32 = _declare("int32", np.int32)
int16 = short = _declare("int16", np.int16)
int8 = _declare("int8", np.int8)
uint64 = _declare("uint64", np.uint64)
uint32 = _declare("uint32", np.uint32)
uint16 = _declare("uint16", np.uint16)
uint8 = _declare("uint8", np.uint8)

# PyTorch's names for these hide Python's own; code in this file says `builtins.int`.
bool = _declare("bool", np.bool_)
float = float32
int = int32

_OURS = {"Any", "as_dtype", "builtins", "from_numpy", "jnp", "math", "np", "types"}
__all__ = [name for name in globals() if not name.startswith("_") and name not in _OURS]
