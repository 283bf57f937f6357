"""An op of one's own: its schema, its kernels, its backward, and which of them a call needs."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any

from . import autocasting, modes
from .autograd import fallback
from .autograd.function import Function
from .operators import ops
from .schemas import FunctionSchema
from .tensor import Tensor
from .torch_dispatch import asked, decided, handle
from .utils._pytree import TreeSpec, tree_flatten, tree_leaves, tree_unflatten

OPS: dict[str, OwnOp] = {}
"""Every op by its name with its namespace."""


class _Below(threading.local):
    """Whether the calls of this thread are below autograd: kernels for it are passed by."""

    active: bool = False


below = _Below()


class AutoDispatchBelowAutograd:
    """Context manager: ops inside are computed without their kernels for autograd.

    >>> import stateful as torch
    >>> with torch._C._AutoDispatchBelowAutograd():
    ...     torch.ones(1, requires_grad=True) * 2
    tensor([2.])
    """

    def __enter__(self) -> None:
        self._before, below.active = below.active, True
        self._without = modes.no_grad()
        self._without.__enter__()

    def __exit__(self, *exc) -> None:
        self._without.__exit__(*exc)
        below.active = self._before


class OwnOverload:
    """The only overload of an op, ``torch.ops.shop.twice.default``."""

    def __init__(self, op: OwnOp):
        self._op, self._schema = op, op.schema
        self.namespace = op.namespace
        self._overloadname = op.schema.overload_name or "default"
        self.__name__ = f"{op.name}.{self._overloadname}"

    @property
    def overloadpacket(self) -> OwnOp:
        """The op."""
        return self._op

    def name(self) -> str:
        """The name with its namespace."""
        return self._schema.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        name, overload = self.__name__.split(".")
        return f"<OpOverload(op='{self.namespace}.{name}', overload='{overload}')>"


class OwnOp:
    """An op of one's own, as ``torch.ops.<namespace>.<name>``.

    ``kernels``: implementations by PyTorch's keys. ``opaque``: nothing of a kernel is recorded.
    ``autocast``: the dtype for `torch.autocast` by the type of device.
    """

    def __init__(self, schema: FunctionSchema):
        self.schema = schema
        self.namespace, _, self.name = schema.name.partition("::")
        self.__name__ = self.name
        self.kernels: dict[str, Callable] = {}
        self.autocast: dict[str, Any] = {}
        self.opaque = False
        self._setup: Callable | None = None
        self._backward: Callable | None = None
        self._vmap: Callable | None = None
        self._functions: dict[str, type[Function]] = {}
        self.default = OwnOverload(self)

    @classmethod
    def define(cls, schema: FunctionSchema, defaults: dict, again: bool = False) -> OwnOp:
        """A new op; RuntimeError if there is one of that name, unless it may be made ``again``."""
        if schema.name in OPS and not again:
            raise RuntimeError(
                f"Tried to register an operator ({schema}) with the same name and overload name "
                "multiple times. Each overload's schema should only be registered with a single "
                "call to def()."
            )
        arguments = tuple(
            dataclasses.replace(a, default=defaults.get(a.name, a.default))
            for a in schema.arguments
        )
        op = OPS[schema.name] = cls(dataclasses.replace(schema, arguments=arguments))
        ops.define(op.namespace, op.name, op)
        return op

    def forget(self) -> None:
        """There is no such op any more."""
        if OPS.get(self.schema.name) is self:
            del OPS[self.schema.name]
            ops.undefine(self.namespace, self.name)

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return [self.default._overloadname]

    def register_autograd(self, backward: Callable, setup_context: Callable | None) -> None:
        """Say how the gradient is computed."""
        if self.schema.is_mutable:
            changed = ", ".join(a.name for a in self.schema.arguments if a.mutable)
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self.schema}: it "
                f"changes {changed} in place"
            )
        self._backward, self._setup, self.opaque = backward, setup_context, True

    def register_vmap(self, function: Callable) -> None:
        """Say what the op is on a batch."""
        self._vmap, self._functions = function, {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values, named = self.schema.bind(args, kwargs)
        if self.autocast.get("cpu") is not None and autocasting.state.enabled["cpu"]:
            return self._cast(self.autocast["cpu"], values, named)
        autograd = self.kernels.get("Autograd") or self.kernels.get("AutogradCPU")
        if autograd is not None and not below.active:
            return autograd(*values, **named)
        if not self.opaque:
            return self._recorded(values, named)
        if self.schema.is_mutable and self.schema.returns == "()":
            return self._in_place(values, named)
        flat, spec = tree_flatten((tuple(values), tuple(named.values())), _is_leaf)
        function = self._functions.get(repr(spec))
        if function is None:
            function = self._functions[repr(spec)] = _function_of(self, spec, list(named))
        result = function.apply(*flat)
        self._bump(values, named)
        return function.outputs.rebuild(result)  # type: ignore[attr-defined]

    def _cast(self, dtype: Any, values: Sequence, named: dict) -> Any:
        """The op on tensors of another dtype, outside of the casting."""
        named = {name: autocasting.cast_to(x, dtype) for name, x in named.items()}
        enabled = autocasting.state.enabled
        enabled["cpu"] = False
        try:
            return self(*[autocasting.cast_to(x, dtype) for x in values], **named)
        finally:
            enabled["cpu"] = True

    def _kernel(self) -> Callable:
        for key in ("CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd"):
            if key in self.kernels:
                return self.kernels[key]
        raise NotImplementedError(
            f"Could not run '{self.schema.name}' with arguments from the 'CPU' backend: kernels "
            f"are registered for {', '.join(self.kernels) or 'nothing'}"
        )

    def compute(self, values: Sequence, named: dict) -> Any:
        """The implementation, or what is said of it; nothing of it is recorded."""
        tensors = [x for x in tree_leaves((values, named)) if isinstance(x, Tensor)]
        if decided(tensors):
            return handle(self.default, asked(tensors), tuple(values), named)
        with modes.no_grad():
            result = self._kernel()(*values, **named)
        _check_fresh(self, (*values, *named.values()), result)
        return result

    def _in_place(self, values: Sequence, named: dict) -> Any:
        """The op on tensors that it changes: nothing of it is recorded."""
        with modes.no_grad():
            result = self._kernel()(*values, **named)
        self._bump(values, named)
        return result

    def _bump(self, values: Sequence, named: dict) -> None:
        """Count the writes."""
        if self.schema.is_mutable:
            for x in self._written(values, named):
                if isinstance(x, Tensor):
                    x._counter.version += 1

    def _written(self, values: Sequence, named: dict) -> list:
        """The arguments that the op changes in place."""
        by_position = [a.name for a in self.schema.arguments if not a.kwarg_only]
        given = {**dict(zip(by_position, values, strict=False)), **named}
        return tree_leaves([given[a.name] for a in self.schema.arguments if a.mutable])

    def _recorded(self, values: Sequence, named: dict) -> Any:
        """The ops of the kernel are recorded; that of a device is none to differentiate."""
        kernel = self._kernel()
        result = kernel(*values, **named)
        if kernel is not self.kernels.get("CompositeImplicitAutograd"):
            given, made = tree_leaves((values, named)), tree_leaves(result)
            fallback.record(self.schema.name, given, made, self._written(values, named))
        return result

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self.namespace}.{self.name}')>"


def _is_leaf(tree: Any) -> bool:
    """Whether an argument, or a result, is one for autograd: all but lists of tensors."""
    if type(tree) is list:
        return not all(isinstance(item, Tensor) for item in tree)
    return type(tree) is not tuple


def _is_gradient(tree: Any) -> bool:
    """The same of gradients, among which there may be None."""
    if type(tree) is list:
        return not all(item is None or isinstance(item, Tensor) for item in tree)
    return type(tree) is not tuple


class _Outputs:
    """How the outputs of a function made the result of the op, when it was called last."""

    spec: TreeSpec

    def flatten(self, result: Any) -> Any:
        """The outputs: one, or a tuple."""
        flat, self.spec = tree_flatten(result, _is_leaf)
        return flat[0] if self.spec.is_leaf() else tuple(flat)

    def rebuild(self, outputs: Any) -> Any:
        """The result of these outputs."""
        return outputs if self.spec.is_leaf() else tree_unflatten(outputs, self.spec)


def _gradients(grads: tuple, spec: TreeSpec) -> tuple:
    """What a backward is given: the gradient of each result, of a list of tensors a list."""
    if spec.is_leaf():
        return grads
    arrived = tree_unflatten(grads, spec)
    return arrived if spec.type is tuple else (arrived,)


def _function_of(op: OwnOp, spec: TreeSpec, names: list[str]) -> type[Function]:
    """The `autograd.Function` of an op, for arguments of this structure."""
    outputs = _Outputs()

    def arguments(flat: Sequence) -> tuple[tuple, dict]:
        values, named = tree_unflatten(flat, spec)
        return values, dict(zip(names, named, strict=True))

    def forward(*flat: Any) -> Any:
        return outputs.flatten(op.compute(*arguments(flat)))

    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        ctx._output_spec = outputs.spec
        if op._setup is None:
            return
        given, named = arguments(inputs)
        result = outputs.rebuild(output)
        if named:
            op._setup(ctx, given, keyword_only_inputs=named, output=result)
        else:
            op._setup(ctx, given, result)

    def backward(ctx: Any, *grads: Any) -> Any:
        if op._backward is None:
            raise RuntimeError(
                f"Trying to backward through {op.default} but no autograd formula was registered. "
                "Please use register_autograd to add one."
            )
        needs = ctx.needs_input_grad
        ctx.needs_input_grad = arguments(needs)[0]
        try:
            found = op._backward(ctx, *_gradients(grads, ctx._output_spec))
        finally:
            ctx.needs_input_grad = needs
        found = tuple(found) if isinstance(found, tuple | list) else (found,)
        flat, given = tree_flatten(found, _is_gradient)
        if given != spec.children_specs[0]:
            raise RuntimeError(
                "Expected the return from backward to be of the same structure as the inputs. Got: "
                f"{given} (return from backward), {spec.children_specs[0]} (inputs)"
            )
        return (*flat, *[None] * spec.children_specs[1].num_leaves)

    def vmap(info: Any, in_dims: tuple, *flat: Any) -> Any:
        dims, _ = arguments(in_dims)
        values, named = arguments(flat)
        result, out_dims = op._vmap(info, dims, *values, **named)  # type: ignore[misc]
        made = outputs.flatten(result)
        return made, tuple(tree_leaves(out_dims)) if isinstance(made, tuple) else out_dims

    members: dict[str, Any] = {
        "forward": staticmethod(forward), "setup_context": staticmethod(setup_context),
        "backward": staticmethod(backward), "outputs": outputs,
    }  # fmt: skip
    if op._vmap is not None:
        members["vmap"] = staticmethod(vmap)
    else:
        members["generate_vmap_rule"] = True
    return type(f"GeneratedBackwardFor_{op.namespace}_{op.name}_default", (Function,), members)


def _check_fresh(op: OwnOp, args: Sequence, result: Any) -> None:
    """Raise if an output shares memory with an input, or with another output."""
    seen = {id(x._storage) for x in tree_leaves(tuple(args)) if isinstance(x, Tensor)}
    for out in tree_leaves(result):
        if isinstance(out, Tensor):
            if id(out._storage) in seen:
                raise RuntimeError(
                    f"{op.schema.name} (with implementation in {op._kernel().__module__}): The "
                    "output of this custom operator (1) must not also be an input to this custom "
                    "operator and (2) may not alias any inputs to this custom operator or other "
                    "returns. Clone the offending output tensor."
                )
            seen.add(id(out._storage))
