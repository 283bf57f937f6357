"""Makes the functions and methods of tensors look for ``__torch_function__``.

That happens when the first class that has one, or the first mode, is defined: a program without
one does not pay for them. What was imported by name before (``from torch import add``) stays as it
was.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from .described import Described
from .foreign import arguments
from .telling import OF_OPERATORS, OPERATORS_IN_PYTHON, Form, form_of
from .tensor import Tensor
from .torch_function import (
    handle,
    is_told,
    overloaded,
    overrides,
    state,
    torch_function,
)

MODULES = {
    "": "", ".nn.functional": "", ".linalg": "linalg_", ".special": "special_", ".fft": "fft_",
}  # fmt: skip
"""Whose functions can be overridden, all but `IGNORED`; what their names begin with."""

IGNORED = frozenset(
    "tensor as_tensor from_numpy from_dlpack frombuffer is_tensor is_storage typename save load "
    "compile purify scan vmap manual_seed seed initial_seed get_rng_state set_rng_state fork_rng "
    "set_execution cache_programs set_printoptions is_grad_enabled set_grad_enabled "
    "is_inference_mode_enabled is_anomaly_enabled is_anomaly_check_nan_enabled "
    "set_anomaly_enabled promote_types result_type can_cast broadcast_shapes finfo iinfo "
    "handle_torch_function has_torch_function boolean_dispatch get_default_dtype "
    "set_default_dtype set_default_device get_default_device set_default_tensor_type "
    "set_num_threads get_num_threads set_num_interop_threads get_num_interop_threads "
    "use_deterministic_algorithms are_deterministic_algorithms_enabled "
    "set_float32_matmul_precision get_float32_matmul_precision".split()
)
"""Functions that mean the same for every class."""

OPERATORS = {
    "add": "add", "radd": "add", "iadd": "add_", "sub": "sub", "isub": "sub_", "mul": "mul",
    "rmul": "mul", "imul": "mul_", "truediv": "div", "itruediv": "div_", "mod": "remainder",
    "pow": "pow", "ipow": "pow_", "matmul": "matmul", "ne": "ne", "lt": "lt", "le": "le",
    "rand": "bitwise_and", "ror": "bitwise_or", "rxor": "bitwise_xor",
    "gt": "gt", "ge": "ge", "neg": "neg", "pos": "positive", "abs": "abs",
}  # fmt: skip
"""Operators, and the method that a class is told of instead."""

BINARY = frozenset(
    f"__{r}{name}__" for r in ("", "r", "i")
    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
)  # fmt: skip
"""Operators that may be left to the other operand."""

SPECIAL = BINARY | frozenset(
    f"__{name}__" for name in "ne eq lt le gt ge neg pos abs invert getitem setitem len contains "
    "bool float int index complex repr format dir reduce_ex deepcopy array".split()
)  # fmt: skip
"""The special methods that can be overridden."""

PLAIN = frozenset("as_subclass new _make_subclass".split())
"""Methods that mean the same for every class."""


def overridable(
    function: Callable, name: str, told: Callable[[], Any] | None = None, form: Form | None = None
) -> Callable:
    """``function`` after it asked modes and the classes of its arguments.

    ``name``: as they know it. ``told``: gives what they are told is called, if not this. ``form``:
    how, if not as it was called.
    """

    @functools.wraps(function)
    def public(*args, **kwargs):
        given = overloaded(arguments(args, kwargs)) if state.subclasses else []
        if not (given or state.modes):
            return function(*args, **kwargs)
        if form is not None:
            if state.subclasses:
                given = overloaded(arguments(args, kwargs), is_told)
            args, kwargs = form.of(args, kwargs)
        return handle(public if told is None else told(), given, args, kwargs)

    public.__name__ = name
    public._in_place_of = function  # type: ignore[attr-defined]
    return public


def _operator(name: str, method: Callable) -> Callable:
    alias = OPERATORS.get(name.strip("_"))
    told = None if alias is None else lambda: getattr(Tensor, alias)
    form = OF_OPERATORS if name in OPERATORS_IN_PYTHON else None
    call = overridable(method, _NAMED.get(name, name), told, form)
    if name not in BINARY:
        return call

    @functools.wraps(call)
    def operator(self, other):
        if not state.modes and not overloaded((self, other)):
            return call(self, other)
        try:
            return call(self, other)
        except TypeError:
            return NotImplemented

    return operator


def _equal(method: Callable) -> Callable:
    """``x == y``, which the class of ``y`` knows as `Tensor.eq`."""
    of_first = overridable(method, "__eq__")
    of_second = overridable(method, "eq", lambda: vars(Tensor)["eq"])

    @functools.wraps(method)
    def operator(self, other):
        told = of_first if state.modes or overrides(type(self)) else of_second
        return told(self, other)

    return operator


_NAMED = {"__rtruediv__": "__rdiv__"}
"""Operators under another name in PyTorch."""


def _property(item: property) -> property:
    """A property whose access is told of as a call of ``Tensor.<name>.__get__`` and so on."""
    made: list[property] = []

    def part(function: Any, name: str) -> Any:
        return function and overridable(function, name, lambda: getattr(made[0], name))

    made.append(property(
        part(item.fget, "__get__"), part(item.fset, "__set__"), part(item.fdel, "__delete__"),
        item.__doc__,
    ))  # fmt: skip
    return made[0]


def _attributes() -> Iterator[tuple[str, Any]]:
    """The methods and properties of `Tensor` that can be overridden."""
    for name, item in {**vars(Described), **vars(Tensor)}.items():
        special = name.startswith("__")
        if special and name not in SPECIAL or name in PLAIN:
            continue
        if isinstance(item, property) and (name[0] != "_" or name in ("_version", "_base")):
            yield name, _property(item)
        elif isinstance(item, FunctionType) and special:
            yield name, _equal(item) if name == "__eq__" else _operator(name, item)
        elif isinstance(item, FunctionType) and name[0] != "_":
            yield name, overridable(item, name)


_TOLD = {"logsigmoid": "log_sigmoid", "threshold": "_threshold"}
"""Functions of `nn.functional` under another name in PyTorch."""


@functools.cache
def install() -> None:
    """Let every function and method look for ``__torch_function__`` from now on."""
    for name, item in list(_attributes()):
        setattr(Tensor, name, item)
    for name, prefix in MODULES.items():
        module = sys.modules[f"{__package__}{name}"]
        for key, item in list(vars(module).items()):
            if isinstance(item, FunctionType) and key[0] != "_" and key not in IGNORED:
                form = form_of(item, key, name)
                setattr(module, key, overridable(item, _TOLD.get(key, prefix + key), None, form))
    autograd = sys.modules[f"{__package__}.autograd"]
    for key in ("backward", "grad"):
        function = getattr(autograd, key)
        form = form_of(function, key, ".autograd")
        setattr(autograd, key, overridable(function, key, None, form))


def _defined(cls: type, **kwargs: Any) -> None:
    """A subclass of `Tensor` was defined."""
    super(Tensor, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
    if overrides(cls):
        cls._shown_as = cls.__name__  # type: ignore[attr-defined]
        install()


class TorchFunctionMode:
    """Context manager: ``__torch_function__`` of this object is asked about every call inside.

    Within it the mode is off.

    >>> import stateful as torch
    >>> class Names(torch.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = torch.ones(2) * 3
    ones
    mul
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        install()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        state.modes = (*state.modes, self)
        return self

    def __exit__(self, *exc) -> None:
        state.modes = state.modes[:-1]


Tensor.__torch_function__ = classmethod(torch_function)  # type: ignore[attr-defined]
Tensor.__init_subclass__ = classmethod(_defined)  # type: ignore[assignment]
