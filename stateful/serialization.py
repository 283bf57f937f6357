"""`save` and `load` in PyTorch's file format, both ways; loading never runs code from the file.

The format is a zip archive: ``data.pkl`` holds the structure, ``data/0``, ``data/1``, ... the raw
elements of storages. The structure is a pickle, which in general can call anything; `load` accepts
the handful of names that tensors, state_dicts and containers need and refuses every other, as
PyTorch's ``weights_only=True`` does.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np

from . import dtypes, modes
from .conjugates import flipped, pending
from .devices import device as Device
from .dispatch import wrap
from .execute import Value
from .geometry import Geometry, contiguous
from .layout import of as geometry_of
from .nn.parameter import Parameter
from .sizes import Size
from .striding import flat
from .tensor import Tensor
from .views import Counter

_STORAGES = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128",
}  # fmt: skip
_STORAGE_OF = {dtype: name for name, dtype in _STORAGES.items()}
_PROTOCOL = 2


class _Name:
    """A name of PyTorch's that the pickle refers to; nothing of that name is imported."""

    def __init__(self, module: str, name: str):
        self.module, self.name = module, name


# -- writing ---------------------------------------------------------------------------------------


_PythonPickler: Any = vars(pickle)["_Pickler"]  # the one in Python lets us write names


class _Pickler(_PythonPickler):
    def __init__(self, file: Any):
        super().__init__(file, _PROTOCOL)
        self.arrays: list[np.ndarray] = []
        self._keys: dict[int, int] = {}
        self._memories: dict[int, np.ndarray] = {}
        self._names: dict[tuple[str, str], _Name] = {}
        self._kept: list[Any] = []

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray):
            return None
        key = self._keys.setdefault(id(obj), len(self.arrays))
        if key == len(self.arrays):
            self.arrays.append(obj)
        storage = self._name("torch", _STORAGE_OF[obj.dtype.name])
        return ("storage", storage, str(key), "cpu", obj.size)

    def _memory(self, tensor: Any) -> tuple[np.ndarray, Geometry]:
        """The elements of the storage of a tensor, and where in it those of the tensor are."""
        storage = tensor._storage
        if storage.value.aval.dtype != tensor._aval.dtype:
            kept = flipped(tensor.detach(), pending(tensor))._read().numpy()
            return kept.reshape(-1), contiguous(tuple(tensor.shape))
        if id(storage) not in self._memories:
            self._memories[id(storage)] = flat(storage)._read().numpy()
        return self._memories[id(storage)], geometry_of(tensor)

    def _name(self, module: str, name: str) -> _Name:
        return self._names.setdefault((module, name), _Name(module, name))

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Name):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self._save_tensor(obj)
        elif isinstance(obj, dtypes.dtype):
            self.write(pickle.GLOBAL + f"torch\n{obj._name}\n".encode())
        elif isinstance(obj, Size):
            self.save_reduce(self._name("torch", "Size"), (tuple(obj),), obj=obj)
        elif isinstance(obj, Device):
            self.save_reduce(self._name("torch", "device"), obj.__reduce__()[1], obj=obj)
        else:
            super().save(obj, save_persistent_id)

    def save_reduce(self, func: Any, args: Any, *rest: Any, **options: Any) -> None:
        if not isinstance(func, _Name):
            super().save_reduce(func, args, *rest, **options)
            return
        self.save(func)
        self.save(args)
        self.write(pickle.REDUCE)
        if options.get("obj") is not None:
            self.memoize(options["obj"])

    def _save_tensor(self, tensor: Any) -> None:
        found = self.memo.get(id(tensor))
        if found is not None:
            self.write(self.get(found[0]))
            return
        self._kept.append(tensor)
        hooks: Any = OrderedDict()
        array, (size, stride, offset) = self._memory(tensor)
        parameter = isinstance(tensor, Parameter)
        rebuild = self._name("torch._utils", "_rebuild_tensor_v2")
        requires = tensor.requires_grad and not parameter
        args = (array, offset, tuple(size), tuple(stride), requires, hooks)
        bits = dict(zip(("conj", "neg"), pending(tensor), strict=True))
        if any(bits.values()):
            args = (*args, {name: True for name, there in bits.items() if there})
        if parameter:
            self.save(self._name("torch._utils", "_rebuild_parameter"))
            self.write(pickle.MARK)
            self.save_reduce(rebuild, args)
            self.save(tensor.requires_grad)
            self.save(hooks)
            self.write(pickle.TUPLE + pickle.REDUCE)
            self.memoize(tensor)
        else:
            self.save_reduce(rebuild, args, obj=tensor)


