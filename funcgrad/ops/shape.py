"""New shapes and orders of dimensions that are made of the views in `view`."""

from __future__ import annotations

import math

from ..broadcast import broadcast_shape as broadcast_shape
from ..composite import composite
from ..signature import size as as_size
from .dims import wrap_dim, wrap_dims
from .view import expand, in_order, permute, reshape, transpose, unsqueeze, view_size

# -- order of dimensions ---------------------------------------------------------------------------


@composite()
def movedim(input, source, destination):
    """Dimensions ``source`` moved to the places ``destination``; the others keep their order.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.movedim(jnp.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    source, destination = as_size(source), as_size(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({list(source)} dims) should contain the same number of dims as destination "
            f"({list(destination)} dims)"
        )
    places = dict(
        zip(wrap_dims(destination, input.ndim), wrap_dims(source, input.ndim), strict=True)
    )
    if input.ndim == 0:
        return permute(input, ())
    others = iter(i for i in range(input.ndim) if i not in places.values())
    order = tuple(places[i] if i in places else next(others) for i in range(input.ndim))
    return permute(input, order)


@composite()
def moveaxis(input, source, destination):
    """`movedim` under NumPy's name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.moveaxis(jnp.zeros((2, 3, 4)), 0, 2).shape
    (3, 4, 2)
    """
    return movedim(input, source, destination)


@composite(inplace=True)
def swapaxes(input, axis0, axis1):
    """`transpose` under NumPy's name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.swapaxes(jnp.zeros((2, 3)), 0, 1).shape
    (3, 2)
    """
    return transpose(input, axis0, axis1)


@composite(inplace=True)
def swapdims(input, dim0, dim1):
    """`transpose` under another name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.swapdims(jnp.zeros((2, 3)), 0, 1).shape
    (3, 2)
    """
    return transpose(input, dim0, dim1)


@composite(face="private")
def numpy_T(self):
    """All dimensions in reverse order: ``x.T``."""
    return permute(self, tuple(range(self.ndim))[::-1])


@composite(face="private")
def mT(self):
    """The last two dimensions exchanged: ``x.mT``. ``self`` if it has no dimension."""
    if not self.ndim:
        return self
    _at_least_matrix("tensor.mT", self)
    return transpose(self, -2, -1)


@composite(face="private")
def mH(self):
    """The last two dimensions exchanged, conjugated: ``x.mH``."""
    if not self.ndim:
        return self.conj()
    _at_least_matrix("tensor.mH", self)
    return transpose(self, -2, -1).conj()


@composite(face="private")
def matrix_H(self):
    """A matrix transposed and conjugated: ``x.H``."""
    if self.ndim not in (0, 2):
        raise RuntimeError(
            "tensor.H is only supported on matrices (2-D tensors). Got "
            f"{self.ndim}-D tensor. For batches of matrices, consider using tensor.mH"
        )
    return mH(self)


@composite()
def adjoint(self):
    """The last two dimensions exchanged, conjugated.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.adjoint(jnp.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    if not self.ndim:
        return self.conj()
    _at_least_matrix("tensor.adjoint()", self)
    return transpose(self, -2, -1).conj()


def _at_least_matrix(name: str, x):
    if x.ndim < 2:
        raise RuntimeError(
            f"{name} is only supported on matrices or batches of matrices. Got {x.ndim}-D tensor."
        )


# -- other shapes ----------------------------------------------------------------------------------


@composite()
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions from ``start_dim`` to ``end_dim``, both included, as one.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.flatten(jnp.ones((2, 3, 4)), 1).shape
    (2, 12)
    """
    start, end = wrap_dim(start_dim, input.ndim), wrap_dim(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if input.ndim == 0:
        return reshape(input, (1,))
    if start == end:
        return input
    shape = input.shape
    middle = math.prod(shape[start : end + 1])
    return reshape(input, (*shape[:start], middle, *shape[end + 1 :]))


@composite()
def ravel(input):
    """All elements as a vector.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.ravel(jnp.ones((2, 3))).shape
    (6,)
    """
    return view_size(in_order(input), (-1,))


@composite()
def unflatten(input, dim, sizes):
    """Dimension ``dim`` as several of ``sizes``; one of them may be -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.unflatten(jnp.ones((2, 12)), 1, (3, -1)).shape
    (2, 3, 4)
    """
    dim, sizes = wrap_dim(dim, input.ndim), as_size(sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    length, known = input.shape[dim], math.prod(n for n in sizes if n != -1)
    if known != length and not (-1 in sizes and known and length % known == 0):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({length}) in the input tensor"
        )
    sizes = tuple(length // known if n == -1 else n for n in sizes)
    return view_size(input, (*input.shape[:dim], *sizes, *input.shape[dim + 1 :]))


@composite(face="method")
def view_as(self, other):
    """``self`` under the shape of ``other``."""
    return view_size(self, other.shape)


@composite(face="method")
def reshape_as(self, other):
    """``self`` in the shape of ``other``."""
    return reshape(self, other.shape)


@composite(face="method")
def expand_as(self, other):
    """``self`` expanded to the shape of ``other``."""
    return expand(self, other.shape)


@composite()
def broadcast_to(input, size):
    """`expand` under NumPy's name.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.broadcast_to(jnp.ones(3), (2, 3)).shape
    (2, 3)
    """
    return expand(input, size)


@composite(face="torch")
def broadcast_tensors(*tensors):
    """All tensors expanded to their common shape; those that have it as they are.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.broadcast_tensors(jnp.ones((2, 1)), jnp.ones(3))]
    [(2, 3), (2, 3)]
    """
    shape = broadcast_shape(*(x.shape for x in tensors))
    return tuple(x if tuple(x.shape) == tuple(shape) else expand(x, shape) for x in tensors)


def _each(function, tensors):
    """PyTorch's ``atleast_*`` take one tensor, several, or a sequence of them."""
    if len(tensors) == 1:
        only = tensors[0]
        return tuple(map(function, only)) if isinstance(only, list | tuple) else function(only)
    return tuple(map(function, tensors))


