"""Who else holds what: a gradient, the version counter of a tensor.

PyTorch takes a gradient itself as the ``.grad`` of a leaf, without a copy, if nobody else holds it
and it is laid out as the leaf is. Only what custom functions and hooks return, and views of what
the program gave, can be told apart from a copy.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from .conjugates import pending
from .geometry import is_contiguous, is_non_overlapping_and_dense
from .layout import is_default
from .layout import of as geometry_of


def is_free(grad: Any, leaf: Any) -> bool:
    """Whether ``grad``, a Tensor, is held by nobody and laid out as ``leaf`` is."""
    held = getrefcount(grad)
    return held <= min(_ONCE, _of_the_engine()) and is_laid_as(grad, leaf)


def is_laid_as(grad: Any, leaf: Any) -> bool:
    """Whether a gradient has the strides of its leaf; row by row if the leaf has gaps."""
    if is_default(grad) and is_default(leaf):
        return True
    here, there = geometry_of(grad), geometry_of(leaf)
    if any(pending(grad)):
        return False
    if not is_non_overlapping_and_dense(there):
        return is_contiguous(here)
    lengths = zip(here.size, here.stride, there.stride, strict=True)
    return all(n == 1 or a == b for n, a, b in lengths)


def counts_for_others(tensor: Any) -> bool:
    """Whether the version counter of a tensor is that of its views, or of its base, too.

    PyTorch keeps the counter when ``.data`` is set; one that nobody shares may be replaced, and
    does not keep the old elements alive.
    """
    counter = tensor._counter
    return getrefcount(counter) > 3 + (counter is tensor._storage)


class _Leaf:
    """Is handed a gradient by calls like those of `AccumulateGrad` and then of `Tensor`."""

    def run(self, grads: list) -> int:
        return self.add(grads[0])

    def add(self, grad: Any) -> int:
        return self._accumulate(grad)

    def _accumulate(self, grad: Any) -> int:
        return self._first(grad)

    def _first(self, grad: Any) -> int:
        return _references(grad, self)


def _references(grad: Any, leaf: Any) -> int:
    return getrefcount(grad)


def _of_the_engine() -> int:
    """References to a gradient that the engine alone holds: its buffer, and the calls down to here.

    A debugger makes calls hold more; the least that was ever counted errs towards a copy.
    """
    return _Leaf().run([object()])


_ONCE = _of_the_engine()
