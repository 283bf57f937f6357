"""Functions and methods made from declarations: ``add``, ``x.add``, ``x.add_``, ``x + y``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import funcgrad as funcgrad  # every op is declared when this is imported
from funcgrad.composite import COMPOSITES
from funcgrad.mode import mode
from funcgrad.op import REGISTRY, Op

from .conjugates import part
from .dispatch import IN_FORMULA, call
from .faces import public, public_inplace
from .tensor import Tensor
from .transposed import warned

FUNCTIONS: dict[str, dict[str, Callable]] = {}
"""Public functions by face ("torch", "nn", "linalg", ...) and name."""


def derive() -> None:
    """Make every function and method from the registry."""
    declared: dict[tuple[str, str], Any] = {}
    for op in REGISTRY.values():
        declared.setdefault((op.face, op.name.removeprefix(f"{op.face}_")), op)
    for item in COMPOSITES.values():
        declared[item.face, item.name] = item
    for (face, name), item in declared.items():
        function = public(item)
        if face in ("tensor", "method"):
            _attach(name, function)
        if face in ("tensor", "torch"):
            FUNCTIONS.setdefault("torch", {})[name] = function
        elif face not in ("method",):
            FUNCTIONS.setdefault(face, {})[name] = function
        if item.inplace:
            _attach(f"{name}_", public_inplace(item))
        if item.dunder:
            _attach_operator(item.dunder, function, item)


def _attach(name: str, function: Callable) -> None:
    if not hasattr(Tensor, name):
        setattr(Tensor, name, function)


_REFLECTED = {"add", "mul", "and", "or", "xor"}
"""Operators whose reflected form is the same op with the Tensor first, as in PyTorch."""


def _attach_properties() -> None:
    """Ops that are attributes in PyTorch: ``x.T``, ``x.real``."""
    for name in ("real", "imag"):
        FUNCTIONS["torch"][name] = part(name, FUNCTIONS["torch"][name])
    named = {**FUNCTIONS["private"], **FUNCTIONS["torch"]}
    for name, function in {
        "T": "numpy_T", "mT": "mT", "H": "matrix_H", "mH": "mH", "real": "real", "imag": "imag",
    }.items():  # fmt: skip
        setattr(Tensor, name, property(warned(name, named[function])))
    Tensor.adjoint = warned("adjoint", named["adjoint"])  # type: ignore[attr-defined]
    FUNCTIONS["torch"]["adjoint"] = warned("adjoint", named["adjoint"])
    for name in ("real", "imag"):
        setattr(Tensor, name, getattr(Tensor, name).setter(_part_setter(named[name])))


def _part_setter(part: Callable) -> Callable:
    def assign(self: Tensor, value: Any) -> None:
        part(self).copy_(value)  # type: ignore[attr-defined]

    return assign


def _attach_operator(name: str, function: Callable, declared: Any) -> None:
    setattr(Tensor, f"__{name}__", _operator(function, declared))
    if declared.inplace:
        setattr(Tensor, f"__i{name}__", _operator(getattr(Tensor, f"{function.__name__}_")))
    if name in _REFLECTED:
        setattr(Tensor, f"__r{name}__", _operator(function, declared))


def _operator(function: Callable, declared: Any = None) -> Callable:
    """An operator that is this public function; without a detour where it is that of an op."""

    def one(self):
        return function(self)

    def two(self, other):
        if isinstance(other, _OPERANDS) or hasattr(other, "__torch_function__"):
            return function(self, other)
        return NotImplemented

    def two_of_op(self, other):
        if isinstance(other, _OPERANDS):
            return call(declared, (self, other), _NO_NAMES)
        return two(self, other)

    unary = len(getattr(declared, "names", ())) == 1
    operator: Any = one if unary else two_of_op if isinstance(declared, Op) else two
    return functools.wraps(function)(operator)


_NO_NAMES: dict[str, Any] = {}


def _matmul_operator(functions: dict[str, Callable]) -> Callable:
    """``x @ y``: two matrices, the common case, need not ask what `matmul` means."""
    general, mm = _operator(functions["matmul"]), REGISTRY["mm"]

    @functools.wraps(general)
    def operator(self, other):
        if isinstance(other, Tensor) and len(self._aval.shape) == 2 == len(other._aval.shape):
            return call(mm, (self, other), _NO_NAMES)
        return general(self, other)

    return operator


_OPERANDS = (Tensor, bool, int, float, complex, np.generic)


def _attach_reflected() -> None:
    """The operators with the Tensor on the right that do not commute."""
    functions = FUNCTIONS["torch"]
    public = {
        "pow": "pow", "floordiv": "floor_divide", "mod": "remainder", "matmul": "matmul",
        "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
    }  # fmt: skip
    swapped: dict[str, Callable] = {
        name: lambda self, other, f=functions[forward]: f(other, self)
        for name, forward in public.items()
    }
    swapped["sub"] = functions["rsub"]
    swapped["truediv"] = lambda self, other: (
        functions["div"](other, self) if mode.owner is IN_FORMULA
        else functions["mul"](functions["reciprocal"](self), other)
    )  # fmt: skip
    for name, function in swapped.items():
        setattr(Tensor, f"__r{name}__", _operator(function))
    Tensor.__matmul__ = _matmul_operator(functions)  # type: ignore[attr-defined]
    Tensor.__invert__ = _invert_operator(functions["bitwise_not"])  # type: ignore[attr-defined]


def _invert_operator(bitwise_not: Callable) -> Callable:
    """``~x``, whose error is not that of `bitwise_not`."""

    @functools.wraps(bitwise_not)
    def operator(self):
        if self._aval.dtype.kind not in "iub":
            raise TypeError(
                "~ (operator.invert) is only implemented on integer and Boolean-type tensors: "
                f"this one is {self.dtype}"
            )
        return bitwise_not(self)

    return operator


derive()
_attach_reflected()
_attach_properties()
