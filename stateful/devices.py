"""PyTorch's descriptions of where and how tensors lie: `device`, layouts and memory formats.

A device is only a name here: `cpu`, `cuda` (or `gpu`) and `tpu` are JAX's platforms, and `to_jax`
finds the device that a name means.
"""

from __future__ import annotations

import re
from typing import Any

import jax

_TYPES = (
    "cpu cuda gpu tpu ipu xpu mkldnn opengl opencl ideep hip ve fpga maia xla lazy vulkan mps "
    "meta hpu mtia privateuseone"
).split()


class device:
    """The name of a device: a type and perhaps an index; immutable and hashable.

    `device("cuda:0")`, `device("cuda", 0)`, `device(another)`, or an int for an accelerator. Raises
    RuntimeError for names that are not of this form. As a context manager, the device on which
    tensors are made inside: `cpu` only.

    >>> import stateful as torch
    >>> torch.device("cuda:0"), str(torch.device("cuda", 1)), torch.device("cpu").index
    (device(type='cuda', index=0), 'cuda:1', None)
    """

    __slots__ = ("type", "index")

    type: str
    index: int | None

    def __init__(self, type: Any = None, index: int | None = None, *, device: Any = None):
        name, index = _parse(device if type is None else type, index)
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)

    def to_jax(self) -> Any:
        """JAX's device of this name; None for `meta`. Raises RuntimeError if there is none here.

        >>> device("cpu").to_jax().platform
        'cpu'
        """
        if self.type == "meta":
            return None
        try:
            return jax.local_devices(backend=self.type)[self.index or 0]
        except (RuntimeError, IndexError):
            present = ", ".join(map(str, jax.local_devices()))
            raise RuntimeError(
                f"no device '{self}' is available to JAX here; it has {present}. "
                "Use one of them, or install JAX with support for that device"
            ) from None

    def check_default(self) -> None:
        """Raise NotImplementedError unless tensors are made here anyway: on the CPU.

        >>> device("cpu").check_default()
        """
        if self.type != "cpu":
            raise NotImplementedError(
                f"'{self}' as the default device is not implemented: pass device= where tensors "
                "are made, or move them with .to()"
            )

    def __enter__(self) -> device:
        self.check_default()
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self):
        return device, (self.type,) if self.index is None else (self.type, self.index)


def from_jax(jax_device: Any) -> device:
    """The name of a JAX device: `cpu` without an index, others with one, as PyTorch names them.

    >>> from_jax(jax.devices("cpu")[0])
    device(type='cpu')
    """
    if jax_device.platform == "cpu":
        return device("cpu")
    return device(_torch_name(jax_device.platform), jax_device.local_hardware_id or 0)


def _torch_name(platform: str) -> str:
    return "cuda" if platform == "gpu" else platform


def _parse(name: Any, index: int | None) -> tuple[str, int | None]:
    if isinstance(name, device) and index is None:
        return name.type, name.index
    if isinstance(name, int) and index is None:
        index = _check_index(name)
        return _accelerator(), index
    if not isinstance(name, str):
        raise TypeError(
            "device() received an invalid combination of arguments - got "
            f"({type(name).__name__}); pass a string such as 'cuda:0', a device or an int"
        )
    if not name:
        raise RuntimeError("Device string must not be empty; use one such as 'cpu'")
    if index is not None:
        if ":" in name:
            raise RuntimeError(
                "type (string) must not include an index because index was passed explicitly: "
                + name
            )
        return _check_type(name, name), _check_index(index)
    return _parse_string(name)


def _parse_string(name: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"([a-z_]+)(?::(0|[1-9][0-9]*))?", name)
    if match is None and ":" in name:
        raise RuntimeError(f"Invalid device string: '{name}'; the form is 'type' or 'type:index'")
    index = match and match[2]
    return _check_type(match[1] if match else name, name), int(index) if index else None


def _check_type(name: str, whole: str) -> str:
    if name not in _TYPES:
        raise RuntimeError(
            f"Expected one of {', '.join(_TYPES)} device type at start of device string: {whole}"
        )
    return name


def _check_index(index: int) -> int:
    if index < 0:
        raise RuntimeError(f"Device index must not be negative; got {index}")
    return index


def _accelerator() -> str:
    if jax.default_backend() == "cpu":
        raise RuntimeError(
            "Cannot access accelerator device when none is available. A device given by number is "
            "an accelerator, and JAX has only the cpu here; say 'cpu'"
        )
    return _torch_name(jax.default_backend())


class _Constant:
    """A named constant of PyTorch's; one object, also after pickling and copying."""

    __slots__ = ("_name",)

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class layout(_Constant):
    """How the elements of a tensor are stored; `strided` is the only one that tensors here have.

    >>> import stateful as torch
    >>> torch.ones(1).layout
    torch.strided
    """

    __slots__ = ()


class memory_format(_Constant):
    """The order of dimensions in memory that an op gives its result.

    >>> import stateful as torch
    >>> torch.channels_last
    torch.channels_last
    """

    __slots__ = ()


strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
jagged = layout("jagged")

contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