@composite(face="torch")
def atleast_1d(*tensors):
    """Zero-dim tensors as vectors; others unchanged.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atleast_1d(jnp.ones(())).shape
    (1,)
    """
    return _each(lambda x: x if x.ndim else reshape(x, (1,)), tensors)


@composite(face="torch")
def atleast_2d(*tensors):
    """Tensors of fewer dimensions as matrices of one row.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atleast_2d(jnp.ones(3)).shape
    (1, 3)
    """

    def matrix(x):
        return x if x.ndim > 1 else unsqueeze(x, 0) if x.ndim else reshape(x, (1, 1))

    return _each(matrix, tensors)


@composite(face="torch")
def atleast_3d(*tensors):
    """Vectors as ``(1, n, 1)``, matrices as ``(n, m, 1)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.atleast_3d(jnp.ones(3)).shape
    (1, 3, 1)
    """

    def cube(x):
        if x.ndim == 0:
            return reshape(x, (1, 1, 1))
        if x.ndim == 1:
            return unsqueeze(unsqueeze(x, 0), -1)
        return unsqueeze(x, -1) if x.ndim == 2 else x

    return _each(cube, tensors)


@composite(face="torch")
def meshgrid(*tensors, indexing=None):
    """The coordinates of a grid, one tensor a dimension; ``"xy"`` exchanges the first two.

    >>> import jax.numpy as jnp, funcgrad
    >>> [x.shape for x in funcgrad.meshgrid(jnp.ones(2), jnp.ones(3), indexing="xy")]
    [(3, 2), (3, 2)]
    """
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    lengths = []
    for x in tensors:
        if x.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x.ndim}-D"
            )
        lengths.append(math.prod(x.shape))
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    shape = tuple(lengths[i] for i in order)
    grids = []
    for i, x in enumerate(tensors):
        place = tuple(-1 if k == i else 1 for k in order)
        grids.append(expand(view_size(x, place), shape))
    return tuple(grids)
