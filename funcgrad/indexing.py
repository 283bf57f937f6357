"""What ``x[index]`` and ``x[index] = value`` mean, as calls of ops.

PyTorch turns an index into views (`select`, `slice`, `unsqueeze`) and at most one `index` or
`index_put`. `parse` does that for a shape, without looking at elements: integers, slices, None,
``...`` and booleans become views, index tensors and masks are collected. The rules are those of
``torch/csrc/autograd/python_variable_indexing.cpp``; an index works for arrays and for Tensors.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .composite import composite
from .op import Op, is_tensor
from .ops.compare import ne
from .ops.copying import copy, fill_tensor
from .ops.index import check_indices, index_put_tensors, index_tensor
from .ops.mask import index_put_mask, nonzero
from .ops.slicing import select, slice_tensor
from .ops.update import select_scatter, slice_scatter
from .ops.view import alias, expand, reshape, squeeze_dim, unsqueeze, view_size
from .signature import NUMBERS
from .signature import dtype as as_dtype
from .types import index_dtype

_BOOL, _BYTE = np.dtype(bool), np.dtype(np.uint8)


class Plan(NamedTuple):
    """The ops of an index: ``views`` first, each with its arguments, then one `index`.

    ``tensors`` holds an integer tensor, a mask or None for the leading dimensions of what the views
    give, which has ``shape``; a mask counts for as many dimensions as it has. It is empty if no
    `index` is needed.
    """

    views: tuple[tuple[Op, tuple], ...]
    tensors: tuple[Any, ...]
    shape: tuple[int, ...]


class Assignment(NamedTuple):
    """``x[index] = value``: apply ``views``, then ``op`` in place with ``args``."""

    views: tuple[tuple[Op, tuple], ...]
    op: Op
    args: tuple


def getitem(x, index):
    """``x[index]`` with PyTorch's meaning.

    Raises IndexError where PyTorch does. The values of masks must be known.

    >>> import jax.numpy as jnp
    >>> getitem(jnp.arange(6).reshape(2, 3), (..., [0, 2]))
    Array([[0, 2],
           [3, 5]], dtype=int32)
    """
    plan = parse(index, x.shape)
    x = apply(x, plan.views)
    return index_tensor(x, expand_masks(plan.tensors, plan.shape)) if plan.tensors else x


def setitem(x, index, value):
    """A copy of ``x`` with ``value`` at ``index``, the pure form of ``x[index] = value``.

    ``value`` is a number or an array that broadcasts to ``x[index]``.

    >>> import jax.numpy as jnp
    >>> setitem(jnp.zeros(3), slice(1, None), 5.0)
    Array([0., 5., 5.], dtype=float32)
    """
    views, op, args = assignment(x, index, value)
    return _written(x, list(views), op, args)


def assignment(x, index, value) -> Assignment:
    """The ops of ``x[index] = value`` for a tensor ``x``.

    A number goes to the places of a mask by `index_put_mask`, so that no shape depends on data.
    """
    views, tensors, shape = parse(index, x.shape)
    if not tensors:
        value = _as_tensor(x, value)
        if shape and not value.shape:
            return Assignment(views, fill_tensor, (value,))
        return Assignment(views, copy, (_spread(value, shape),))
    if _is_only_mask(tensors) and (isinstance(value, NUMBERS) or tuple(value.shape) == ()):
        mask = _spread_mask(tensors, shape)
        value = _number(x, value) if isinstance(value, NUMBERS) else value
        return Assignment(views, index_put_mask, (mask, value))
    indices = expand_masks(tensors, shape)
    return Assignment(views, index_put_tensors, (indices, _without_lead(_as_tensor(x, value))))


@composite()
def index_put(self, indices, values, accumulate=False):
    """``values`` written, or added, at ``indices``: integer tensors, masks or None.

    There is one for each leading dimension; a mask counts for as many as it has. ``values``
    broadcasts to what is there and has its dtype. The values of masks must be known; not if a
    zero-dim value, of any dtype, goes to the places of one mask.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.index_put(jnp.zeros(3), [jnp.array([1, 1])], jnp.ones(2), accumulate=True)
    Array([0., 2., 0.], dtype=float32)
    """
    op, args = placement(self, indices, values, accumulate)
    return op(self, *args)


def placement(x, indices, values, accumulate) -> tuple[Op, tuple]:
    """The op of ``index_put(x, indices, values, accumulate)`` and its arguments after ``x``."""
    indices = [None if item is None else _bytes_as_mask(item) for item in indices]
    if tuple(values.shape) == () and not accumulate and _is_only_mask(indices):
        return index_put_mask, (_spread_mask(indices, tuple(x.shape)), values)
    return index_put_tensors, (expand_masks(indices, tuple(x.shape)), values, accumulate)


def apply(x, views):
    """The last of ``views`` of ``x``."""
    for op, args in views:
        x = op(x, *args)
    return x


_PUT_BACK = {
    select: select_scatter,
    slice_tensor: slice_scatter,
    unsqueeze: lambda _, part, dim: squeeze_dim(part, dim),
    alias: lambda _, part: part,
}


def _written(x, views, op, args):
    if not views:
        return op(x, *args)
    (view, view_args), *rest = views
    part = _written(view(x, *view_args), rest, op, args)
    return _PUT_BACK[view](x, part, *view_args)


# -- parsing ---------------------------------------------------------------------------------------


def parse(index, shape) -> Plan:
    """The plan of ``index`` for a tensor of ``shape``.

    >>> parse((0, None), (2, 3))
    Plan(views=((<op select.int>, (0, 0)), (<op unsqueeze>, (0,))), tensors=(), shape=(1, 3))
    """
    shape = tuple(shape)
    if not _is_several(index):
        if isinstance(index, slice):
            return _Parser(shape, 0).run_slice(index)
        index = (index,)
    items = [_convert(item) for item in index]
    given = sum(map(_consumed, items))
    if given > len(shape):
        if not shape and len(items) == 1 and _is_integer(items[0]):
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    return _Parser(shape, len(shape) - given).run(items)


class _Parser:
    """Goes through the items of an index from left to right."""

    def __init__(self, shape, skipped: int):
        self.sizes = list(shape)  # of the view so far
        self.skipped = skipped  # what the dimensions of `...` are
        self.dim = 0  # where the next item applies, in the view so far
        self.source_dim = 0  # how many dimensions and Nones were before, for error messages
        self.views: list = []
        self.tensors: list = []

    def run(self, items) -> Plan:
        for item in items:
            self.take(item)
        if not self.views and not self.tensors:
            self.views.append((alias, ()))
        return Plan(tuple(self.views), tuple(self.tensors), tuple(self.sizes))

    def run_slice(self, item) -> Plan:
        """A slice on its own always makes a view."""
        self.slice(item, always=True)
        return Plan(tuple(self.views), (), tuple(self.sizes))

    def take(self, item):
        if item is None:
            self.unsqueeze()
            self.dim += 1
            self.source_dim += 1
        elif item is Ellipsis:
            self.dim += self.skipped
            self.source_dim += self.skipped
        elif isinstance(item, bool):
            self.unsqueeze()
            self.record(jnp.zeros(int(item), index_dtype()), 1)
        elif _is_integer(item):
            self.select(operator.index(item))
        elif isinstance(item, slice):
            self.slice(item)
        else:
            self.tensor(item)

    def unsqueeze(self):
        self.views.append((unsqueeze, (self.dim,)))
        self.sizes.insert(self.dim, 1)

    def select(self, index: int):
        size = self.sizes[self.dim]
        if not -size <= index < size:
            raise IndexError(
                f"index {index} is out of bounds for dimension {self.source_dim} with size {size}"
            )
        self.views.append((select, (self.dim, index)))
        del self.sizes[self.dim]
        self.source_dim += 1

    def slice(self, item, always: bool = False):
        """A slice of everything beside other items is no view."""
        start, stop, step = _slice_bounds(item, self.sizes)
        size = self.sizes[self.dim]
        everything = start in (None, 0) and (stop is None or stop >= size) and step == 1
        if always or not everything:
            self.views.append((slice_tensor, (self.dim, start, stop, step)))
            self.sizes[self.dim] = len(range(*slice(start, stop, step).indices(size)))
        self.dim += 1
        self.source_dim += 1

    def tensor(self, item):
        rank = item.ndim if _is_mask(item) else 1
        if _is_mask(item) and rank == 0:
            self.unsqueeze()
            self.record(item, 1)
            return
        self.record(item, rank)
        self.source_dim += rank

    def record(self, item, rank: int):
        covered = sum(map(_covered, self.tensors))
        self.tensors += [None] * (self.dim - covered) + [item]
        self.dim += rank


def _is_several(index) -> bool:
    """Whether PyTorch reads a sequence as several indices; NumPy's old heuristic for lists."""
    if isinstance(index, tuple):
        return True
    if not isinstance(index, list | range) or len(index) >= 32:
        return False
    special = (list, tuple, range, slice, np.ndarray)
    return any(
        item is None or item is Ellipsis or isinstance(item, special) or is_tensor(item)
        for item in index
        if not isinstance(item, np.generic)
    )


