"""The arguments of a step: which are data, and what else the program depends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from funcgrad import types

from .. import modes
from ..dispatch import wrap
from ..execute import Aval, Value
from ..nn.parameter import Parameter
from ..tensor import Tensor
from .trace import is_tensor

_CONTAINERS = (list, tuple, dict)
_NUMBERS = (bool, int, float, complex, str, type(None))


class Arguments:
    """One call's arguments, read.

    ``key``: all that a program depends on. ``arrays``: the data, a tensor's gradient after the
    tensor. ``items``: the leaves; ``tree``: their structure, None where each is an argument.
    """

    __slots__ = ("key", "arrays", "items", "tree")

    def __init__(self, args: tuple, kwargs: dict):
        self.tree = None
        items: Any = args
        if kwargs or _has_container(args):
            items, self.tree = jax.tree.flatten((args, kwargs), is_leaf=is_tensor)
        state = modes.state
        key: list = [self.tree, state.grad_enabled, state.inference, types.default_dtype()]
        arrays: list = []
        for item in items:
            if type(item) is Tensor or self.is_data(item) and isinstance(item, Tensor):
                value = item._read()
                array = value.array
                arrays.append(value.read() if array is None else array)
                key.append(value.aval)
                key.append(item._requires_grad)
                if item._grad is not None:
                    key.append(item._grad._aval)
                    arrays.append(item._grad._array)
            elif isinstance(item, np.ndarray | jax.Array):
                key.append(Aval.of(item.shape, np.dtype(item.dtype)))
                arrays.append(item)
            elif isinstance(item, _NUMBERS):
                key.append((type(item), item))
            else:
                key.append(_Object(item))
        self.items, self.arrays, self.key = items, arrays, tuple(key)

    def is_data(self, item: Any) -> bool:
        """Whether an item is fed to the program, not part of it."""
        if isinstance(item, Tensor):
            return not isinstance(item, Parameter)
        return isinstance(item, np.ndarray | jax.Array)

    def objects(self) -> list[tuple[str, Any]]:
        """The items that may hold state."""
        return [
            (f"args[{i}]", item) for i, item in enumerate(self.items)
            if not self.is_data(item) and not isinstance(item, _NUMBERS)
        ]  # fmt: skip

    def call(self, step: Callable, arrays: list) -> tuple[Any, list[tuple[Tensor, Any]]]:
        """``step`` with ``arrays`` in place of the data.

        Also the tensors that were made for it, each with its gradient.
        """
        feed = iter(arrays)
        made: list[tuple[Tensor, Any]] = []
        items = []
        for item in self.items:
            if not self.is_data(item):
                items.append(item)
                continue
            tensor = wrap(Value.of(next(feed)))
            if isinstance(item, Tensor):
                tensor._requires_grad = item._requires_grad
                if item._grad is not None:
                    tensor._grad = wrap(Value.of(next(feed)))
            made.append((tensor, tensor._grad))
            items.append(tensor)
        args, kwargs = (items, {}) if self.tree is None else jax.tree.unflatten(self.tree, items)
        return step(*args, **kwargs), made

    def data(self) -> list[Any]:
        """The items that are data, in order."""
        return [item for item in self.items if self.is_data(item)]


def _has_container(args: tuple) -> bool:
    for arg in args:
        if type(arg) is not Tensor and isinstance(arg, _CONTAINERS):
            return True
    return False


class _Object:
    """An argument by identity."""

    __slots__ = ("item",)

    def __init__(self, item: Any):
        self.item = item

    def __hash__(self):
        return id(self.item)

    def __eq__(self, other):
        return isinstance(other, _Object) and other.item is self.item
