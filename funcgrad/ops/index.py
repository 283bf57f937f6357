"""Elements chosen by index tensors, and written there.

An index beyond the end is PyTorch's `IndexError` where the indices are at hand. Inside a compiled
program they are not: reading there gives nan (or the smallest integer), writing does nothing.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .. import types
from ..composite import overloads
from ..op import op
from ..signature import Scalar, Size, Tensors
from ..signature import dtype as as_dtype
from .dims import wrap_dim
from .matmul import _scaled
from .view import expand, reshape


def check_bounds(index, length: int, dim: int):
    """PyTorch's error for an index outside ``[-length, length - 1]``, where values are at hand."""
    if isinstance(index, jax.core.Tracer) or not index.size:
        return
    values = np.asarray(index)
    for value in (values.min(), values.max()):
        if not -length <= value < length:
            raise IndexError(
                f"index {value} is out of bounds for dimension {dim} with size {length}"
            )


_INTEGERS = {
    "index_fill": "index_fill_(): Expected dtype int64 for index",
    "index_copy": "index_copy_(): Expected a long tensor for index",
    "index_select": "index_select(): Expected dtype int32 or int64 for index",
    "index_add": "index_add_(): Expected dtype int32/int64 for index",
}
"""PyTorch's words for an index of another dtype, where they are not the usual ones."""


def check_integer(index, name: str):
    """PyTorch takes int32 and int64 indices."""
    if index.dtype not in (jnp.int32, jnp.int64):
        kind = IndexError if name == "index_fill" else RuntimeError
        rule = _INTEGERS.get(name, f"{name}(): Expected dtype int32/int64 for index")
        raise kind(f"{rule}, but got {index.dtype}")


def add_at(target, values):
    """``target.add(values)`` for the ``target`` ``x.at[...]``; the sum of booleans is their or."""
    return target.max(values) if values.dtype == jnp.bool_ else target.add(values)


@op("_new_zeros", face="private")
def zeros_of(self, size: Size):
    """Zeros of shape ``size`` in the dtype of ``self``."""
    return jnp.zeros(size, self.dtype)


# -- one index tensor a dimension ------------------------------------------------------------------


def check_indices(shape, indices):
    """PyTorch's errors for the `indices` of a tensor of ``shape``."""
    if len(indices) > len(shape):
        raise IndexError(
            f"too many indices for tensor of dimension {len(shape)} (got {len(indices)})"
        )
    given = [(length, i) for length, i in zip(shape, indices, strict=False) if i is not None]
    for place, (length, index) in enumerate(given):
        if as_dtype(index.dtype) not in (np.dtype(np.int32), np.dtype(np.int64)):
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if isinstance(index, jax.Array):
            check_bounds(index, length, place)
    shapes = [tuple(index.shape) for _, index in given]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(str(list(shape)) for shape in shapes)
        ) from None


def _key(shape, indices):
    """The index in NumPy's notation: None stands for a whole dimension. Masks need values."""
    expanded: list = []
    for index in indices:
        if index is None or index.dtype not in (jnp.bool_, jnp.uint8):
            expanded.append(index)
            continue
        dim = len(expanded)
        if index.shape != shape[dim : dim + index.ndim]:
            raise IndexError(
                f"The shape of the mask {list(index.shape)} at index {dim} does not match the "
                f"shape of the indexed tensor {list(shape)} at index {dim}"
            )
        expanded.extend(places.astype(jnp.int32) for places in jnp.nonzero(index))
    indices = expanded
    check_indices(shape, indices)
    return tuple(slice(None) if i is None else i for i in indices)


def _index_self(grad, self_sym_sizes, indices):
    return _index_put_in_gradient(zeros_of(grad, self_sym_sizes), indices, grad, True)


@op("index.Tensor", grad_fn="IndexBackward0", face="private", vjp=dict(self=_index_self))
def index_tensor(self, indices: Tensors):
    """The elements at integer ``indices``, one tensor for each leading dimension or None."""
    return self.at[_key(self.shape, indices)].get(mode="fill")


@op("_index_zero", grad_fn="IndexPutBackward0", face="private",
    vjp=dict(self=lambda grad, indices: _index_zero(grad, indices)))  # fmt: skip
def _index_zero(self, indices: Tensors):
    """Zeros at ``indices``. A selection, because only that can be transposed for any indices."""
    hit = jnp.zeros(self.shape, bool).at[_key(self.shape, indices)].set(True)
    return jnp.where(hit, jnp.zeros((), self.dtype), self)


def _index_put_self(grad, indices, accumulate):
    return grad if accumulate else _index_zero(grad, indices)


