"""A custom function inside of `vmap`: its ``vmap`` staticmethod gets the whole batch.

As https://pytorch.org/docs/stable/notes/extending.func.html. What ``vmap`` does is done outside of
the innermost `vmap`, on Tensors that have the batch where ``in_dims`` says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .. import frames, modes
from ..dispatch import Face, wrap
from ..execute import Value


class VmapInfo(NamedTuple):
    """What a ``vmap`` staticmethod is told."""

    batch_size: int
    randomness: str


def is_batched(args: tuple) -> bool:
    """Whether any tensor among ``args`` differs from slice to slice."""
    arrays = [a._array for a in args if isinstance(a, Face.tensor)]
    return any(frame.batches(array) for frame in modes.vmap.frames for array in arrays)


def apply(cls: Any, args: tuple) -> Any:
    """``cls.apply(*args)``, some of which are batched: ``cls.vmap`` on the whole batch."""
    with frames.outside() as frame:
        parts = [frame.unbatch(a._array) if isinstance(a, Face.tensor) else (a, None) for a in args]
        given = [
            wrap(Value.of(part)) if isinstance(a, Face.tensor) and part is not a._array else a
            for a, (part, _) in zip(args, parts, strict=True)
        ]
        if all(dim is None for _, dim in parts):
            return cls.apply(*given)
        info = VmapInfo(frame.size, frame.randomness)
        outputs, out_dims = _checked(cls.vmap(info, tuple([dim for _, dim in parts]), *given))
        if not isinstance(outputs, tuple | list):
            return _slices(outputs, out_dims, frame)
        pairs = zip(outputs, out_dims, strict=True)
        return type(outputs)([_slices(out, dim, frame) for out, dim in pairs])


def _slices(out: Any, dim: int | None, frame: frames.Frame) -> Any:
    if dim is None or not isinstance(out, Face.tensor):
        return out
    with jax.enable_x64(True):
        return wrap(Value.of(frame.slices(jnp.moveaxis(out._array, dim, 0))))


def _checked(returned: Any) -> tuple:
    """What ``vmap`` returned, with a dimension for each output."""
    start = (
        "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree "
        "structure compatible with the output. Got "
    )
    if not isinstance(returned, tuple):
        raise RuntimeError(f"{start}a {type(returned)} instead")
    if len(returned) != 2:
        raise RuntimeError(f"{start}{len(returned)} returns instead")
    outputs, out_dims = returned
    many = isinstance(outputs, tuple | list)
    if out_dims is None or isinstance(out_dims, int):
        return outputs, [out_dims] * len(outputs) if many else out_dims
    if not many or type(out_dims) is not type(outputs) or len(out_dims) != len(outputs):
        raise RuntimeError(
            "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) "
            f"tuple. Expected out_dims={out_dims} to be compatible with the structure of "
            f"`output`, a {type(outputs).__name__}"
            f"{f' of {len(outputs)}' if many else ''}."
        )
    return outputs, out_dims
