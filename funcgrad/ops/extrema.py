"""Largest and smallest elements, and where they are."""

from __future__ import annotations

import jax.numpy as jnp

from .. import types
from ..composite import overloads
from ..op import op
from ..signature import Size
from .arithmetic import mul
from .choose import maximum, minimum
from .creation import zeros_like
from .dims import wrap_dim
from .index import zeros_of
from .mask import masked_fill_tensor
from .reduce import dims_of, restore, sum_all, sum_dim
from .scatter import gather, scatter_value
from .view import reshape, unsqueeze


@op(
    "_scatter_once", grad_fn="ScatterBackward0", face="private",
    vjp=dict(
        self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
        src=lambda grad, dim, index: gather(grad, dim, index),
    ),
)  # fmt: skip
def _scatter_once(self, dim: int, index, src):
    """`scatter` to places of which none is taken twice, which JAX can transpose."""
    if not self.ndim:
        return jnp.asarray(src)
    key = list(jnp.indices(index.shape, sparse=True))
    key[wrap_dim(dim, self.ndim)] = index
    return self.at[tuple(key)].set(src, unique_indices=True)


def spread(grad, dim, indices, sizes, keepdim):
    """``grad`` at the selected places along ``dim``, zeros elsewhere."""
    if sizes and not keepdim:
        grad, indices = unsqueeze(grad, dim), unsqueeze(indices, dim)
    return _scatter_once(zeros_of(grad, sizes), dim, indices, grad)


def selecting(grad, self_sym_sizes, dim, indices, keepdim):
    """The selected element takes the whole gradient, on ties too."""
    return spread(grad, dim, indices, self_sym_sizes, keepdim)


def _evenly(grad, self, result):
    """Ties share the gradient evenly; if there is a nan, all nans do."""
    taken = (self == result) | ((self != self) & (result != result))
    return masked_fill_tensor(zeros_like(self), taken, grad / sum_all(taken))


def check_not_empty(name: str, self) -> None:
    if not self.size:
        kind = IndexError if name in ("argmax", "argmin") else RuntimeError
        raise kind(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )


def along(name: str, self, dim: int) -> int:
    """``dim`` counted from the front; RuntimeError if it has no elements to choose from."""
    dim = wrap_dim(dim, self.ndim)
    if self.ndim and not self.shape[dim]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    return dim


def _no_complex(name: str, self) -> None:
    if types.is_complex(self.dtype):
        raise RuntimeError(f"{name}(): does not support complex input: it has no order")


def taken(self, position, dim: int, keepdim: bool):
    """Values and indices at ``position``, whose ``dim`` has one place."""
    values = jnp.take_along_axis(self, position, dim)
    if not keepdim:
        values, position = jnp.squeeze(values, dim), jnp.squeeze(position, dim)
    return values, position.astype(types.index_dtype())


def _extreme(name: str, self, dim: int, keepdim: bool, position):
    _no_complex(name, self)
    dim = along(name, self, dim)
    if not self.ndim:
        return self, jnp.zeros((), types.index_dtype())
    return taken(self, position(self, dim, keepdims=True), dim, keepdim)


@op("max", grad_fn="MaxBackward1", vjp=dict(self=_evenly))
def max_all(self):
    """The largest element; nan if there is one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max(jnp.array([1.0, 3.0]))
    Array(3., dtype=float32)
    """
    check_not_empty("max", self)
    return jnp.max(self)


@op("min", grad_fn="MinBackward1", vjp=dict(self=_evenly))
def min_all(self):
    """The smallest element; nan if there is one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.min(jnp.array([1.0, 3.0]))
    Array(1., dtype=float32)
    """
    check_not_empty("min", self)
    return jnp.min(self)