@op(
    "index_put", grad_fn="IndexPutBackward0", inplace=True, face="private",
    vjp=dict(self=_index_put_self, values=lambda grad, indices: index_tensor(grad, indices)),
)  # fmt: skip
def index_put_tensors(self, indices: Tensors, values, accumulate: bool = False):
    """``values`` written, or added, at integer ``indices``."""
    if self.dtype != values.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{self.dtype} for the destination and {values.dtype} for the source."
        )
    target = self.at[_key(self.shape, indices)]
    wanted = jax.eval_shape(target.get).shape
    try:
        values = jnp.broadcast_to(values, wanted)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to "
            f"indexing result of shape {list(wanted)}"
        ) from None
    return add_at(target, values) if accumulate else target.set(values)


@op(
    "_index_put_in_gradient", grad_fn="IndexPutImplBackward0", face="private",
    vjp=dict(self=_index_put_self, values=lambda grad, indices: index_tensor(grad, indices)),
)  # fmt: skip
def _index_put_in_gradient(self, indices: Tensors, values, accumulate: bool = False):
    """`index_put`, under the name that its node has in the gradient of an index."""
    return index_put_tensors.fn(self, indices, values, accumulate)


# -- one vector of indices along one dimension -----------------------------------------------------


def _vector(index, length: int, dim: int, name: str):
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got {index.ndim}-D")
    check_integer(index, name)
    check_bounds(index, length, dim)
    return jnp.atleast_1d(index)


def _lines(x, dim: int, index, name: str):
    """A wrapped ``dim``, ``x`` with at least one dimension and the key of ``x.at``."""
    dim = wrap_dim(dim, x.ndim)
    x = jnp.atleast_1d(x)
    index = _vector(index, x.shape[dim], dim, name)
    return dim, x, (slice(None),) * dim + (index,)


def _index_select_self(grad, self_sym_sizes, dim, index):
    return index_add(zeros_of(grad, self_sym_sizes), dim, index, grad)


@op("index_select", grad_fn="IndexSelectBackward0", vjp=dict(self=_index_select_self))
def index_select(self, dim: int, index):
    """The parts of dimension ``dim`` at ``index``, a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_select(jnp.arange(4), 0, jnp.array([3, 3]))
    Array([3, 3], dtype=int32)
    """
    _, x, key = _lines(self, dim, index, "index_select")
    chosen = x.at[key].get(mode="fill")
    return chosen if self.ndim else lax.reshape(chosen, ())


def _index_source(grad, source, dim, index):
    """The lines at ``index``, in the shape of ``source``."""
    if not source.ndim:
        return index_select(grad, dim, reshape(index, ()) if index.ndim else index)
    return expand(index_select(grad, dim, index), source.shape)


@op(
    "index_add", grad_fn="IndexAddBackward0", inplace=True,
    vjp=dict(
        self=lambda grad: grad,
        source=lambda grad, source, dim, index, alpha: _scaled(
            _index_source(grad, source, dim, index), alpha),
    ),
)  # fmt: skip
def index_add(self, dim: int, index, source, *, alpha: Scalar = 1):
    """``alpha`` times the parts of ``source`` added to the parts at ``index``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_add(jnp.zeros(3), 0, jnp.array([1, 1]), jnp.ones(2))
    Array([0., 2., 0.], dtype=float32)
    """
    dim, x, key = _lines(self, dim, index, "index_add")
    source = _checked_source(self, source, dim, key[-1], "index_add")
    added = source * jnp.asarray(alpha).astype(self.dtype)
    return lax.reshape(add_at(x.at[key], added), self.shape)


def _checked_source(x, source, dim: int, index, name: str):
    if x.dtype != source.dtype:
        raise RuntimeError(
            f"{name}(): self ({x.dtype}) and source ({source.dtype}) must have the same scalar type"
        )
    source = jnp.atleast_1d(source)
    wanted = list(jnp.atleast_1d(x).shape)
    found = source.shape[dim] if dim < source.ndim else source.size
    if index.size != found:
        error = IndexError if name == "index_copy" else RuntimeError
        raise error(
            f"{name}_(): Number of indices ({index.size}) should be equal to source.size(dim): "
            f"({found}), for dim: {dim}"
        )
    wanted[dim] = index.size
    if list(source.shape) != wanted:
        raise RuntimeError(
            f"{name}_(): source tensor shape must match self tensor shape, excluding the specified "
            f"dimension. Got self.shape = {list(x.shape)} source.shape = {list(source.shape)}; "
            f"{wanted} is needed."
        )
    return source