def save(obj: Any, f: Any, pickle_module=None, pickle_protocol=_PROTOCOL,
         _use_new_zipfile_serialization=True) -> None:  # fmt: skip
    """Write tensors, containers of them, numbers and strings to a file that PyTorch can load.

    >>> import io
    >>> import stateful as torch
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'weight': tensor([1., 1.])}
    """
    structure = io.BytesIO()
    pickler = _Pickler(structure)
    pickler.dump(obj)
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", structure.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(pickler.arrays):
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")


# -- reading ---------------------------------------------------------------------------------------


class _Memory:
    """The elements of a storage in the file, and the first tensor that was made of them."""

    def __init__(self, array: np.ndarray):
        self.array, self.tensor = array, None

    def show(self, place: Geometry) -> Any:
        """A tensor of the elements at ``place``, which shares them with those made before."""
        whole = place == contiguous(place.size) and math.prod(place.size) == self.array.size
        if self.tensor is None:
            array = self.array.reshape(place.size) if whole else self.array
            self.tensor = wrap(Value.of(np.array(array)))
        if whole and tuple(self.tensor.shape) == place.size:
            return self.tensor._alias()
        with modes.no_grad():
            return flat(self.tensor._storage).as_strided(*place)._alias()


def _rebuild_tensor(memory, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    out = memory.show(Geometry(tuple(size), tuple(stride), offset))
    if metadata:
        with modes.no_grad():
            bits = bool(metadata.get("conj")), bool(metadata.get("neg"))
            out = flipped(out, bits)._alias()
    out.requires_grad = bool(requires_grad)
    out._counter = Counter(1)  # as in PyTorch, which counts putting the elements in
    return out


def _rebuild_parameter(data, requires_grad, hooks=None):
    return Parameter(data, requires_grad)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): Size,
    ("torch", "device"): Device,
    ("torch", "Tensor"): Tensor,
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "dict"): dict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("builtins", "complex"): complex,
    **{("torch", name): getattr(dtypes, dtype) for name, dtype in _STORAGES.items()},
    **{("torch", dtype): getattr(dtypes, dtype) for dtype in _STORAGES.values()},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, prefix: str):
        super().__init__(io.BytesIO(archive.read(f"{prefix}data.pkl")))
        self._archive, self._prefix = archive, prefix
        self._storages: dict[str, _Memory] = {}

    def find_class(self, module_name: str, name: str) -> Any:
        found = _ALLOWED.get((module_name, name))
        if found is None:
            raise pickle.UnpicklingError(
                f"Weights only load failed: the file asks for {module_name}.{name}, and only "
                "tensors and containers are loaded, because anything else could run code. Save a "
                "state_dict instead of the object"
            )
        return found

    def persistent_load(self, pid: Any) -> _Memory:
        kind, dtype, key, _, size = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown kind of reference in the file: {kind!r}")
        if key not in self._storages:
            raw = self._archive.read(f"{self._prefix}data/{key}")
            self._storages[key] = _Memory(np.frombuffer(raw, dtype.numpy, count=size))
        return self._storages[key]


def load(f: Any, map_location: Any = None, pickle_module=None, *, weights_only: bool | None = None,
         mmap: bool | None = None, **pickle_load_args: Any) -> Any:  # fmt: skip
    """Read what `save`, ours or PyTorch's, wrote. Code in the file is never run.

    UnpicklingError if the file asks for more than tensors and containers, whatever
    ``weights_only`` says.

    >>> import io
    >>> import stateful as torch
    >>> buffer = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2)}, buffer)
    >>> _ = buffer.seek(0)
    >>> torch.load(buffer)
    {'weight': tensor([1., 1.])}
    """
    try:
        archive = zipfile.ZipFile(f)
    except zipfile.BadZipFile:
        raise RuntimeError(
            "load() reads PyTorch's zip format only (the default since PyTorch 1.6); save the file "
            "anew"
        ) from None
    with archive:
        names = [n for n in archive.namelist() if n.endswith("data.pkl")]
        if not names:
            raise RuntimeError("PytorchStreamReader failed: there is no data.pkl in the archive")
        return _Unpickler(archive, names[0].removesuffix("data.pkl")).load()
