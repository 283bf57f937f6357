"""`__torch_function__`: classes and modes that decide what functions of tensors mean.

A subclass of `Tensor` says so in its ``__torch_function__``; that of `Tensor` itself calls the
function and makes the tensors in its result ones of the subclass. Functions look for such classes
only once there is one, see ``overriding.py``.
Source of the protocol: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .tensor import Tensor


class _State(threading.local):
    """What functions of this thread look for."""

    subclasses: bool = True
    modes: tuple = ()


state = _State()


class DisableTorchFunctionSubclass:
    """Context manager: functions called inside ignore ``__torch_function__`` of their arguments.

    >>> import stateful as torch
    >>> class Named(torch.Tensor):
    ...     pass
    >>> x = torch.ones(2).as_subclass(Named)
    >>> with torch._C.DisableTorchFunctionSubclass():
    ...     type(x + 1).__name__
    'Tensor'
    """

    def __enter__(self) -> None:
        self._before = state.subclasses
        state.subclasses = False

    def __exit__(self, *exc) -> None:
        state.subclasses = self._before


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """Context manager: functions called inside ignore ``__torch_function__`` and modes.

    >>> import stateful as torch
    >>> with torch._C.DisableTorchFunction():
    ...     torch.ones(2) + 1
    tensor([2., 2.])
    """

    def __enter__(self) -> None:
        super().__enter__()
        self._modes, state.modes = state.modes, ()

    def __exit__(self, *exc) -> None:
        super().__exit__(*exc)
        state.modes = self._modes


def disabled_torch_function(func: Callable, types: Iterable, args: tuple = (), kwargs: Any = None):
    """The ``__torch_function__`` of a class whose tensors are like any other: `Parameter`."""
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


def overrides(kind: type) -> bool:
    """Whether a class decides what functions of its instances mean."""
    if kind is Tensor:
        return False
    handler = getattr(kind, "__torch_function__", disabled_torch_function)
    return handler is not disabled_torch_function


def is_told(kind: type) -> bool:
    """Whether a class is among those that a function written in Python tells of."""
    return overrides(kind) or kind is Tensor


def overloaded(arguments: Iterable, wanted: Callable[[type], bool] = overrides) -> list:
    """The first argument of each ``wanted`` class; a subclass stands before its bases."""
    found: list = []
    for argument in arguments:
        kind = type(argument)
        if wanted(kind) and all(type(other) is not kind for other in found):
            places = [i for i, other in enumerate(found) if issubclass(kind, type(other))]
            found.insert(places[0] if places else len(found), argument)
    return found


def handle(public: Callable, given: Sequence, args: tuple, kwargs: dict) -> Any:
    """What the innermost mode, else the classes of ``given``, say that a call is.

    Raises TypeError if each of them returns NotImplemented.
    """
    types = tuple(type(argument) for argument in given)
    if state.modes:
        before = state.modes
        mode, state.modes = before[-1], before[:-1]
        try:
            result = mode.__torch_function__(public, types, args, kwargs)
        finally:
            state.modes = before
        if result is not NotImplemented:
            return result
    for argument in given:
        result = _handler(argument)(public, types, args, kwargs)
        if result is not NotImplemented:
            return result
    names = ", ".join(kind.__name__ for kind in types)
    raise TypeError(
        f"Multiple dispatch failed for 'torch.{getattr(public, '__name__', public)}'; all "
        f"__torch_function__ handlers returned NotImplemented: those of {names}"
    )


def _handler(argument: Any) -> Callable:
    handler = argument.__torch_function__
    if getattr(handler, "__self__", None) is argument:
        warnings.warn(
            "Defining your `__torch_function__` as a plain method is deprecated and will be an "
            "error in future, please define it as a classmethod.",
            UserWarning,
            stacklevel=4,
        )
    return handler


def handle_torch_function(public_api: Callable, relevant_args: Iterable, *args, **kwargs) -> Any:
    """Call ``public_api`` as the classes of ``relevant_args`` and the modes say.

    Raises TypeError if each of them returns NotImplemented.

    >>> import stateful as torch
    >>> class Loud(torch.Tensor):
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return f"{func.__name__}!"
    >>> x = torch.ones(2).as_subclass(Loud)
    >>> torch.overrides.handle_torch_function(torch.add, (x,), x, 1)
    'add!'
    """
    return handle(public_api, overloaded(relevant_args), args, kwargs)


def has_torch_function(relevant_args: Iterable) -> bool:
    """Whether a mode, or the class of one of ``relevant_args``, decides what functions mean.

    >>> import stateful as torch
    >>> class Named(torch.Tensor):
    ...     pass
    >>> x = torch.ones(2)
    >>> torch.overrides.has_torch_function((x, x.as_subclass(Named)))
    True
    >>> torch.overrides.has_torch_function((x,))
    False
    """
    if state.modes:
        return True
    return state.subclasses and any(overrides(type(x)) for x in relevant_args)


def has_torch_function_unary(arg: Any) -> bool:
    """`has_torch_function` of one argument.

    >>> import stateful as torch
    >>> torch.overrides.has_torch_function_unary(torch.ones(2))
    False
    """
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """`has_torch_function` of several arguments.

    >>> import stateful as torch
    >>> torch.overrides.has_torch_function_variadic(torch.ones(2), 3)
    False
    """
    return has_torch_function(args)


def is_tensor_like(inp: Any) -> bool:
    """Whether an object is a tensor or has ``__torch_function__``.

    >>> import stateful as torch
    >>> torch.overrides.is_tensor_like(torch.ones(2)), torch.overrides.is_tensor_like(2.0)
    (True, False)
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def wrap_torch_function(dispatcher: Callable) -> Callable:
    """Decorator: a function that asks the classes of ``dispatcher(*args, **kwargs)`` first.

    >>> import stateful as torch
    >>> @torch.overrides.wrap_torch_function(lambda x: (x,))
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(1))
    tensor([2.])
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def public(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(public, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return public

    return decorate


def get_default_nowrap_functions() -> set[Callable]:
    """Functions whose result stays what it is for a subclass without ``__torch_function__``.

    >>> import stateful as torch
    >>> torch.Tensor.grad.__get__ in torch.overrides.get_default_nowrap_functions()
    True
    """
    return {Tensor.grad.__get__, *_properties("_base", "_grad")}


def _properties(*names: str) -> set[Callable]:
    found = (vars(Tensor).get(name) for name in names)
    return {item.__get__ for item in found if isinstance(item, property)}


def _convert(result: Any, cls: type) -> Any:
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)  # type: ignore[attr-defined]
    if isinstance(result, tuple | list):
        return type(result)(_convert(item, cls) for item in result)
    return result


def torch_function(
    cls: type, func: Callable, types: Iterable, args: tuple = (), kwargs: Any = None
) -> Any:
    """Call ``func``; the tensors in its result become tensors of the class.

    >>> import stateful as torch
    >>> class Named(torch.Tensor):
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return super().__torch_function__(func, types, args, kwargs)
    >>> type(torch.ones(2).as_subclass(Named) * 2).__name__
    mul
    'Named'
    """
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        return result if func in get_default_nowrap_functions() else _convert(result, cls)
