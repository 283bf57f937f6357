"""What a step can reach from its own variables: tensors by name, and Python values around them.

A `World` is a snapshot. It can be put back (`install`), two of them can be compared (``facts``),
and it knows what to look at to see that nothing has changed since (``watched``).
"""

from __future__ import annotations

import builtins
import functools
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from ..devices import device as Device
from ..dtypes import dtype as Dtype
from ..nn.modules.module import Module
from ..optim.lr_scheduler import LRScheduler
from ..optim.optimizer import Optimizer
from ..optim.rule_optimizer import RuleOptimizer
from ..random import Generator, default_generator
from ..tensor import Tensor
from ..views import Storage
from .errors import is_library_file

_PLAIN = (type(None), bool, int, float, complex, str, bytes, Dtype, Device, np.dtype, slice)
_LIBRARIES = {"stateful", "funcgrad", "jax", "jaxlib", "numpy", "builtins", "torch", "optax"}
_WALKED = (Module, Optimizer, LRScheduler)
_SHORT = {"_parameters", "_buffers", "_modules"}


class Rate:
    """A hyper-parameter that is data: a number in an optimizer's group, at ``group[key]``.

    ``index`` is its place in a tuple such as ``betas``.
    """

    __slots__ = ("group", "key", "index")

    def __init__(self, group: dict, key: str, index: int | None):
        self.group, self.key, self.index = group, key, index

    def read(self) -> Any:
        """The number that is there now."""
        value = self.group[self.key]
        return value if self.index is None else value[self.index]

    def write(self, value: Any) -> None:
        """Put something else there."""
        if self.index is not None:
            items = list(self.group[self.key])
            items[self.index] = value
            value = tuple(items)
        self.group[self.key] = value


