"""`torch._foreach_add` and the like: one op on each tensor of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .tensor import Tensor

_UNARY = """
abs acos asin atan ceil clone cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg
reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc zero max
""".split()
_BINARY = "add sub mul div clamp_max clamp_min maximum minimum pow copy norm".split()
_TERNARY = "addcdiv addcmul lerp".split()
_NEVER = {"zero", "copy", "clone_", "max_", "norm_"}
_SECOND = ("other", "scalar", "scalars", "tensor", "exponent", "ord")
"""Names of the second argument."""


def _each(item: Any, count: int) -> Sequence[Any]:
    """One argument for each tensor: a list gives one each, all else is shared."""
    return item if isinstance(item, list | tuple) else [item] * count


def _foreach(name: str) -> Callable:
    in_place = name.endswith("_")

    def function(self: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        args += tuple(kwargs.pop(key) for key in _SECOND if key in kwargs)
        if isinstance(self, int | float | complex):  # a number to the power of each tensor
            return tuple(self**exponent for exponent in args[0])
        if not self:
            raise RuntimeError("Tensor list must have at least one tensor.")
        spread = [_each(arg, len(self)) for arg in args]
        for position, items in enumerate(spread):
            if len(items) != len(self):
                raise RuntimeError(
                    f"Tensor lists must have the same number of tensors, got {len(self)} and "
                    f"{len(items)} in argument {position + 1}"
                )
        named = {key: _each(value, len(self)) for key, value in kwargs.items()}
        results = [
            _call(tensor, name, [items[i] for items in spread],
                  {key: items[i] for key, items in named.items()})
            for i, tensor in enumerate(self)
        ]  # fmt: skip
        return results if in_place else tuple(results)

    function.__name__ = function.__qualname__ = f"_foreach_{name}"
    function.__doc__ = f"`Tensor.{name}` of each tensor of a list."
    return function


def _call(tensor: Tensor, name: str, args: list, kwargs: dict) -> Any:
    base = name.rstrip("_")
    if base in ("addcdiv", "addcmul") and len(args) > 2:
        *args, kwargs["value"] = args
    if base in ("maximum", "minimum") and not isinstance(args[0], Tensor):
        name = {"maximum": "clamp_min", "minimum": "clamp_max"}[base] + name[len(base) :]
    elif base in ("clamp_min", "clamp_max", "maximum", "minimum") and name.endswith("_"):
        bound = {"clamp_min": "maximum", "clamp_max": "minimum"}.get(base, base)
        if isinstance(args[0], Tensor):
            return tensor.copy_(getattr(tensor, bound)(*args))  # type: ignore[attr-defined]
    return getattr(tensor, name)(*args, **kwargs)


FOREACH: dict[str, Callable] = {
    f"_foreach_{name}": _foreach(name)
    for base in (*_UNARY, *_BINARY, *_TERNARY)
    for name in (base, f"{base}_")
    if name not in _NEVER
}