@op("max.dim", grad_fn="MaxBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def max_dim(self, dim: int, keepdim: bool = False):
    """The largest elements along ``dim`` and their indices, the first on ties.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.max(jnp.array([[1, 3]]), 1)
    (Array([3], dtype=int32), Array([1], dtype=int32))
    """
    return _extreme("max", self, dim, keepdim, jnp.argmax)


@op("min.dim", grad_fn="MinBackward0", outputs=("values", "indices"),
    vjp=dict(self=lambda grad_values, self_sym_sizes, dim, indices, keepdim: (
        selecting(grad_values, self_sym_sizes, dim, indices, keepdim)
    )))  # fmt: skip
def min_dim(self, dim: int, keepdim: bool = False):
    """The smallest elements along ``dim`` and their indices, the first on ties.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.min(jnp.array([[1, 3]]), 1)
    (Array([1], dtype=int32), Array([0], dtype=int32))
    """
    return _extreme("min", self, dim, keepdim, jnp.argmin)


max = overloads("max", max_all, max_dim, maximum)
min = overloads("min", min_all, min_dim, minimum)


def _shared(grad, self, dim, keepdim, result):
    """Ties share the gradient evenly; if there is a nan, everything gets nan."""
    dims = dims_of(dim, self.ndim)
    taken = restore(result, dims, keepdim, self.ndim) == self
    shape = [1 if i in dims else n for i, n in enumerate(self.shape)]
    grad = grad if keepdim else reshape(grad, shape)
    return mul(grad / sum_dim(taken, dims, True), taken)


def _reduced(name: str, self, dim, keepdim, reduce):
    if dim == ():
        check_not_empty(name, self)
    dims = dims_of(dim, self.ndim)
    for i in dims:
        along(name, self, i)
    return reduce(self, dims, keepdims=keepdim)


@op("amax", grad_fn="AmaxBackward0", vjp=dict(self=_shared))
def amax(self, dim: Size = (), keepdim: bool = False):
    """The largest elements over some dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.amax(jnp.array([[1, 3]]), 1)
    Array([3], dtype=int32)
    """
    return _reduced("amax", self, dim, keepdim, jnp.max)


@op("amin", grad_fn="AminBackward0", vjp=dict(self=_shared))
def amin(self, dim: Size = (), keepdim: bool = False):
    """The smallest elements over some dimensions.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.amin(jnp.array([[1, 3]]), 1)
    Array([1], dtype=int32)
    """
    return _reduced("amin", self, dim, keepdim, jnp.min)


def _aminmax_self(self, dim, keepdim, grad_min, grad_max, min, max):
    """Ties share each gradient evenly."""
    dim = () if dim is None else (dim,)
    low = _shared(grad_min, self, dim, keepdim, min)
    return low + _shared(grad_max, self, dim, keepdim, max)


@op("aminmax", grad_fn="AminmaxBackward0", outputs=("min", "max"), vjp=dict(self=_aminmax_self))
def aminmax(self, *, dim: int | None = None, keepdim: bool = False):
    """The smallest and the largest elements along ``dim`` (None: all).

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.aminmax(jnp.array([1, 3]))
    (Array(1, dtype=int32), Array(3, dtype=int32))
    """
    if dim is None and not self.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    dims = () if dim is None else (dim,)
    return tuple(_reduced("aminmax", self, dims, keepdim, f) for f in (jnp.min, jnp.max))


def _position(name: str, self, dim, keepdim: bool, find):
    _no_complex(name, self)
    if dim is None:
        check_not_empty(name, self)
        result = find(self)
        return (jnp.reshape(result, (1,) * self.ndim) if keepdim else result).astype(
            types.index_dtype()
        )
    dim = along(name, self, dim)
    if not self.ndim:
        return jnp.zeros((), types.index_dtype())
    return find(self, dim, keepdims=keepdim).astype(types.index_dtype())


@op("argmax")
def argmax(self, dim: int | None = None, keepdim: bool = False):
    """The index of the largest element, the first on ties; of all elements if ``dim`` is None.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.argmax(jnp.array([1, 3]))
    Array(1, dtype=int32)
    """
    return _position("argmax", self, dim, keepdim, jnp.argmax)


@op("argmin")
def argmin(self, dim: int | None = None, keepdim: bool = False):
    """The index of the smallest element, the first on ties; of all elements if ``dim`` is None.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.argmin(jnp.array([1, 3]))
    Array(0, dtype=int32)
    """
    return _position("argmin", self, dim, keepdim, jnp.argmin)


def _truth(self, dim, keepdim, reduce):
    """uint8 stays uint8, as in PyTorch; everything else becomes bool."""
    result = reduce(self, dims_of(dim, self.ndim), keepdims=keepdim)
    return result.astype(self.dtype) if self.dtype == jnp.uint8 else result


@op("all")
def all_all(self):
    """Whether all elements are not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.all(jnp.array([1, 0]))
    Array(False, dtype=bool)
    """
    return _truth(self, None, False, jnp.all)


@op("all.dim")
def all_dim(self, dim: int, keepdim: bool = False):
    """Whether all elements along ``dim`` are not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.all(jnp.array([[1, 0]]), 0)
    Array([ True, False], dtype=bool)
    """
    return _truth(self, dim, keepdim, jnp.all)


@op("all.dims")
def all_dims(self, dim: Size | None = None, keepdim: bool = False):
    """Whether all elements over some dimensions are not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.all(jnp.array([[1, 0]]), (0, 1))
    Array(False, dtype=bool)
    """
    return _truth(self, dim, keepdim, jnp.all)


@op("any")
def any_all(self):
    """Whether some element is not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.any(jnp.array([1, 0]))
    Array(True, dtype=bool)
    """
    return _truth(self, None, False, jnp.any)


@op("any.dim")
def any_dim(self, dim: int, keepdim: bool = False):
    """Whether some element along ``dim`` is not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.any(jnp.array([[1, 0]]), 0)
    Array([ True, False], dtype=bool)
    """
    return _truth(self, dim, keepdim, jnp.any)


@op("any.dims")
def any_dims(self, dim: Size | None = None, keepdim: bool = False):
    """Whether some element over some dimensions is not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.any(jnp.array([[1, 0]]), (0, 1))
    Array(True, dtype=bool)
    """
    return _truth(self, dim, keepdim, jnp.any)


all = overloads("all", all_all, all_dim, all_dims)
any = overloads("any", any_all, any_dim, any_dims)


@op("count_nonzero.dim_IntList")
def count_nonzero(self, dim: Size | None = None):
    """How many elements over some dimensions (None: all) are not zero.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.count_nonzero(jnp.array([1, 0, 2]))
    Array(2, dtype=int32)
    """
    return jnp.sum(self != 0, dims_of(dim, self.ndim)).astype(types.index_dtype())