class World:
    """Everything that a step can reach, as it is now.

    ``tensors``, ``leaves``, ``generators`` and ``rates`` are by name; several tensors may share
    the storage of one leaf. ``facts`` say everything that a program may depend on, but not
    identities of tensors. ``saved`` holds copies of all containers. ``hidden``: tensors that the
    step was seen to touch though nothing leads to them. ``substitutes``: what stands for the rates
    during a trace; where given, this is the world after one, and a history that began after node
    ``since`` is cut.
    """

    def __init__(
        self, roots: Iterable[tuple[str, Any]], hidden: Iterable[Tensor] = (),
        substitutes: Iterable[Any] | None = None, since: float = 0,
    ):  # fmt: skip
        self.tensors: dict[str, Tensor] = {}
        self.leaves: dict[str, Storage] = {}
        self.generators: dict[str, Generator] = {}
        self.rates: dict[str, Rate] = {}
        self.saved: list[tuple[Any, Any]] = []
        self.watched: list[tuple[Any, tuple[str, ...] | None]] = []
        self.empty: list[Any] = []
        self.keep: list[Any] = []
        self._alive: list[Any] = []
        self._facts: list[tuple] = []
        self._seen: dict[int, str] = {}
        self._storages: dict[Storage, str] = {}
        self._after, self._since = substitutes is not None, since
        self._substitutes = {id(s): s for s in substitutes or ()}
        for name, root in roots:
            self.visit(name, root)
        self._generator("random", default_generator)
        for index, tensor in enumerate(hidden):
            self.visit(f"captured[{index}]", tensor)
        self.facts = tuple(self._facts)
        self.values = {name: (s.value, s.version, s.geometry) for name, s in self.leaves.items()}
        self.states = {name: g.state for name, g in self.generators.items()}
        self._alive.clear()

    def install(self) -> None:
        """Put every container, storage and generator back to what it was."""
        for container, content in self.saved:
            if isinstance(container, types.CellType):
                container.cell_contents = content
            elif isinstance(container, Names | Slots | Group):
                container.update(content)
            elif isinstance(container, dict):
                container.clear()
                container.update(content)
            else:
                container.clear()
                container.extend(content)
        for name, (value, version, shape) in self.values.items():
            storage = self.leaves[name]
            storage.value, storage.version, storage.geometry = value, version, shape
        for name, state in self.states.items():
            self.generators[name].state = state

    def forget(self) -> None:
        """Let go of the values, which a program does not need."""
        self.values, self.states = {}, {}

    # -- walking ---------------------------------------------------------------------------------

    def visit(self, name: str, x: Any) -> None:
        """Note ``x`` and everything below it."""
        if isinstance(x, _PLAIN):
            self._facts.append((name, type(x), repr(x)))
            return
        known = self._seen.get(id(x))
        if known is not None:
            self._facts.append((name, "is", known))
            return
        if isinstance(x, types.ModuleType | type | types.BuiltinFunctionType | weakref.ref):
            return
        self._seen[id(x)] = name
        self._alive.append(x)
        visitor = next((v for kind, v in _VISITORS if isinstance(x, kind)), None)
        if visitor is not None:
            visitor(self, name, x)
        elif _is_walked(x):
            self._object(name, x)
        else:
            self._facts.append((name, "object", id(x)))
            self.keep.append(x)

    def _unique(self, name: str, taken: dict) -> str:
        """``name``, with a number if two variables of that name are in sight."""
        count = 1
        while name in taken:
            count += 1
            name = f"{name.partition('#')[0]}#{count}"
        return name

    def _tensor(self, name: str, x: Tensor) -> None:
        name = self._unique(name, self.tensors)
        self.tensors[name] = x
        storage = x._storage
        owner = self._storages.get(storage)
        if owner is None:
            owner = self._storages[storage] = name
            self.leaves[name] = storage
        if self._after and x._node is not None and x._node.sequence_nr >= self._since:
            x._node, x._output_nr, x._requires_grad = None, 0, False
        steps = None if x._view is None else x._view.steps
        callables = (*(x._hooks or {}).values(), *(x._post_accumulate_hooks or {}).values())
        hooks = tuple(map(id, callables))
        self._facts.append((
            name, type(x), x._aval, x._requires_grad, owner, steps, hooks, x._inference,
            None if x._node is None else id(x._node), storage.geometry, x._retains,
        ))  # fmt: skip
        self.keep += (x._node, *callables)
        self._contain(vars(x), None)
        self.visit(f"{name}.grad", x._grad)
        if x._base is not None:
            self.visit(f"{name}.base", x._base)
        for key, value in list(vars(x).items()):
            if not key.startswith("_"):
                self.visit(f"{name}.{key}", value)

    def _generator(self, name: str, x: Generator) -> None:
        if any(g is x for g in self.generators.values()):
            return
        name = self._unique(name, self.generators)
        self.generators[name] = x
        self._facts.append((name, "generator"))

    def _object(self, name: str, x: Any) -> None:
        self._facts.append((name, type(x)))
        if isinstance(x, Optimizer):
            self._optimizer(name, x)
            return
        slots = tuple(n for n in _slots(type(x)) if hasattr(x, n))
        if slots:
            self.saved.append((Slots(x, slots), tuple(getattr(x, n) for n in slots)))
            self.watched.append((x, slots))
            for key in slots:
                self.visit(_dotted(name, key), getattr(x, key))
        if not hasattr(x, "__dict__"):
            return
        self._contain(vars(x), None)
        for key, value in list(vars(x).items()):
            if key in _SHORT:
                self._mapping(name, value)
            elif isinstance(x, Module) and key.startswith("_") and not value:
                self.empty.append(value)
            else:
                self.visit(_dotted(name, key), value)
        for function in _methods(type(x)):
            self._used_globals(function)

    def _optimizer(self, name: str, x: Optimizer) -> None:
        self._contain(vars(x), None)
        for key, value in list(vars(x).items()):
            if key == "param_groups":
                self._contain(value, None)
                for i, group in enumerate(value):
                    self._group(f"{name}.{key}[{i}]", group, x)
            elif key == "state":
                self.visit(f"{name}.state", value)
            elif key != "defaults" and value:
                self.visit(_dotted(name, key), value)

    def _group(self, name: str, group: dict, optimizer: Optimizer) -> None:
        rates: set[str] = set()
        for key, value in list(group.items()):
            at = f"{name}.{key}"
            all_numbers = isinstance(optimizer, RuleOptimizer) and key not in optimizer.static
            many = all_numbers and isinstance(value, tuple)
            for index, item in enumerate(value) if many else [(None, value)]:
                where = at if index is None else f"{at}[{index}]"
                if self._is_rate(key, item, all_numbers):
                    rates.add(key)
                    self.rates[where] = Rate(group, key, index)
                    self._facts.append((where, "number"))
                elif key != "initial_lr":
                    self.visit(where, item)
        fixed = tuple(k for k in group if k not in rates and k != "initial_lr")
        content = Rest({k: group[k] for k in fixed}) if self._after else dict(group)
        self.saved.append((Group(group), content))
        self.watched.append((group, fixed))

    def _is_rate(self, key: str, value: Any, all_numbers: bool) -> bool:
        if id(value) in self._substitutes:
            return True
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return key == "lr" or all_numbers and isinstance(value, float) and value != 0

    def _mapping(self, name: str, x: dict) -> None:
        self._contain(x, None)
        for index, (key, value) in enumerate(list(x.items())):
            if isinstance(key, str):
                self.visit(_dotted(name, key), value)
                continue
            label = next((n for n, t in self.tensors.items() if t is key), None)
            if isinstance(key, _PLAIN):
                label = repr(key)
            elif label is None:
                self.visit(f"{name}.key{index}", key)
            self.visit(f"{name}[{index if label is None else label}]", value)

    def _dict(self, name: str, x: dict) -> None:
        self._facts.append((name, type(x), len(x)))
        self._mapping(name, x)

    def _list(self, name: str, x: Any) -> None:
        self._facts.append((name, type(x), len(x)))
        if not isinstance(x, tuple):
            self._contain(x, None)
        for index, value in enumerate(x):
            self.visit(f"{name}[{index}]", value)

    def _method(self, name: str, x: types.MethodType) -> None:
        self.visit(name, x.__self__)
        self.visit(f"{name}()", x.__func__)

    def _partial(self, name: str, x: functools.partial) -> None:
        self.visit(f"{name}()", x.func)
        self.visit(f"{name}.args", x.args)
        self.visit(f"{name}.keywords", x.keywords)

    def _function(self, name: str, x: types.FunctionType) -> None:
        self._facts.append((name, "function", id(x.__code__)))
        self.keep.append(x.__code__)
        library = is_library_file(x.__code__.co_filename)
        if library and not x.__closure__:
            return
        for variable, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:
                continue
            self.saved.append((cell, content))
            self.watched.append((cell, ("cell_contents",)))
            self.visit(variable, content)
        for index, value in enumerate(x.__defaults__ or ()):
            self.visit(f"{name}.default[{index}]", value)
        for key, value in (x.__kwdefaults__ or {}).items():
            self.visit(f"{name}.default[{key}]", value)
        if not library:
            self._used_globals(x)

    def _used_globals(self, function: types.FunctionType) -> None:
        space = function.__globals__
        names = tuple(
            n for n in sorted(_names_in(function.__code__))
            if n in space and not isinstance(space[n], types.ModuleType | type)
            and not (
                isinstance(space[n], types.FunctionType)
                and is_library_file(space[n].__code__.co_filename)
            )
        )  # fmt: skip
        if names:
            self.saved.append((Names(space, names), tuple(space[n] for n in names)))
            self.watched.append((space, names))
        for name in names:
            self.visit(name, space[name])

    def _contain(self, container: Any, keys: tuple | None) -> None:
        """Remember what is in a container; watch all of it, or these keys."""
        copied = dict(container) if isinstance(container, dict) else list(container)
        self.saved.append((container, copied))
        self.watched.append((container, keys))


