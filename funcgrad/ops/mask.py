"""Elements chosen by a mask, and shapes that depend on data.

An op's shape must be known before it runs. A function whose result has as many elements as the data
says first asks for that number, which needs values at hand, and then calls an op with it.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import lax

from ..composite import composite, overloads
from ..op import op
from ..signature import Size
from ..types import index_dtype
from .choose import check_mask, check_overflow, masked_fill_scalar, where_self
from .compare import ne
from .dims import wrap_dim
from .index import index_select, zeros_of
from .join import unbind
from .rearrange import repeat_each
from .reduce import sum_all
from .shape import broadcast_shape, flatten
from .view import expand, reshape

# -- fill ------------------------------------------------------------------------------------------


@op(
    "masked_fill.Tensor", grad_fn="MaskedFillBackward1", inplace=True,
    vjp=dict(
        self=lambda grad, mask: masked_fill_scalar(grad, mask, 0),
        value=lambda grad, mask: where_self(mask, grad, zeros_of(grad, ())),
    ),
)  # fmt: skip
def masked_fill_tensor(self, mask, value):
    """The zero-dim tensor ``value`` where ``mask`` is True."""
    check_mask(mask, "masked_fill_")
    if value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    check_overflow(self, value)
    return jnp.where(mask, value.astype(self.dtype), self)


@op(
    "index_put.mask", grad_fn="IndexPutBackward0", face="private", inplace=True,
    vjp=dict(
        self=lambda grad, mask: masked_fill_scalar(grad, mask, 0),
        values=lambda grad, mask: where_self(mask, grad, zeros_of(grad, ())),
    ),
)  # fmt: skip
def index_put_mask(self, mask, values):
    """``self[mask] = values`` for a zero-dim ``values``: `index_put` whose shape is known."""
    return jnp.where(mask, jnp.asarray(values).astype(self.dtype), self)


masked_fill = overloads("masked_fill", masked_fill_scalar, masked_fill_tensor)


# -- scatter and select ----------------------------------------------------------------------------


def _ranks(mask):
    """For every True in ``mask`` how many there are before it."""
    return lax.reshape(jnp.cumsum(jnp.ravel(mask)) - 1, mask.shape)


@op(
    "masked_scatter_backward", grad_fn="MaskedScatterBackwardBackward0", face="private",
    vjp=dict(grad_output=lambda grad, grad_output_sym_sizes, mask: masked_scatter(
        zeros_of(grad, grad_output_sym_sizes), mask, grad)),
)  # fmt: skip
def masked_scatter_backward(grad_output, mask, sizes: Size):
    """The elements at the mask, one after the other, zeros for what is left of ``sizes``."""
    mask = jnp.broadcast_to(mask, grad_output.shape)
    count = math.prod(sizes)
    places = jnp.where(mask, _ranks(mask), count)
    return lax.reshape(jnp.zeros(count, grad_output.dtype).at[places].add(grad_output), sizes)


@op(
    "masked_scatter", grad_fn="MaskedScatterBackward0", inplace=True,
    vjp=dict(
        self=lambda grad, mask: masked_fill_scalar(grad, mask, 0),
        source=lambda grad, mask, source_sym_sizes: masked_scatter_backward(
            grad, mask, source_sym_sizes),
    ),
)  # fmt: skip
def masked_scatter(self, mask, source):
    """The elements of ``source``, in order, where ``mask`` is True.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.masked_scatter(jnp.zeros(3), jnp.array([True, False, True]), jnp.array([1.0, 2.0]))
    Array([1., 0., 2.], dtype=float32)
    """
    check_mask(mask, "masked_scatter_")
    if self.dtype != source.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{self.dtype} and {source.dtype}"
        )
    shape = broadcast_shape(self.shape, mask.shape)
    mask = jnp.broadcast_to(mask, shape)
    self = jnp.broadcast_to(self, shape)
    if not source.size:
        return self
    taken = lax.reshape(source, (source.size,)).at[_ranks(mask)].get(mode="fill")
    return jnp.where(mask, taken, self)


def _masked_select_self(grad, self, mask):
    shape = broadcast_shape(self.shape, mask.shape)
    return masked_scatter(zeros_of(grad, shape), mask, grad)


@op("_masked_select", grad_fn="MaskedSelectBackward0", face="private",
    vjp=dict(self=_masked_select_self))  # fmt: skip
def _masked_select(self, mask, count: int):
    """The ``count`` elements where ``mask`` is True."""
    shape = broadcast_shape(self.shape, mask.shape)
    places = jnp.nonzero(jnp.ravel(jnp.broadcast_to(mask, shape)), size=count)[0]
    return jnp.ravel(jnp.broadcast_to(self, shape))[places]


@composite()
def masked_select(input, mask):
    """The elements where ``mask`` is True, as a vector; needs the values of the mask.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.masked_select(jnp.arange(3), jnp.array([True, False, True]))
    Array([0, 2], dtype=int32)
    """
    check_mask(mask, "masked_select")
    shape = broadcast_shape(input.shape, mask.shape)
    return _masked_select(input, mask, int(sum_all(expand(mask, shape))))


# -- places ----------------------------------------------------------------------------------------


@op("nonzero_static")
def nonzero_static(self, *, size: int, fill_value: int = -1):
    """The places of the first ``size`` elements that are not zero, one a row, then ``fill_value``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nonzero_static(jnp.array([0, 5]), size=2)
    Array([[ 1],
           [-1]], dtype=int32)
    """
    if not self.ndim:
        return jnp.zeros((size, 0), index_dtype())
    places = jnp.nonzero(self, size=size, fill_value=fill_value)
    return jnp.stack(places, axis=1).astype(index_dtype())


@composite()
def nonzero(input, *, as_tuple=False):
    """The places of all elements that are not zero, one a row; needs the values.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nonzero(jnp.array([0, 5, 6]))
    Array([[1],
           [2]], dtype=int32)
    """
    if as_tuple and input.ndim == 0:
        return nonzero(reshape(input, (1,)), as_tuple=True)
    rows = nonzero_static(input, size=int(sum_all(ne(input, 0))))
    return tuple(unbind(rows, 1)) if as_tuple else rows


@composite()
def argwhere(input):
    """`nonzero` under NumPy's name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.argwhere(jnp.array([0.0, 3.0, 4.0]))
    Array([[1],
           [2]], dtype=int32)
    """
    return nonzero(input)


@composite(face="torch")
def where(condition, input=None, other=None):
    """``input`` where ``condition`` holds, ``other`` elsewhere; all broadcast together.

    ``where(condition)`` is ``nonzero(condition, as_tuple=True)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.where(jnp.array([True, False]), jnp.ones(2), 0.0)
    Array([1., 0.], dtype=float32)
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError(
            "where() received an invalid combination of arguments: it takes a condition alone, or "
            "a condition and both input and other"
        )
    return where_self(condition, input, other)


