"""Public functions made of ops: composites, and one name for several ops."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import signature as signatures
from .binding import Parameter
from .op import Op, is_tensor

COMPOSITES: dict[str, Composite] = {}
"""Every function that is made of ops, and every overload set, by its public name."""


class Composite:
    """A public function made of ops; ``face`` and ``inplace`` as in `op`."""

    inplace: Any

    def __init__(self, fn, name, face, inplace=False, dunder=None):
        functools.update_wrapper(self, fn)
        self.fn, self.name, self.face, self.inplace, self.dunder = fn, name, face, inplace, dunder
        COMPOSITES[name if face in ("tensor", "torch") else f"{face}.{name}"] = self

    def __call__(self, /, *args, **kwargs):
        return self.fn(*args, **kwargs)

    def __repr__(self):
        return f"<function {self.name}>"


def composite(name: str | None = None, *, face: str = "tensor", inplace: Any = False):
    """Declare a function that is written in other ops and so needs no formula of its own.

    ``inplace``: there is a ``name_``; in place of True, the op that it is, with further arguments.
    """

    def declare(fn: Callable) -> Composite:
        return Composite(fn, name or fn.__name__, face, inplace)

    return declare


class Overloads(Composite):
    """One public name for several ops, chosen by the kinds of the arguments, first match first.

    A number counts as a tensor only if no overload takes it as a number.
    """

    def __init__(self, name: str, *ops: Op, doc: str | None = None):
        self.ops = ops
        self._chosen: dict = {}
        first = ops[0]
        super().__init__(
            first.fn,
            name,
            first.face,
            any(o.inplace for o in ops),
            next((o.dunder for o in ops), None),
        )
        self.__name__ = name
        self.__doc__ = doc or "\n\n".join(o.__doc__ or "" for o in ops)

    def __call__(self, /, *args, **kwargs):
        return self.choose(args, kwargs)(*args, **kwargs)

    def choose(self, args: Sequence, kwargs: dict) -> Op:
        """The op that takes these arguments; the choice depends on their types alone."""
        named = (*kwargs, *map(type, kwargs.values())) if kwargs else ()
        key = (*map(type, args), *named)
        found = self._chosen.get(key)
        if found is None:
            found = self._chosen[key] = self._search(args, kwargs)
        return found

    def _search(self, args, kwargs) -> Op:
        for numbers_too in (False, True):
            for candidate in self.ops:
                if _accepts(candidate, args, kwargs, numbers_too):
                    return candidate
        given = ", ".join([type(a).__name__ for a in args] + [f"{k}=..." for k in kwargs])
        options = "\n".join(f"  * ({', '.join(map(str, o.names))})" for o in self.ops)
        raise TypeError(
            f"{self.name}() received an invalid combination of arguments - got ({given}), but "
            f"expected one of:\n{options}"
        )


def overloads(name: str, *ops: Op) -> Overloads:
    """Publish ``ops`` under one name."""
    return Overloads(name, *ops)


def _accepts(op: Op, args, kwargs, numbers_too: bool) -> bool:
    try:
        full = op.complete(args, kwargs)
    except TypeError:
        return False
    return all(_fits(p, arg, numbers_too) for p, arg in zip(op.params, full, strict=True))


def _fits(param: Parameter, arg, numbers_too: bool) -> bool:
    if arg is None:
        return param.optional
    if param.kind == "tensor":
        return is_tensor(arg) or (numbers_too and isinstance(arg, signatures.NUMBERS))
    if param.kind == "tensors":
        return isinstance(arg, list | tuple) and all(x is None or is_tensor(x) for x in arg)
    if param.kind == "scalar":
        return isinstance(arg, signatures.NUMBERS)
    if isinstance(arg, list | tuple) or is_tensor(arg):
        return param.convert is signatures.size and not is_tensor(arg)
    if param.convert is None:
        return True
    try:
        param.convert(arg)
    except TypeError:
        return False
    return True