def _convert(item):
    """Lists and NumPy arrays as arrays; zero-dim integers as integers where they are at hand."""
    if isinstance(item, list | tuple | range):
        item = np.asarray(item if len(item) else np.zeros(0, np.int64))
        if item.dtype.kind in "US":
            item = item.flat[0].item()
        elif item.dtype.kind == "f":
            item = item.astype(np.int64)  # PyTorch truncates, but only in lists
    if isinstance(item, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}': {item!r} is no index")
    if item is None or item is Ellipsis or isinstance(item, bool | slice):
        return item
    if isinstance(item, np.bool_) or not (_is_integer(item) or is_tensor(item)):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(item).__name__})"
        )
    return item if _is_integer(item) else _convert_tensor(item)


def _convert_tensor(item):
    item = _bytes_as_mask(item)
    dtype = as_dtype(item.dtype)
    if dtype not in (_BOOL, np.dtype(np.int32), np.dtype(np.int64)):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if dtype != _BOOL and item.ndim == 0:
        return _integer_at_hand(item)
    return item


def _bytes_as_mask(item):
    return ne(item, 0) if as_dtype(item.dtype) == _BYTE else item


def _integer_at_hand(item):
    """The integer in a zero-dim tensor; the tensor itself inside a transformation."""
    try:
        return int(item)
    except (jax.errors.ConcretizationTypeError, RuntimeError):
        return item