@op(
    "index_copy", grad_fn="IndexCopyBackward0", inplace=True,
    vjp=dict(
        self=lambda grad, dim, index: index_fill_scalar(grad, dim, index, 0),
        source=_index_source,
    ),
)  # fmt: skip
def index_copy(self, dim: int, index, source):
    """The parts of ``source`` written at ``index``; of an index that comes twice, one of them.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_copy(jnp.zeros(3), 0, jnp.array([1]), jnp.ones(1))
    Array([0., 1., 0.], dtype=float32)
    """
    dim, x, key = _lines(self, dim, index, "index_copy")
    source = _checked_source(self, source, dim, key[-1], "index_copy")
    return lax.reshape(x.at[key].set(source), self.shape)


def _is_hit(x, dim: int, index):
    """Whether a part of dimension ``dim`` is at ``index``, in a shape that broadcasts to ``x``."""
    dim = wrap_dim(dim, x.ndim)
    length = x.shape[dim] if x.ndim else 1
    if index.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar: index_fill() got {index.ndim}-D")
    index = _vector(index, length, dim, "index_fill")
    hit = jnp.zeros(length, bool).at[index].set(True)
    return lax.reshape(hit, (length, *(1,) * (x.ndim - dim - 1)) if x.ndim else ())


@op("index_fill.int_Scalar", grad_fn="IndexFillBackward0", inplace=True,
    vjp=dict(self=lambda grad, dim, index: index_fill_scalar(grad, dim, index, 0)))  # fmt: skip
def index_fill_scalar(self, dim: int, index, value: Scalar):
    """``value`` in all parts of dimension ``dim`` at ``index``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_fill(jnp.zeros(3), 0, jnp.array([0, 2]), 5.0)
    Array([5., 0., 5.], dtype=float32)
    """
    if jnp.iscomplexobj(value) and not types.is_complex(self.dtype):
        raise RuntimeError(
            "index_fill_(): Converting complex Scalar to non-complex type is not supported"
        )
    return jnp.where(_is_hit(self, dim, index), jnp.asarray(value).astype(self.dtype), self)


@op("_index_keep", face="private",
    vjp=dict(self=lambda grad, dim, index: _index_keep(grad, dim, index)))  # fmt: skip
def _index_keep(self, dim: int, index):
    """Zeros everywhere but at ``index``; what `index_fill` overwrites."""
    return jnp.where(_is_hit(self, dim, index), self, jnp.zeros((), self.dtype))


@op(
    "index_fill.int_Tensor", grad_fn="IndexFillBackward1", inplace=True,
    vjp=dict(
        self=lambda grad, dim, index: index_fill_scalar(grad, dim, index, 0),
        value=lambda grad, dim, index: _index_keep(grad, dim, index),
    ),
)  # fmt: skip
def index_fill_tensor(self, dim: int, index, value):
    """The zero-dim tensor ``value`` in all parts of dimension ``dim`` at ``index``."""
    if value.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    return jnp.where(_is_hit(self, dim, index), jnp.asarray(value).astype(self.dtype), self)


index_fill = overloads("index_fill", index_fill_scalar, index_fill_tensor)


# -- places in the tensor as a vector --------------------------------------------------------------


def _flat(shape, index, name: str):
    count = math.prod(shape)
    if index.dtype not in (jnp.int32, jnp.int64):
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {index.dtype}")
    if not count and index.size:
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    check_bounds(index, count, 0)
    return index


@op("take", grad_fn="TakeBackward0",
    vjp=dict(self=lambda grad, self, index: put(
        zeros_of(grad, self.shape), index, grad, True)))  # fmt: skip
def take(self, index):
    """The elements at ``index`` of the tensor as a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.take(jnp.arange(4).reshape(2, 2), jnp.array([3]))
    Array([3], dtype=int32)
    """
    index = _flat(self.shape, index, "take")
    return lax.reshape(self, (self.size,)).at[index].get(mode="fill")


def _put_self(grad, index, accumulate):
    if accumulate:
        return grad
    vector = reshape(grad, (math.prod(grad.shape),))
    return reshape(_index_zero(vector, [index]), grad.shape)


@op(
    "put", grad_fn="PutBackward0", inplace=True,
    vjp=dict(
        self=_put_self,
        source=lambda grad, index, source: reshape(take(grad, index), source.shape),
    ),
)  # fmt: skip
def put(self, index, source, accumulate: bool = False):
    """``source`` written, or added, at ``index`` of the tensor as a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.put(jnp.zeros(3), jnp.array([1]), jnp.ones(1))
    Array([0., 1., 0.], dtype=float32)
    """
    index = _flat(self.shape, index, "put_")
    if index.size != source.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.size}, index.numel() = {index.size}"
        )
    if self.dtype != source.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{self.dtype} and source.dtype = {source.dtype}"
        )
    target = lax.reshape(self, (self.size,)).at[lax.reshape(index, (index.size,))]
    values = lax.reshape(source, (source.size,))
    return lax.reshape(add_at(target, values) if accumulate else target.set(values), self.shape)
