"""`torch.library`: ops of one's own, with a backward of one's own.

As https://docs.pytorch.org/docs/stable/library.html. An op is a name and an implementation for all
devices; `torch.ops.<namespace>.<name>` calls it too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import modes
from .autograd.function import Function
from .operators import ops
from .tensor import Tensor
from .utils._pytree import tree_leaves

__all__ = [
    "CustomOpDef",
    "custom_op",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]

_OPS: dict[str, CustomOpDef] = {}


class CustomOpDef:
    """An op that `custom_op` made; call it like the function.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::twice", mutates_args=())
    ... def twice(x: torch.Tensor) -> torch.Tensor:
    ...     return x * 2
    >>> twice(torch.ones(2)), torch.ops.shop.twice(torch.ones(1))
    (tensor([2., 2.]), tensor([2.]))
    """

    def __init__(self, name: str, function: Callable, mutates_args: str | Iterable[str]):
        self._qualname, self._init_fn = name, function
        self._namespace, _, self._name = name.partition("::")
        self._signature = inspect.signature(function)
        self._keywords = [
            p.name for p in self._signature.parameters.values() if p.kind is p.KEYWORD_ONLY
        ]
        unknown = mutates_args == "unknown"
        names = [] if unknown or isinstance(mutates_args, str) else list(mutates_args)
        for missing in set(names) - set(self._signature.parameters):
            raise ValueError(f"mutates_args of {name} names {missing!r}, which is no argument")
        for parameter in self._signature.parameters.values():
            if parameter.annotation is parameter.empty:
                raise ValueError(
                    f"infer_schema(func): Parameter {parameter.name} must have a type annotation, "
                    f"which tells its kind; the signature is {self._signature}"
                )
            if parameter.name in self._keywords and "Tensor" in str(parameter.annotation):
                raise NotImplementedError(
                    f"custom_op with kwarg-only Tensor args: let {parameter.name} be given by "
                    f"position; the signature is {self._signature}"
                )
        self._mutates = tuple(names)
        self._function: type[Function] | None = None
        self._setup: Callable | None = None
        self._backward: Callable | None = None
        self._vmap: Callable | None = None

    def register_autograd(self, backward: Callable, /, *, setup_context: Callable | None = None):
        """Say how the gradient of the op is computed, as in `autograd.Function`.

        ``setup_context(ctx, inputs, output)`` saves what ``backward(ctx, *grads)`` needs; with
        arguments that go by keyword only, ``setup_context(ctx, inputs, keyword_only_inputs,
        output)``.
        """
        if self._mutates:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self}: it changes "
                f"{', '.join(self._mutates)} in place"
            )
        self._backward, self._setup, self._function = backward, setup_context, None

    def register_fake(self, fn: Callable) -> Callable:
        """Accepted: shapes are found by tracing the op itself."""
        return fn

    def register_kernel(self, device_types: Any, fn: Callable | None = None) -> Callable:
        """Decorator: the implementation for these devices, which takes the place of the first."""

        def register(function: Callable) -> Callable:
            self._init_fn, self._function = function, None
            return function

        return register if fn is None else register(fn)

    def register_vmap(self, func: Callable | None = None) -> Callable:
        """Decorator: ``func(info, in_dims, *args)`` is the op on a batch."""

        def register(function: Callable) -> Callable:
            self._vmap, self._function = function, None
            return function

        return register if func is None else register(func)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = tuple(bound.arguments.values())
        if self._mutates:
            return self._in_place(bound.arguments, values)
        if self._function is None:
            self._function = self._make()
        return self._function.apply(*values)

    def _in_place(self, named: dict, values: tuple) -> Any:
        """The op on tensors that it changes: nothing of it is recorded."""
        result = self._run(values)
        for x in tree_leaves([named[name] for name in self._mutates]):
            if isinstance(x, Tensor):
                x._counter.version += 1
        return result

    def _split(self, values: tuple) -> tuple[tuple, dict]:
        """The arguments by position, and those that go by keyword only."""
        count = len(values) - len(self._keywords)
        return values[:count], dict(zip(self._keywords, values[count:], strict=True))

    def _run(self, values: tuple) -> Any:
        """The implementation; nothing of it is recorded."""
        args, named = self._split(values)
        with modes.no_grad():
            return self._init_fn(*args, **named)

    def _make(self) -> type[Function]:
        """The `autograd.Function` of the op as it is registered now."""
        definition = self

        def forward(*args: Any) -> Any:
            result = definition._run(args)
            _check_fresh(definition, args, result)
            return result

        def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
            if definition._setup is None:
                return
            given, named = definition._split(inputs)
            if named:
                definition._setup(ctx, given, keyword_only_inputs=named, output=output)
            else:
                definition._setup(ctx, given, output)

        def backward(ctx: Any, *grads: Any) -> Any:
            if definition._backward is None:
                raise RuntimeError(
                    f"Trying to backward through {definition} but no autograd formula was "
                    "registered. Please use register_autograd to add one."
                )
            found = definition._backward(ctx, *grads)
            found = tuple(found) if isinstance(found, tuple | list) else (found,)
            return (*found, *[None] * len(definition._keywords))

        members: dict[str, Any] = {
            "forward": staticmethod(forward), "setup_context": staticmethod(setup_context),
            "backward": staticmethod(backward),
        }  # fmt: skip
        if self._vmap is not None:
            members["vmap"] = staticmethod(self._vmap)
        else:
            members["generate_vmap_rule"] = True
        name = f"GeneratedBackwardFor_{self._namespace}_{self._name}_default"
        return type(name, (Function,), members)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"


def _check_fresh(op: CustomOpDef, args: Sequence, result: Any) -> None:
    """Raise if an output shares memory with an input, or with another output."""
    seen = {id(x._storage) for x in tree_leaves(tuple(args)) if isinstance(x, Tensor)}
    for out in tree_leaves(result):
        if isinstance(out, Tensor):
            if id(out._storage) in seen:
                raise RuntimeError(
                    f"{op} (with implementation in {op._init_fn.__module__}): The output of this "
                    "custom operator (1) must not also be an input to this custom operator and "
                    "(2) may not alias any inputs to this custom operator or other returns. Clone "
                    "the offending output tensor."
                )
            seen.add(id(out._storage))


def custom_op(
    name: str, fn: Callable | None = None, /, *, mutates_args: str | Iterable[str],
    device_types: Any = None, schema: str | None = None,
) -> Any:  # fmt: skip
    """Make an op ``namespace::name`` of a function; a decorator without ``fn``.

    ``mutates_args``: names of the arguments that the function changes in place. Raises ValueError
    for a name without a namespace.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::square", mutates_args=())
    ... def square(x: torch.Tensor) -> torch.Tensor:
    ...     return x * x
    >>> def setup_context(ctx, inputs, output):
    ...     ctx.save_for_backward(*inputs)
    >>> def backward(ctx, grad):
    ...     (x,) = ctx.saved_tensors
    ...     return 2 * x * grad
    >>> square.register_autograd(backward, setup_context=setup_context)
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> square(x).backward()
    >>> x.grad
    tensor(6.)
    """
    if name.count("::") != 1:
        raise ValueError(
            f"Expected `name` to be of the form `namespace::name`, got {name!r}: the namespace "
            "keeps ops of different libraries apart"
        )

    def define(function: Callable) -> CustomOpDef:
        op = CustomOpDef(name, function, mutates_args)
        _OPS[name] = op
        ops.define(op._namespace, op._name, op)
        return op

    return define if fn is None else define(fn)


def _named(op: Any) -> CustomOpDef:
    found = op if isinstance(op, CustomOpDef) else _OPS.get(op)
    if found is None:
        raise RuntimeError(f"there is no custom op {op!r}; make it with torch.library.custom_op")
    return found


def register_autograd(
    op: Any, backward: Callable, /, *, setup_context: Callable | None = None, lib: Any = None
) -> None:
    """`CustomOpDef.register_autograd` of an op, or of the op of that name.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::minus", mutates_args=())
    ... def minus(x: torch.Tensor) -> torch.Tensor:
    ...     return -x
    >>> torch.library.register_autograd("shop::minus", lambda ctx, grad: -grad)
    >>> x = torch.ones(1, requires_grad=True)
    >>> torch.autograd.grad(minus(x), x)
    (tensor([-1.]),)
    """
    _named(op).register_autograd(backward, setup_context=setup_context)


def register_fake(op: Any, func: Callable | None = None, /, **options: Any) -> Callable:
    """Accepted: shapes are found by tracing the op itself.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::same", mutates_args=())
    ... def same(x: torch.Tensor) -> torch.Tensor:
    ...     return x.clone()
    >>> @torch.library.register_fake("shop::same")
    ... def _(x):
    ...     return torch.empty_like(x)
    """
    found = _named(op)
    return found.register_fake if func is None else found.register_fake(func)


def register_kernel(op: Any, device_types: Any, func: Callable | None = None, /, **_: Any):
    """`CustomOpDef.register_kernel` of an op, or of the op of that name.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::three", mutates_args=())
    ... def three(x: torch.Tensor) -> torch.Tensor:
    ...     return x * 2
    >>> @torch.library.register_kernel("shop::three", "cpu")
    ... def _(x):
    ...     return x * 3
    >>> three(torch.ones(1))
    tensor([3.])
    """
    return _named(op).register_kernel(device_types, func)


def register_vmap(op: Any, func: Callable | None = None, /, *, lib: Any = None) -> Callable:
    """`CustomOpDef.register_vmap` of an op, or of the op of that name.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::half", mutates_args=())
    ... def half(x: torch.Tensor) -> torch.Tensor:
    ...     return x / 2
    >>> @torch.library.register_vmap("shop::half")
    ... def _(info, in_dims, x):
    ...     return half(x), in_dims[0]
    >>> torch.vmap(half)(torch.ones(2))
    tensor([0.5000, 0.5000])
    """
    return _named(op).register_vmap(func)