@composite("where", face="method")
def where_method(self, condition, other):
    """``self`` where ``condition`` holds, ``other`` elsewhere: `where` as a method."""
    return where_self(condition, self, other)


@op("repeat_interleave.Tensor", face="private")
def _repeated_places(repeats, *, output_size: int | None = None):
    """Every place of ``repeats`` as often as it says."""
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    places = jnp.arange(repeats.size, dtype=index_dtype())
    return jnp.repeat(places, repeats, total_repeat_length=output_size)


@composite()
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Every part along ``dim`` several times in a row; ``repeats`` is a number or a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.repeat_interleave(jnp.array([3, 4]), jnp.array([1, 2]))
    Array([3, 4, 4], dtype=int32)
    """
    if repeats is None:
        output_size = int(sum_all(input)) if output_size is None else output_size
        return _repeated_places(input, output_size=output_size)
    if isinstance(repeats, int):
        return repeat_each(input, repeats, dim)
    if dim is None:
        input, dim = flatten(input), 0
    length = input.shape[wrap_dim(dim, input.ndim)]
    if math.prod(repeats.shape) == 1:
        repeats = expand(reshape(repeats, (1,)), (length,))
    if repeats.shape[0] != length:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats.shape[0]} and input.size({dim}) = {length}"
        )
    output_size = int(sum_all(repeats)) if output_size is None else output_size
    return index_select(input, dim, _repeated_places(repeats, output_size=output_size))
