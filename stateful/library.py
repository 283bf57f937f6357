"""`torch.library`: ops of one's own, with a backward of one's own.

As https://docs.pytorch.org/docs/stable/library.html. What an op does is in ``own_ops.py``; here is
how it is made: of a function, or of a schema and kernels.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from . import library_checks
from .devices import device
from .own_ops import OPS, OwnOp, OwnOverload
from .schemas import infer_schema as infer_schema
from .schemas import parse

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "impl",
    "infer_schema",
    "opcheck",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]


class CustomOpDef:
    """An op that `custom_op` made; call it like the function.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::twice", mutates_args=())
    ... def twice(x: torch.Tensor) -> torch.Tensor:
    ...     return x * 2
    >>> twice(torch.ones(2)), torch.ops.shop.twice(torch.ones(1))
    (tensor([2., 2.]), tensor([2.]))
    """

    def __init__(self, op: OwnOp, function: Callable):
        self._op, self._init_fn = op, function
        self._qualname = op.schema.name
        self._namespace, _, self._name = self._qualname.partition("::")

    @property
    def _opoverload(self) -> Any:
        return self._op.default

    def register_autograd(self, backward: Callable, /, *, setup_context: Callable | None = None):
        """Say how the gradient of the op is computed, as in `autograd.Function`.

        ``setup_context(ctx, inputs, output)`` saves what ``backward(ctx, *grads)`` needs; with
        arguments that go by keyword only, ``setup_context(ctx, inputs, keyword_only_inputs,
        output)``. The gradient of a list of tensors is a list.
        """
        self._op.register_autograd(backward, setup_context)

    def register_fake(self, fn: Callable) -> Callable:
        """Accepted: shapes are found by tracing the op itself."""
        return fn

    def register_kernel(self, device_types: Any, fn: Callable | None = None) -> Callable:
        """Decorator: the implementation for these devices, which takes the place of the first."""

        def register(function: Callable) -> Callable:
            for name in [device_types] if isinstance(device_types, str) else device_types or "*":
                self._op.kernels[_key(name)] = function
            return function

        return register if fn is None else register(fn)

    def register_vmap(self, func: Callable | None = None) -> Callable:
        """Decorator: ``func(info, in_dims, *args)`` is the op on a batch."""

        def register(function: Callable) -> Callable:
            self._op.register_vmap(function)
            return function

        return register if func is None else register(func)

    def register_autocast(self, device_type: str, cast_inputs: Any) -> None:
        """In `torch.autocast` of a device cast tensors to the dtype ``cast_inputs`` first."""
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self._op.autocast[device(device_type).type] = cast_inputs

    @contextlib.contextmanager
    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> Iterator[None]:
        """Whether the implementation for a device is used inside, or that for all devices."""
        key = _key(device_type)
        kernel = self._op.kernels.get(key)
        if kernel is not None and not enabled:
            del self._op.kernels[key]
        try:
            yield
        finally:
            if kernel is not None:
                self._op.kernels[key] = kernel

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"


def _key(device: str) -> str:
    """The key of the kernel for a device."""
    return "CompositeExplicitAutograd" if device == "*" else device.upper()


def custom_op(
    name: str, fn: Callable | None = None, /, *, mutates_args: str | Iterable[str],
    device_types: Any = None, schema: str | None = None,
) -> Any:  # fmt: skip
    """Make an op ``namespace::name`` of a function; a decorator without ``fn``.

    ``mutates_args``: names of the arguments that the function changes in place. ``device_types``:
    where the function can run, everywhere if None. ``schema``: in place of the annotations. Raises
    ValueError for a name without a namespace.

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

    def make(function: Callable) -> CustomOpDef:
        text = schema or infer_schema(function, mutates_args=mutates_args)
        found = parse(name + text[text.index("(") :])
        for argument in found.arguments:
            if argument.kwarg_only and argument.type.startswith("Tensor"):
                raise NotImplementedError(
                    f"custom_op with kwarg-only Tensor args: let {argument.name} be given by "
                    f"position; the schema is {found}"
                )
        op = OwnOp.define(found, _python_defaults(function), again=True)
        op.opaque = True
        made = CustomOpDef(op, function)
        made.register_kernel(device_types, function)
        return made

    return make if fn is None else make(fn)


