"""What `assertEqual` of `torch.testing._internal.common_utils.TestCase` takes to be equal.

Looser than `assert_close`: a number equals a tensor of one element, an array a tensor, and whatever
else Python says is equal.
"""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...creation import as_tensor
from ...nn.modules import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from ...tensor import Tensor
from .._comparison import Options, number_difference, tensor_difference

SEQUENCES = (Sequence, Sequential, ModuleList, ParameterList)
MAPPINGS = (Mapping, ModuleDict, ParameterDict)

_BOOLEANS = (bool, np.bool_)
_NUMBERS = (int, float, complex, np.number)
_ARRAYS = (Tensor, np.ndarray)


def difference(actual: Any, expected: Any, options: Options) -> str | None:
    """What is wrong with two values that are no containers, in words, or None."""
    both = (actual, expected)
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if _one_is(both, _BOOLEANS, (*_BOOLEANS, *_NUMBERS, *_ARRAYS)):
        a, e = (bool(_single(x, "a boolean")) for x in both)
        return None if a == e else f"Booleans mismatch: {a} is not {e}"
    if _one_is(both, _NUMBERS, (*_NUMBERS, *_ARRAYS)):
        a, e = (_number(x) for x in both)
        dtype = "complex64" if any(isinstance(x, complex) for x in (a, e)) else "float32"
        return number_difference(a, e, options._replace(check_dtype=False), dtype)
    if all(isinstance(x, _ARRAYS) for x in both):
        a, e = (as_tensor(x).detach() for x in both)
        return tensor_difference(a, e, options)
    return _unequal(actual, expected)


def _one_is(both: tuple, kinds: tuple[type, ...], other: tuple[type, ...]) -> bool:
    return any(isinstance(x, kinds) for x in both) and all(isinstance(x, other) for x in both)


def _single(value: Any, what: str) -> Any:
    """The only element; ValueError if there are more."""
    size = value.numel() if isinstance(value, Tensor) else np.size(value)
    if size > 1:
        raise ValueError(
            f"Only single element tensor-likes can be compared against {what}. "
            f"Got {size} elements instead."
        )
    return value.item() if isinstance(value, (*_ARRAYS, np.generic)) else value


def _number(value: Any) -> Any:
    number = _single(value, "a number")
    return int(number) if isinstance(number, int) else number  # a bool, a number with a name


def _unequal(actual: Any, expected: Any) -> str | None:
    kinds = ((str | bytes, "String"), (set, "Set"), (type, "Type"), (object, "Object"))
    both = (actual, expected)
    name = next(name for kind, name in kinds if all(isinstance(x, kind) for x in both))
    try:
        unittest.TestCase().assertEqual(actual, expected)
    except AssertionError as error:
        return f"{name} comparison failed: {error}"
    return None