def _is_integer(item) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)


def _is_mask(item) -> bool:
    return item is not None and as_dtype(item.dtype) == _BOOL


def _consumed(item) -> int:
    """How many dimensions of the tensor an item stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item.ndim if is_tensor(item) and not _is_integer(item) and _is_mask(item) else 1


def _covered(item) -> int:
    """How many dimensions of the view an entry of `Plan.tensors` stands for."""
    return max(item.ndim, 1) if _is_mask(item) else 1


def _slice_bounds(item: slice, sizes):
    given = item.start, item.stop, item.step
    start, stop, step = (None if bound is None else _bound(bound) for bound in given)
    step = 1 if step is None else step
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if step < 0:
        raise ValueError("step must be greater than zero")
    if not sizes:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    return start, stop, step


def _bound(value) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            "slice indices must be integers or None or have an __index__ method"
        ) from None


# -- masks and values ------------------------------------------------------------------------------


def _is_only_mask(tensors) -> bool:
    return bool(tensors) and _is_mask(tensors[-1]) and all(item is None for item in tensors[:-1])


def expand_masks(tensors, shape) -> list:
    """``tensors`` with every mask as the places of its True elements, a tensor a dimension."""
    expanded: list = []
    for position, item in enumerate(tensors):
        item = jnp.asarray(item) if isinstance(item, np.ndarray) else item
        if _is_mask(item):
            item = item if item.ndim else reshape(item, (1,))
            _check_mask_shape(item, position, shape, len(expanded))
            expanded.extend(nonzero(item, as_tuple=True))
        else:
            expanded.append(item)
    check_indices(shape, expanded)
    return expanded


def _check_mask_shape(mask, position: int, shape, dim: int):
    if tuple(mask.shape) != tuple(shape[dim : dim + mask.ndim]):
        raise IndexError(
            f"The shape of the mask {list(mask.shape)} at index {position} does not match the "
            f"shape of the indexed tensor {list(shape)} at index {dim}"
        )


def _spread_mask(tensors, shape):
    """The only mask, with ones for the dimensions behind it."""
    mask, dim = tensors[-1], len(tensors) - 1
    mask = jnp.asarray(mask) if isinstance(mask, np.ndarray) else mask
    mask = mask if mask.ndim else reshape(mask, (1,))
    _check_mask_shape(mask, dim, shape, dim)
    rest = len(shape) - dim - mask.ndim
    return reshape(mask, (*mask.shape, *(1,) * rest)) if rest else mask


def _as_tensor(x, value):
    """A number in the dtype of ``x``; a tensor as it is."""
    if isinstance(value, NUMBERS):
        return _number(x, value)
    if not is_tensor(value):
        raise TypeError(f"can't assign a {type(value).__name__} to a tensor of {x.dtype}")
    return value


def _lead(shape) -> int:
    """How many dimensions of size 1 come first."""
    return next((i for i, n in enumerate(shape) if n != 1), len(shape))


def _without_lead(value):
    """A tensor without leading dimensions of size 1."""
    lead = _lead(value.shape)
    return view_size(value, tuple(value.shape)[lead:]) if lead else value


def _spread(value, shape):
    """A tensor expanded to a shape, after PyTorch took away its leading dimensions of size 1.

    One that has the shape is left alone; of any other PyTorch takes a view, be there such
    dimensions or not.
    """
    if tuple(value.shape) == shape:
        return value
    value = view_size(value, tuple(value.shape)[_lead(value.shape) :])
    return value if tuple(value.shape) == shape else expand(value, shape)


def _number(x, value):
    dtype = np.dtype(x.dtype)
    if isinstance(value, complex | np.complexfloating) and dtype.kind not in "cb":
        raise RuntimeError(f"value cannot be converted to type {x.dtype} without overflow")
    return jnp.asarray(value).astype(dtype)