def _python_defaults(function: Callable) -> dict[str, Any]:
    """Defaults as they are in Python, for arguments such as dtypes."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


class Library:
    """The ops of a namespace: `define` says what they take, `impl` what they do.

    ``kind``: ``"DEF"`` for a namespace of one's own, ``"FRAGMENT"`` for more ops of one, ``"IMPL"``
    for implementations of ops that exist.

    >>> import stateful as torch
    >>> shop = torch.library.Library("shop", "FRAGMENT")
    >>> shop.define("plus(Tensor x, float amount=1.0) -> Tensor")
    'plus'
    >>> shop.impl("plus", lambda x, amount: x + amount, "CompositeImplicitAutograd")
    >>> torch.ops.shop.plus(torch.ones(2), 3.0)
    tensor([4., 4.])
    >>> shop._destroy()
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = ""):
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}; it is DEF, FRAGMENT or IMPL")
        if kind == "DEF" and ns in ("aten", "prim", "prims"):
            raise RuntimeError(
                "Only a single TORCH_LIBRARY can be used to register the namespace "
                f"{ns}: it is PyTorch's; choose another, or kind IMPL"
            )
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._defined: list[OwnOp] = []

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Say what an op takes; gives its name. Raises RuntimeError if there is one already."""
        if self.kind == "IMPL":
            raise RuntimeError(f"cannot define {schema} in a library of kind IMPL: use FRAGMENT")
        found = parse(schema)
        self._defined.append(OwnOp.define(parse(f"{self.ns}::{schema.strip()}"), {}))
        return found.name

    def impl(
        self, op_name: Any, fn: Callable, dispatch_key: str = "", *, with_keyset: bool = False,
        allow_override: bool = False,
    ) -> None:  # fmt: skip
        """What an op does: ``"CPU"``; ``"Autograd"``, with a backward of its own;
        ``"CompositeImplicitAutograd"``, in ops that have one."""
        if not callable(fn):
            raise TypeError(f"Input function is required to be a callable but found {type(fn)}")
        name = op_name if isinstance(op_name, str) else op_name._qualname
        key = dispatch_key or self.dispatch_key or "CompositeImplicitAutograd"
        _named(name if "::" in name else f"{self.ns}::{name}").kernels[key] = fn

    def _destroy(self) -> None:
        """Forget the ops that were defined here."""
        for op in self._defined:
            op.forget()

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"


def _named(op: Any) -> OwnOp:
    if isinstance(op, CustomOpDef):
        return op._op
    if isinstance(op, OwnOp):
        return op
    name = op if isinstance(op, str) else op.name()
    if name not in OPS:
        raise RuntimeError(f"there is no custom op {name!r}; make it with torch.library.custom_op")
    return OPS[name]


@contextlib.contextmanager
def _scoped_library(*args: Any) -> Iterator[Library]:
    """A `Library` whose ops are forgotten at the end."""
    library = Library(*args)
    try:
        yield library
    finally:
        library._destroy()


def define(qualname: str, schema: str, *, lib: Any = None, tags: Any = ()) -> None:
    """Say what the op ``namespace::name`` takes; in ``lib``, which can forget it, if one is given.

    >>> import stateful as torch
    >>> shop = torch.library.Library("shop", "FRAGMENT")
    >>> torch.library.define("shop::less", "(Tensor x) -> Tensor", lib=shop)
    >>> @torch.library.impl("shop::less", "cpu")
    ... def _(x):
    ...     return x - 1
    >>> torch.ops.shop.less(torch.ones(2))
    tensor([0., 0.])
    >>> shop._destroy()
    """
    if "::" not in qualname:
        raise ValueError(
            f"torch.library.define expected `name` in the form `namespace::name`, got {qualname!r}"
        )
    namespace, _, name = qualname.partition("::")
    (Library(namespace, "FRAGMENT") if lib is None else lib).define(name + schema)


def impl(qualname: str, types: Any, func: Callable | None = None, *, lib: Any = None) -> Any:
    """What the op of that name does, on these devices or for these keys; a decorator without
    ``func``.

    >>> import stateful as torch
    >>> shop = torch.library.Library("shop", "FRAGMENT")
    >>> torch.library.define("shop::more", "(Tensor x) -> Tensor", lib=shop)
    >>> torch.library.impl("shop::more", "default", lambda x: x + 1)
    >>> torch.ops.shop.more(torch.ones(2))
    tensor([2., 2.])
    >>> shop._destroy()
    """
    if isinstance(qualname, Library):  # the older form: impl(library, name, key)
        return functools.partial(_impl_of, qualname, types, func or "")
    op = _named(qualname)

    def register(function: Callable) -> None:
        for kind in [types] if isinstance(types, str) else types:
            op.kernels[_DEVICES.get(kind, kind)] = function

    return register if func is None else register(func)


_DEVICES = {"cpu": "CPU", "cuda": "CUDA", "default": "CompositeExplicitAutograd"}


def _impl_of(library: Library, name: Any, key: Any, function: Callable) -> Callable:
    library.impl(name, function, key)
    return function


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
    _named(op).register_autograd(backward, setup_context)


def register_fake(op: Any, func: Callable | None = None, /, **options: Any) -> Any:
    """Accepted: shapes are found by tracing the op itself.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::same", mutates_args=())
    ... def same(x: torch.Tensor) -> torch.Tensor:
    ...     return x.clone()
    >>> @torch.library.register_fake("shop::same")
    ... def _(x):
    ...     return torch.empty_like(x)
    """
    _named(op)
    return (lambda function: function) if func is None else func


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
    return CustomOpDef(_named(op), func or _named).register_kernel(device_types, func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *, lib: Any = None) -> None:
    """`CustomOpDef.register_autocast` of an op, or of the op of that name.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::copy", mutates_args=())
    ... def copy(x: torch.Tensor) -> torch.Tensor:
    ...     return x.clone()
    >>> _ = torch.library.register_autocast(copy, "cpu", torch.bfloat16)
    >>> with torch.autocast("cpu", dtype=torch.bfloat16):
    ...     copy(torch.ones(1))
    tensor([1.], dtype=torch.bfloat16)
    """
    CustomOpDef(_named(op), _named).register_autocast(device_type, cast_inputs)


def opcheck(
    op: Any, args: Any, kwargs: dict | None = None, *,
    test_utils: str | Sequence[str] = library_checks.DEFAULT, raise_exception: bool = True,
    atol: float | None = None, rtol: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Whether an op is registered as it behaves: a check by each name in ``test_utils``.

    ``"test_schema"``: it changes what its schema says, and gives new tensors;
    ``"test_autograd_registration"``: it has a backward if it is asked for one; the others: it and
    its backward give the same each time. Raises `OpCheckError`, ValueError for another name or for
    what is no op of one's own.

    >>> import stateful as torch
    >>> @torch.library.custom_op("shop::plain", mutates_args=())
    ... def plain(x: torch.Tensor) -> torch.Tensor:
    ...     return x.clone()
    >>> torch.library.opcheck(plain, (torch.ones(2),), test_utils="test_schema")
    {'test_schema': 'SUCCESS'}
    """
    if not isinstance(op, CustomOpDef | OwnOp | OwnOverload):
        raise ValueError(
            "opcheck(op, ...): op must be instance of torch._ops.OpOverload, e.g. "
            f"torch.ops.shop.twice.default, got {type(op)}"
        )
    found = op._op if not isinstance(op, OwnOp) else op
    return library_checks.check(found, tuple(args), kwargs or {}, test_utils, raise_exception)


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
    return CustomOpDef(_named(op), func or _named).register_vmap(func)
