"""What view ops give, as tensors of their own: ``view_copy``, ``narrow_copy``, ``unsafe_split``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from funcgrad.composite import Overloads
from funcgrad.op import Op
from funcgrad.ops import complexes, join, places, slicing, split, view
from funcgrad.signature import Size

from .dispatch import call
from .faces import public
from .methods import FUNCTIONS
from .tensor import Tensor


def _copying(op: Op, name: str, grad_fn: str | None) -> Op:
    """The op with the values and the gradient of a view op that makes a tensor of its own."""
    overload = op.aten.partition(".")[1:]
    return Op(op.fn, name + "".join(overload), grad_fn, dict(op.vjp), {"outputs": op.outputs})


_VIEWS: dict[str, tuple[Op, ...]] = {
    "alias": (view.alias,), "as_strided": (places.as_strided,), "detach": (view.detach,),
    "diagonal": (places.diagonal,), "expand": (view.expand,), "permute": (view.permute,),
    "select": (slicing.select,), "slice": (slicing.slice_tensor,),
    "split": (split.split_tensor,), "split_with_sizes": (split.split_with_sizes,),
    "squeeze": tuple(view.squeeze.ops), "t": (view.t,), "transpose": (view.transpose,),
    "unbind": (join.unbind,), "unfold": (places.unfold,), "unsqueeze": (view.unsqueeze,),
    "view": (view.view_size,), "view_as_complex": (complexes.view_as_complex,),
    "view_as_real": (complexes.view_as_real,),
}  # fmt: skip


_CALLS = {
    "alias": "", "as_strided": ", (2,), (1,)", "detach": "", "diagonal": "",
    "expand": ", (3, 2, 2)",
    "permute": ", (1, 0)", "select": ", 0, 1", "slice": ", 0, 1", "split": ", 1",
    "split_with_sizes": ", [1, 1]", "squeeze": "", "t": "", "transpose": ", 0, 1", "unbind": "",
    "unfold": ", 0, 2, 1", "unsqueeze": ", 0", "view": ", (4,)", "view_as_complex": "",
    "view_as_real": " + 0j",
}  # fmt: skip
"""How each is called on a matrix, for the example in its docstring."""


def _doc(name: str) -> str:
    view = name.removesuffix("_copy")
    part = "[0]" if view in ("split", "split_with_sizes", "unbind") else ""
    return (
        f"`{view}` whose result shares no memory.\n\n"
        "    >>> import stateful as torch\n"
        "    >>> x = torch.ones(2, 2)\n"
        f"    >>> torch.{name}(x{_CALLS[view]}){part}.data_ptr() == x.data_ptr()\n"
        "    False\n    "
    )


def _function(name: str, ops: tuple[Op, ...]) -> Callable:
    copies = [_copying(op, name, op.grad_fn and f"{op.grad_fn}_copy") for op in ops]
    function = public(copies[0] if len(copies) == 1 else Overloads(name, *copies))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = _doc(name)
    return function


def _as_strided_scatter(self, src, size: Size, stride: Size, storage_offset: int | None = None):
    memory = jnp.arange(self.size).reshape(self.shape)
    where = places.as_strided.fn(memory, size, stride, storage_offset)
    if src.shape != where.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(where.shape)}"
        )
    flat = lax.reshape(self, (self.size,))
    return lax.reshape(flat.at[where].set(src.astype(self.dtype)), self.shape)


def _scatter_self(grad, self_sym_sizes, size, stride, storage_offset):
    """PyTorch's: the gradient at the places that were overwritten, zero at those that stay.

    The derivative is the opposite. PyTorch 2.13 returns this, and so does this function.
    """
    here = places.as_strided(grad, size, stride, storage_offset)
    return places.as_strided_backward(here, self_sym_sizes, size, stride, storage_offset)


_SCATTER = Op(
    _as_strided_scatter, "as_strided_scatter", "AsStridedScatterBackward0",
    dict(
        self=_scatter_self,
        src=lambda grad, size, stride, storage_offset: places.as_strided(
            grad, size, stride, storage_offset),
    ),
    {},
)  # fmt: skip
_UNSAFE_SPLIT = _copying(split.split_tensor, "unsafe_split", "UnsafeSplitBackward0")
_UNSAFE_SIZES = _copying(
    split.split_with_sizes, "unsafe_split_with_sizes", "UnsafeSplitWithSizesBackward0"
)
_NARROW = _copying(slicing.slice_tensor, "narrow_copy", "NarrowCopyBackward0")


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:  # fmt: skip
    """A copy of ``input`` whose elements at these strides are those of ``src``.

    Raises RuntimeError if ``src`` is not of shape ``size``.

    >>> import stateful as torch
    >>> torch.as_strided_scatter(torch.zeros(4), torch.ones(2), (2,), (2,))
    tensor([1., 0., 1., 0.])
    """
    return call(_SCATTER, (input, src, size, stride, storage_offset), {})


def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> Any:
    """`split` into tensors that may be written to, as they are no views.

    >>> import stateful as torch
    >>> torch.unsafe_split(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    return call(_UNSAFE_SPLIT, (input, split_size, dim), {})


def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """`split_with_sizes` into tensors that may be written to, as they are no views.

    >>> import stateful as torch
    >>> torch.unsafe_split_with_sizes(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return call(_UNSAFE_SIZES, (input, split_sizes, dim), {})


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """`chunk` into tensors that may be written to, as they are no views.

    >>> import stateful as torch
    >>> torch.unsafe_chunk(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    length: Any = input.shape[dim] if input.ndim else 0
    if length and chunks > 0:
        return unsafe_split(input, -(-length // chunks), dim)
    parts = input.detach().chunk(chunks, dim)
    return unsafe_split_with_sizes(input, [part.shape[dim] for part in parts], dim)


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`narrow` whose result shares no memory.

    >>> import stateful as torch
    >>> torch.narrow_copy(torch.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    input.detach().narrow(dim, start, length)  # raises what it has to say of the arguments
    start = start + input.shape[dim] if start < 0 else start
    return call(_NARROW, (input, dim, start, start + length, 1), {})


for _name, _ops in _VIEWS.items():
    FUNCTIONS["torch"][f"{_name}_copy"] = _function(f"{_name}_copy", _ops)
for _own in (as_strided_scatter, unsafe_split, unsafe_split_with_sizes, unsafe_chunk, narrow_copy):
    FUNCTIONS["torch"][_own.__name__] = _own
    setattr(Tensor, _own.__name__, _own)
