"""What the annotations of an op's parameters mean.

=====================  =========================================================================
no annotation          a tensor, or a Python number that stands for one: data
`Tensors`              a sequence of tensors, some of which may be None: data
`Scalar`, `float`      a Python number: data, so that a new value needs no new program
`Number`               a Python number that a formula looks at: part of the program
`Size`                 a shape or a list of dimensions: part of the program
`DType`                a dtype: part of the program
`int`, `bool`, `str`   part of the program
=====================  =========================================================================

Each may be ``... | None``.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from types import NoneType
from typing import Any, get_args

import numpy as np

NUMBERS = (bool, int, float, complex, np.generic)


class Scalar:
    """A Python number that is data."""


class Number:
    """A Python number that is part of the program, for formulas that look at it."""


class Size:
    """A tuple of integers that is part of the program."""


class DType:
    """A dtype that is part of the program."""


class Tensors:
    """A sequence of tensors."""


def size(value: Any) -> tuple[int, ...] | None:
    """An integer or a sequence of integers as a tuple."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        if len(value) == 1 and isinstance(value[0], list | tuple):
            value = value[0]
        return tuple(map(operator.index, value))
    return (operator.index(value),)


def integer(value: Any) -> int | None:
    """An integer, or anything that can be an index."""
    return value if value is None or type(value) is int else operator.index(value)


def dtype(value: Any) -> np.dtype | None:
    """Anything numpy, JAX or `stateful` calls a dtype, as numpy's."""
    if value is None or isinstance(value, np.dtype):
        return value
    return np.dtype(value)


def boolean(value: Any) -> bool | None:
    """A flag."""
    if value is None or isinstance(value, bool | np.bool_ | int):
        return value if value is None else bool(value)
    raise TypeError(f"expected a bool, not {type(value).__name__}")


def text(value: Any) -> str | None:
    """A string."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"expected a str, not {type(value).__name__}")


_CONVERTERS: dict[Any, Callable] = {
    int: integer, bool: boolean, str: text, Size: size, DType: dtype,
}  # fmt: skip


def classify(annotation: Any) -> tuple[str, Callable | None]:
    """The kind of a parameter (see `op.Parameter`) and, for a static one, its converter."""
    if annotation is inspect.Parameter.empty:
        return "tensor", None
    options = [a for a in get_args(annotation) if a is not NoneType] or [annotation]
    if Tensors in options:
        return "tensors", None
    if Scalar in options or float in options:
        return "scalar", None
    return "static", _CONVERTERS.get(options[0])
