"""`Size`: the shape of a tensor, a tuple that prints as PyTorch's."""

import math
import operator
from collections.abc import Iterable
from typing import Any


class Size(tuple[int, ...]):
    """A tuple of ints; slices, sums and products of sizes are sizes.

    Raises TypeError if an item is not an integer.

    >>> import stateful as torch
    >>> torch.Size([2, 3]) + (4,), torch.Size([2, 3]).numel()
    (torch.Size([2, 3, 4]), 6)
    """

    __slots__ = ()

    def __new__(cls, iterable: Iterable[Any] = ()) -> "Size":
        return tuple.__new__(cls, [_integer(item, at) for at, item in enumerate(iterable)])

    def numel(self) -> int:
        """The number of elements of a tensor of this size.

        >>> Size([2, 3]).numel()
        6
        """
        return math.prod(self)

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return tuple.__new__(Size, item) if isinstance(index, slice) else item

    def __add__(self, other):
        if not isinstance(other, tuple):
            raise TypeError(
                f"can only concatenate tuple (not {type(other).__name__}) to torch.Size; "
                "convert it with tuple(...)"
            )
        return tuple.__new__(Size, tuple.__add__(self, other))

    def __radd__(self, other):
        if not isinstance(other, tuple):
            return NotImplemented
        return tuple.__new__(Size, tuple.__add__(other, self))

    def __mul__(self, times):
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def __reduce__(self):
        return Size, (tuple(self),)


def _integer(item: Any, at: int) -> int:
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(
            f"torch.Size() takes an iterable of 'int' (item {at} is '{type(item).__name__}')"
        ) from None
