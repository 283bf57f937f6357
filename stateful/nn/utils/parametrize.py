"""Parameters that are a function of others: ``module.weight`` computed at each use.

`register_parametrization` moves a parameter to ``module.parametrizations.<name>.original`` and
makes ``module.<name>`` a property: the parametrizations applied to the original, one after the
other.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ... import modes
from ...tensor import Tensor
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter


class _Cache:
    """Values computed within `cached`."""

    depth = 0
    values: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within this context each parametrized tensor is computed only once.

    >>> import stateful as torch
    >>> with torch.nn.utils.parametrize.cached():
    ...     torch.nn.Linear(1, 1)(torch.zeros(1, 1)).shape
    torch.Size([1, 1])
    """
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and the original: ``original``, or ``original0``, ... if
    the last `right_inverse` gives several.

    >>> import stateful as torch
    >>> class Double(torch.nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> layer = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.utils.parametrize.register_parametrization(layer, "bias", Double())
    >>> layer.parametrizations["bias"]
    ParametrizationList(
      (0): Double()
    )
    """

    def __init__(self, modules: Any, original: Any, unsafe: bool = False):
        super().__init__(modules)
        self.unsafe = unsafe
        value: Any = original
        with modes.no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    with contextlib.suppress(NotImplementedError):  # as if there were none
                        value = module.right_inverse(value)
        self.is_tensor = isinstance(value, Tensor)
        parts = [value] if self.is_tensor else list(value)
        self.ntensors = len(parts)
        for index, part in enumerate(parts):
            name = "original" if self.is_tensor else f"original{index}"
            if isinstance(original, Parameter):
                if self.is_tensor and part.dtype is original.dtype:
                    with modes.no_grad():
                        original.data = part
                    part = original
                elif not isinstance(part, Parameter):
                    part = Parameter(part, original.requires_grad)
                self.register_parameter(name, part)
            else:
                self.register_buffer(name, part)

    def _originals(self) -> list[Any]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the parametrized tensor is ``value``."""
        with modes.no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                value = module.right_inverse(value)
            parts = [value] if self.is_tensor else list(value)
            for original, part in zip(self._originals(), parts, strict=True):
                original.data = part.detach().clone() if part is original else part

    def forward(self) -> Any:
        first, *rest = list(self)
        x = first(*self._originals())
        for module in rest:
            x = module(x)
        return x


def _read(module: Any, name: str) -> Any:
    if not _Cache.depth:
        return module.parametrizations[name]()
    key = (id(module), name)
    if key not in _Cache.values:
        _Cache.values[key] = module.parametrizations[name]()
    return _Cache.values[key]


def _refuse_to_pickle(module: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): save that, "
        "and load it into a module with the same parametrizations."
    )


def _inject_class(module: Any) -> None:
    """A class of its own for ``module``, to hold properties."""
    base = type(module)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            twin = self.__new__(type(self))
            memo[id(self)] = twin
            twin.__dict__ = copy.deepcopy(self.__dict__, memo)
            twin.__class__ = type(
                f"Parametrized{base.__name__}", (base,), dict(type(self).__dict__)
            )
        return memo[id(self)]

    fields: dict[str, Any] = {"__module__": base.__module__, "__getstate__": _refuse_to_pickle}
    if not hasattr(base, "__deepcopy__"):
        fields["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), fields)


def _inject_property(module: Any, name: str) -> None:
    def read(self):
        return _read(self, name)

    def write(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether the module, or this tensor of it, is parametrized.

    >>> import stateful as torch
    >>> torch.nn.utils.parametrize.is_parametrized(torch.nn.Linear(1, 1))
    False
    """
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Any:
    """Make ``module.<tensor_name>`` the value of ``parametrization`` at the parameter.

    Raises ValueError if the module has no such parameter or buffer, or if (unless ``unsafe``) the
    value has another shape or dtype than the original.

    >>> import stateful as torch
    >>> class Double(torch.nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> layer = torch.nn.Linear(1, 1)
    >>> before = layer.weight.detach()
    >>> _ = torch.nn.utils.parametrize.register_parametrization(layer, "weight", Double())
    >>> bool((layer.weight == 2 * before).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            with modes.no_grad():
                value = getattr(module, tensor_name)
                _check_same(value, parametrization(value), "a parametrized tensor")
        module.parametrizations[tensor_name].append(parametrization)
        return module
    original = module._parameters.get(tensor_name, module._buffers.get(tensor_name))
    if original is None:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    before = original.detach().clone()
    made = ParametrizationList([parametrization], original, unsafe)
    if not unsafe:
        with modes.no_grad():
            _check_same(before, made(), "an unparametrized tensor")
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _inject_class(module)
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = made
    _inject_property(module, tensor_name)
    return module


def _check_same(before: Any, after: Any, what: str) -> None:
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    for quality in ("dtype", "shape"):
        if getattr(before, quality) != getattr(after, quality):
            raise ValueError(
                f"Registering a parametrization may not change the {quality} of the tensor, unless "
                f"the `unsafe` flag is enabled: {what} of {quality} {getattr(before, quality)} "
                f"became {getattr(after, quality)}."
            )


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make ``module.<tensor_name>`` a parameter again: its value, or the original.

    >>> import stateful as torch
    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2))
    >>> torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=3, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parts = module.parametrizations[tensor_name]
    if not leave_parametrized and not parts.is_tensor:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    original = parts._originals()[0]
    is_parameter = any(isinstance(p, Parameter) for p in parts._originals())
    kept: Any = original
    if leave_parametrized:
        with modes.no_grad():
            value = getattr(module, tensor_name).detach().clone()
            if is_parameter and parts.is_tensor:
                kept.data = value
            else:
                kept = Parameter(value, original.requires_grad) if is_parameter else value
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    (module.register_parameter if is_parameter else module.register_buffer)(tensor_name, kept)
    return module


def type_before_parametrizations(module: Any) -> type:
    """The class that the module had before.

    >>> import stateful as torch
    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2))
    >>> torch.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Any, to_module: Any, tensor_name: str | None = None
) -> Any:
    """Give ``to_module`` the parametrizations of ``from_module`` (of one tensor).

    >>> import stateful as torch
    >>> parametrize = torch.nn.utils.parametrize
    >>> old, new = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    >>> _ = parametrize.register_parametrization(old, "bias", torch.nn.Tanh())
    >>> _ = parametrize.transfer_parametrizations_and_params(old, new)
    >>> parametrize.is_parametrized(new, "bias")
    True
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for part in from_module.parametrizations[name]:
            register_parametrization(to_module, name, part)
        target, source = to_module.parametrizations[name], from_module.parametrizations[name]
        for mine, theirs in zip(target._originals(), source._originals(), strict=True):
            mine.data = theirs.detach().clone()
    return to_module
