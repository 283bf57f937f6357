"""Views: the same elements under another shape or order of dimensions.

The formula of a view puts the elements of a gradient back at their places, with zeros at all
others; writing through a view uses it too.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from ..composite import composite, overloads
from ..op import op
from ..signature import DType, Size
from ..types import canonical
from .dims import expanded_size, infer_size, wrap_dim, wrap_dims


@op(
    "view", grad_fn="ViewBackward0", is_view=True,
    vjp=dict(self=lambda grad, self_sym_sizes: reshape(grad, self_sym_sizes)),
)  # fmt: skip
def view_size(self, size: Size):
    """The same elements under a new shape; one entry may be -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.view(jnp.arange(6), (2, -1)).shape
    (2, 3)
    """
    return lax.reshape(self, infer_size(size, self.size))


@op(
    "_reshape_alias", grad_fn="ReshapeAliasBackward0", is_view=True, face="private",
    vjp=dict(self=lambda grad, self_sym_sizes: reshape(grad, self_sym_sizes)),
)  # fmt: skip
def _reshape_alias(self, size: Size, stride: Size):
    """The `view` that `reshape` makes of what is not one row of memory."""
    return lax.reshape(self, infer_size(size, self.size))


@op("view.dtype", face="method", is_view=True)
def view_dtype(self, dtype: DType):
    """The same bytes read as another dtype; the last dimension shrinks or grows accordingly."""
    old, new = self.dtype.itemsize, canonical(dtype).itemsize
    if old == new:
        return _reinterpret(self, dtype)
    if self.ndim == 0:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {self.dtype} as {dtype} (different element sizes)"
        )
    if old > new:
        grown = (*self.shape[:-1], self.shape[-1] * old // new)
        return lax.reshape(_reinterpret(self, dtype), grown)
    if self.shape[-1] * old % new:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {new // old} to view {self.dtype} as {dtype} "
            f"(different element sizes), but got {self.shape[-1]}"
        )
    return _reinterpret(self, dtype)


def _reinterpret(x, dtype):
    """The arrays' method knows bool and complex numbers too, which XLA's primitive does not."""
    return x.view(canonical(dtype)) if x.ndim else x[None].view(canonical(dtype))[0]


view = overloads("view", view_size, view_dtype)


@op(
    "_unsafe_view", grad_fn="UnsafeViewBackward0", face="private",
    vjp=dict(self=lambda grad, self_sym_sizes: reshape(grad, self_sym_sizes)),
)  # fmt: skip
def _unsafe_view(self, size: Size):
    """A `view` of a temporary that nobody else can see, and so no view."""
    return lax.reshape(self, infer_size(size, self.size))


@composite()
def reshape(self, *shape):
    """The same elements under a new shape; one entry may be -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.reshape(jnp.arange(6), (2, -1)).shape
    (2, 3)
    """
    if hasattr(type(self), "__funcgrad_op__"):
        return self.reshape(*shape)  # strides say whether that is a view
    return view_size(self, *shape)


def in_order(x):
    """``x`` with its elements in order in memory, for what has an order there; arrays have none."""
    return x.contiguous() if hasattr(x, "contiguous") else x


def is_in_order(x) -> bool:
    """Whether the elements of ``x`` lie in order in memory; those of arrays count as if."""
    return not hasattr(x, "is_contiguous") or x.is_contiguous()


@op("alias", grad_fn="AliasBackward0", is_view=True, face="private",
    vjp=dict(self=lambda grad: grad))  # fmt: skip
def alias(self):
    """The tensor itself, as a view."""
    return self


@op("detach", is_view=True, inplace=True)
def detach(self):
    """The tensor itself, as a view through which no gradient flows.

    >>> import jax, jax.numpy as jnp, funcgrad
    >>> jax.grad(lambda x: x * funcgrad.detach(x))(3.0)
    Array(3., dtype=float32, weak_type=True)
    """
    return lax.stop_gradient(self)


@op(
    "expand", grad_fn="ExpandBackward0", is_view=True,
    vjp=dict(self=lambda grad, self_sym_sizes: grad if self_sym_sizes else grad.sum()),
)  # fmt: skip
def expand(self, size: Size, *, implicit: bool = False):
    """Dimensions of size 1 stretched to ``size``, and new ones in front; -1 keeps a dimension.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.expand(jnp.ones((3, 1)), (-1, 4)).shape
    (3, 4)
    """
    return jnp.broadcast_to(self, expanded_size(size, self.shape))


def _unsqueeze_to(grad, sizes, dims=None):
    """Put back the dimensions of size 1 of ``sizes``: all of them, or only ``dims``."""
    dims = range(len(sizes)) if dims is None else wrap_dims(dims, len(sizes))
    for dim in sorted(dims):
        if sizes and sizes[dim] == 1:
            grad = unsqueeze(grad, dim)
    return grad


@op(
    "squeeze", grad_fn="SqueezeBackward0", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, self_sym_sizes: _unsqueeze_to(grad, self_sym_sizes)),
)  # fmt: skip
def squeeze_all(self):
    """All dimensions of size 1 taken away.

    >>> import jax.numpy as jnp, funcgrad
    >>> x = jnp.zeros((1, 2, 1))
    >>> funcgrad.squeeze(x).shape, funcgrad.squeeze(x, 0).shape
    ((2,), (2, 1))
    """
    return lax.reshape(self, tuple(n for n in self.shape if n != 1))


@op(
    "squeeze.dim", grad_fn="SqueezeBackward1", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, self_sym_sizes, dim: _unsqueeze_to(grad, self_sym_sizes, (dim,))),
)  # fmt: skip
def squeeze_dim(self, dim: int):
    """Dimension ``dim`` taken away if its size is 1."""
    return _squeezed(self, (dim,))


@op(
    "squeeze.dims", grad_fn="SqueezeBackward2", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, self_sym_sizes, dim: _unsqueeze_to(grad, self_sym_sizes, dim)),
)  # fmt: skip
def squeeze_dims(self, dim: Size):
    """Those of the dimensions ``dim`` taken away whose size is 1."""
    return _squeezed(self, dim)


@op(
    "squeeze_.dim", grad_fn="SqueezeBackward4", face="private",
    vjp=dict(self=lambda grad, self_sym_sizes, dim: _unsqueeze_to(grad, self_sym_sizes, (dim,))),
)  # fmt: skip
def _squeeze_result(self, dim: int):
    """What `matmul` does to its own result, in place."""
    return _squeezed(self, (dim,))


@op(
    "unsqueeze_", grad_fn="UnsqueezeBackward1", face="private",
    vjp=dict(self=lambda grad, dim: squeeze_dim(grad, dim)),
)  # fmt: skip
def _unsqueeze_result(self, dim: int):
    """What `quantile` does to its own result, in place."""
    return lax.expand_dims(self, (wrap_dim(dim, self.ndim + 1),))


@op(
    "transpose_", grad_fn="TransposeBackward1", face="private",
    vjp=dict(self=lambda grad, dim0, dim1: transpose(grad, dim0, dim1)),
)  # fmt: skip
def _transpose_result(self, dim0: int, dim1: int):
    """What `stft` does to its own result, in place."""
    return jnp.swapaxes(self, dim0, dim1)


def _squeezed(x, dims):
    dims = wrap_dims(dims, x.ndim)
    return lax.reshape(x, tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in dims))


squeeze = overloads("squeeze", squeeze_all, squeeze_dim, squeeze_dims)


@op(
    "unsqueeze", grad_fn="UnsqueezeBackward0", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, dim: squeeze_dim(grad, dim)),
)  # fmt: skip
def unsqueeze(self, dim: int):
    """A new dimension of size 1 at ``dim``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unsqueeze(jnp.ones(3), -1).shape
    (3, 1)
    """
    return lax.expand_dims(self, (wrap_dim(dim, self.ndim + 1),))


@op(
    "transpose.int", grad_fn="TransposeBackward0", is_view=True, inplace=True,
    vjp=dict(self=lambda grad, dim0, dim1: transpose(grad, dim0, dim1)),
)  # fmt: skip
def transpose(self, dim0: int, dim1: int):
    """Two dimensions exchanged.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.transpose(jnp.ones((2, 3)), 0, 1).shape
    (3, 2)
    """
    first, second = wrap_dim(dim0, self.ndim), wrap_dim(dim1, self.ndim)
    return jnp.swapaxes(self, first, second) if self.ndim else self


@op("t", grad_fn="TBackward0", is_view=True, inplace=True, vjp=dict(self=lambda grad: t(grad)))
def t(self):
    """The transpose of a matrix; vectors and 0-dim tensors stay what they are.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.t(jnp.ones((2, 3))).shape
    (3, 2)
    """
    if self.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
    return self.T


def _permute_self(grad, dims):
    wrapped = [dim % len(dims) for dim in dims]
    return permute(grad, tuple(wrapped.index(i) for i in range(len(dims))))


@op("permute", grad_fn="PermuteBackward0", is_view=True, vjp=dict(self=_permute_self))
def permute(self, dims: Size):
    """The dimensions in the order ``dims``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.permute(jnp.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    if len(dims) != self.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {self.ndim} is not "
            f"equal to len(dims) = {len(dims)}"
        )
    wrapped = tuple(wrap_dim(dim, self.ndim) for dim in dims)
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError(f"permute(): duplicate dims are not allowed: {list(dims)}")
    return lax.transpose(self, wrapped)
