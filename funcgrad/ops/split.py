"""One tensor taken apart into several: `split`, `chunk` and their kin."""

from __future__ import annotations

from jax import lax

from ..composite import composite
from ..op import op
from ..signature import Size
from ..signature import size as as_size
from .dims import wrap_dim
from .join import cat
from .slicing import slice_tensor


def _split(x, sizes, dim):
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    parts = zip(sizes, ends, strict=True)
    return [lax.slice_in_dim(x, end - size, end, 1, dim) for size, end in parts]


@op(
    "split.Tensor", grad_fn="SplitBackward0", is_view=True, outputs="list", face="private",
    vjp=dict(self=lambda grads, self_sym_sizes, split_size, dim: cat(grads, dim)),
)  # fmt: skip
def split_tensor(self, split_size: int, dim: int = 0):
    """Parts of ``split_size`` along dimension ``dim``; the last one may be smaller."""
    if self.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, self.ndim)
    if split_size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={split_size}"
        )
    length = self.shape[dim]
    if split_size == 0 and length:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}"
        )
    full, rest = divmod(length, split_size) if split_size else (0, 0)
    return _split(self, [split_size] * full + [rest] * bool(rest) or [length], dim)


@op(
    "split_with_sizes", grad_fn="SplitWithSizesBackward0", is_view=True, outputs="list",
    vjp=dict(self=lambda grads, self_sym_sizes, split_sizes, dim: cat(grads, dim)),
)  # fmt: skip
def split_with_sizes(self, split_sizes: Size, dim: int = 0):
    """Parts of the given sizes along dimension ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.split_with_sizes(jnp.ones(5), (2, 3))]
    [(2,), (3,)]
    """
    if self.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, self.ndim)
    if any(n < 0 for n in split_sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(split_sizes)}"
        )
    if sum(split_sizes) != self.shape[dim]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {self.shape[dim]} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={list(split_sizes)}"
        )
    return _split(self, split_sizes, dim)


@composite()
def split(tensor, split_size, dim=0):
    """Parts along dimension ``dim``: of one size, or of the sizes in a list.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.split(jnp.ones(5), 2)]
    [(2,), (2,), (1,)]
    """
    if isinstance(split_size, list | tuple):
        return split_with_sizes(tensor, split_size, dim)
    return split_tensor(tensor, split_size, dim)


@composite()
def chunk(input, chunks, dim=0):
    """At most ``chunks`` parts of one size along dimension ``dim``; the last may be smaller.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.chunk(jnp.ones(5), 3)]
    [(2,), (2,), (1,)]
    """
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input.shape[wrap_dim(dim, input.ndim)]
    if length == 0:
        return split_with_sizes(input, [0] * chunks, dim)
    return split_tensor(input, -(-length // chunks), dim)


@composite()
def tensor_split(input, indices_or_sections, dim=0):
    """A number of parts of nearly one size along ``dim``, or parts cut at the given indices.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.tensor_split(jnp.ones(5), 3)]
    [(2,), (2,), (1,)]
    """
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got 0")
    dim = wrap_dim(dim, input.ndim)
    length = input.shape[dim]
    if hasattr(indices_or_sections, "tolist"):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, list | tuple):
        cuts = [0, *as_size(indices_or_sections)]
        ends = [*cuts[1:], length]
    else:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        small, large = divmod(length, sections)
        sizes = [small + 1] * large + [small] * (sections - large)
        ends = [sum(sizes[: i + 1]) for i in range(sections)]
        cuts = [0, *ends[:-1]]
    return tuple(
        [slice_tensor(input, dim, start, end) for start, end in zip(cuts, ends, strict=True)]
    )


def _split_along(name: str, x, indices_or_sections, dim: int, least: int):
    if x.ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension"
            f"{'s' * (least > 1)}, but got a tensor with {x.ndim} dimensions!"
        )
    if isinstance(indices_or_sections, int) and (
        indices_or_sections == 0 or x.shape[dim] % indices_or_sections
    ):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the "
            f"dimension {x.shape[dim]} is not divisible by the split_size {indices_or_sections}!"
        )
    return tensor_split(x, indices_or_sections, dim)


@composite()
def hsplit(input, indices_or_sections):
    """`tensor_split` along the second dimension, or the only one; sections must be of one size.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.hsplit(jnp.ones((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    return _split_along("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@composite()
def vsplit(input, indices_or_sections):
    """`tensor_split` along the first dimension; sections must be of one size.

    >>> import jax.numpy as jnp, funcgrad
    >>> [part.shape for part in funcgrad.vsplit(jnp.zeros((4, 1)), 2)]
    [(2, 1), (2, 1)]
    """
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


@composite()
def dsplit(input, indices_or_sections):
    """`tensor_split` along the third dimension; sections must be of one size.

    >>> import jax.numpy as jnp, funcgrad
    >>> [part.shape for part in funcgrad.dsplit(jnp.zeros((1, 1, 4)), 2)]
    [(1, 1, 2), (1, 1, 2)]
    """
    return _split_along("dsplit", input, indices_or_sections, 2, 3)