class Slots:
    """The ``__slots__`` of an object."""

    def __init__(self, owner: Any, names: tuple[str, ...]):
        self.owner, self.names = owner, names

    def update(self, values: tuple) -> None:
        for name, value in zip(self.names, values, strict=True):
            setattr(self.owner, name, value)


class Rest(dict):
    """What an optimizer's group holds besides rates."""


class Group:
    """An optimizer's group: its rates are not put back with the rest after a trace."""

    def __init__(self, group: dict):
        self.group = group

    def update(self, content: dict) -> None:
        self.group.update(content)


class Names:
    """Some of the names of a module's globals."""

    def __init__(self, space: dict, names: tuple[str, ...]):
        self.space, self.names = space, names

    def update(self, values: tuple) -> None:
        for name, value in zip(self.names, values, strict=True):
            self.space[name] = value


_VISITORS: list[tuple[Any, Callable]] = [
    (Tensor, World._tensor),
    (Generator, World._generator),
    (dict, World._dict),
    (list | tuple | deque, World._list),
    (types.MethodType, World._method),
    (types.FunctionType, World._function),
    (functools.partial, World._partial),
]


def _is_library(module: str | None) -> bool:
    top = (module or "").partition(".")[0]
    return top in _LIBRARIES or top in sys.stdlib_module_names and top != "__main__"


def _is_walked(x: Any) -> bool:
    if isinstance(x, _WALKED):
        return True
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return False
    return (hasattr(x, "__dict__") or bool(_slots(type(x)))) and not _is_library(type(x).__module__)


@functools.cache
def _slots(cls: type) -> tuple[str, ...]:
    """The names of all slots of the user's own classes among the bases of ``cls``."""
    return tuple(
        name for base in cls.__mro__ if not _is_library(base.__module__)
        for name in _listed(vars(base).get("__slots__", ())) if not name.startswith("__")
    )  # fmt: skip


def _listed(names: Any) -> Iterable[str]:
    return (names,) if isinstance(names, str) else names


@functools.cache
def _methods(cls: type) -> tuple[types.FunctionType, ...]:
    """The functions of the user's own classes among the bases of ``cls``."""
    return tuple(
        f for base in cls.__mro__ if not _is_library(base.__module__)
        for f in vars(base).values() if isinstance(f, types.FunctionType)
    )  # fmt: skip


@functools.cache
def _names_in(code: types.CodeType) -> frozenset[str]:
    """Every name that a function or one inside it may look up globally."""
    names = {n for n in code.co_names if not hasattr(builtins, n)}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names_in(constant)
    return frozenset(names)


def _dotted(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
