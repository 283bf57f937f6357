"""`Sequential`, `ModuleList`, `ModuleDict`, `ParameterList`, `ParameterDict`."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from ...tensor import Tensor
from ..parameter import Parameter
from .module import Module


def _place(index: Any, length: int) -> int:
    index = operator.index(index)
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of range")
    return index % length


def _check_times(number: Any) -> None:
    if not isinstance(number, int):
        raise TypeError(
            "unsupported operand type(s) for *: Sequential can be repeated an int number of times, "
            f"but got {type(number)}"
        )
    if number <= 0:
        raise ValueError(
            f"Non-positive multiplication factor {number} for a Sequential: it would be empty"
        )


class _Listed(Module):
    """Modules under the names "0", "1", ..."""

    def __len__(self):
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index):
        items = list(self._modules.values())
        if isinstance(index, slice):
            if type(self) is Sequential or isinstance(self, Sequential):
                return type(self)(OrderedDict(list(self._modules.items())[index]))
            return type(self)(items[index])
        return items[_place(index, len(items))]

    def __setitem__(self, index, module):
        name = list(self._modules)[_place(index, len(self))]
        setattr(self, name, module)

    def __delitem__(self, index):
        names = list(self._modules)
        doomed = names[index] if isinstance(index, slice) else [names[_place(index, len(self))]]
        for name in doomed:
            del self._modules[name]
        self._modules = {str(i): m for i, m in enumerate(self._modules.values())}

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module):
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable):
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module):
        """Add a module before the one at ``index``."""
        items = list(self._modules.values())
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(items) <= index <= len(items):
            raise IndexError(f"Index out of range: {index}")
        items.insert(index, module)
        self._modules = {str(i): m for i, m in enumerate(items)}
        return self

    def pop(self, key):
        """Remove and return a module."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Listed):
    """Modules, each called on what the one before returned.

    >>> import stateful as torch
    >>> torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else (
            (str(i), m) for i, m in enumerate(args)
        )  # fmt: skip
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input):
        for module in self:
            input = module(input)
        return input

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is "
                "given."
            )
        return Sequential(*self, *other)

    def __mul__(self, other: int):
        _check_times(other)
        return Sequential(*list(self) * other)

    __rmul__ = __mul__

    def __imul__(self, other: int):
        _check_times(other)
        return self.extend(list(self) * (other - 1))


class ModuleList(_Listed):
    """A list of modules.

    >>> import stateful as torch
    >>> layers = torch.nn.ModuleList([torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)])
    >>> len(layers), len(list(layers.parameters()))
    (2, 4)
    """

    def __init__(self, modules: Iterable | None = None):
        super().__init__()
        self.extend(modules or ())

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """As other modules, with neighbours that print alike said once."""
        lines, place = [], 0
        for text, same in itertools.groupby(map(repr, self)):
            count = len(list(same))
            last = place + count - 1
            head = f"({place})" if count == 1 else f"({place}-{last}): {count} x"
            lines.append(f"{head}{':' * (count == 1)} {text}".replace("\n", "\n  "))
            place += count
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)" if lines else f"{self._get_name()}()"


class ModuleDict(Module):
    """A dictionary of modules.

    >>> import stateful as torch
    >>> layers = torch.nn.ModuleDict({"first": torch.nn.Linear(2, 3)})
    >>> layers["second"] = torch.nn.Tanh()
    >>> layers
    ModuleDict(
      (first): Linear(in_features=2, out_features=3, bias=True)
      (second): Tanh()
    )
    """

    def __init__(self, modules: Any = None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def keys(self):
        """The names."""
        return self._modules.keys()

    def values(self):
        """The modules."""
        return self._modules.values()

    def items(self):
        """Names and modules."""
        return self._modules.items()

    def update(self, modules):
        """Add what a mapping or a sequence of pairs holds."""
        for key, module in _pairs(self, modules):
            self[key] = module

    def pop(self, key):
        """Remove and return a module."""
        return self._modules.pop(key)

    def clear(self):
        """Remove all."""
        self._modules.clear()


def _as_parameter(value: Any) -> Any:
    return (
        Parameter(value)
        if isinstance(value, Tensor) and not isinstance(value, Parameter)
        else value
    )


def _pairs(place: Any, given: Any) -> Iterable[tuple[str, Any]]:
    """The names and values in a mapping, or in a sequence of pairs."""
    name = type(place).__name__
    if hasattr(given, "items"):
        return given.items()
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{name}.update should be called with an iterable of key/value pairs, but got "
            f"{type(given).__name__}"
        )
    pairs = list(given)
    for number, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{name} update sequence element #{number} should be Iterable; is "
                f"{type(pair).__name__}"
            )
        if len(pair) != 2:  # type: ignore[arg-type]
            raise ValueError(
                f"{name} update sequence element #{number} has length {len(pair)}; 2 is required"  # type: ignore[arg-type]
            )
    return pairs


def _described(item: Any, old: bool = False) -> str:
    """A parameter, or what else is among them, as a text; ``old``: its type as in old programs."""
    if not isinstance(item, Tensor):
        return f"Object of type: {type(item).__name__}"
    kind = "Parameter" if isinstance(item, Parameter) else "Tensor"
    dtype = item.type() if old else item.dtype  # type: ignore[attr-defined]
    return f"{kind} containing: [{dtype} of size {'x'.join(map(str, item.shape))}]"


class ParameterList(Module):
    """A list of parameters.

    >>> import stateful as torch
    >>> weights = torch.nn.ParameterList([torch.zeros(2), torch.zeros(3)])
    >>> [w.shape for w in weights]
    [torch.Size([2]), torch.Size([3])]
    """

    def __init__(self, values: Iterable | None = None):
        super().__init__()
        self._size = 0
        self.extend(values or ())

    def __len__(self):
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(self._size))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(self._size)[index]])
        return getattr(self, str(_place(index, self._size)))

    def __setitem__(self, index, value):
        setattr(self, str(_place(index, self._size)), _as_parameter(value))

    def append(self, value):
        """Add a parameter at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values):
        """Add parameters at the end."""
        if not isinstance(values, Iterable):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in values:
            self.append(value)
        return self

    __iadd__ = extend

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterList should not be called.")

    def extra_repr(self) -> str:
        return "\n".join(f"  ({i}): {_described(item)}" for i, item in enumerate(self))


class ParameterDict(Module):
    """A dictionary of parameters.

    >>> import stateful as torch
    >>> weights = torch.nn.ParameterDict({"w": torch.zeros(2)})
    >>> weights["w"]
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None):
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key):
        return getattr(self, key)

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterDict should not be called.")

    def __setitem__(self, key, value):
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, key)

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(self._keys)

    def __reversed__(self):
        return reversed(self._keys)

    def __contains__(self, key):
        return key in self._keys

    def __or__(self, other: ParameterDict) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        made = other.copy()
        made.update(self)
        return made

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def keys(self):
        """The names."""
        return self._keys.keys()

    def values(self):
        """The parameters, and what else is in the dictionary."""
        return [self[key] for key in self._keys]

    def items(self):
        """Names and parameters."""
        return [(key, self[key]) for key in self._keys]

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, or ``default``."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, which is ``default`` if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Remove and return a parameter."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the name and the parameter that were added last."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters."""
        return ParameterDict(dict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Another dictionary, with ``default`` under each name."""
        return ParameterDict(dict.fromkeys(keys, default))

    def update(self, parameters):
        """Add what a mapping or a sequence of pairs holds."""
        for key, value in _pairs(self, parameters):
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(item, old=True)}" for key, item in self.items())
