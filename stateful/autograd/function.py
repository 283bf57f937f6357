"""`autograd.Function`: a recorded op whose forward and backward the user writes.

As https://pytorch.org/docs/stable/notes/extending.html. The ``ctx`` that ``forward`` and
``backward`` get *is* the graph node, so what is put on it lives exactly as long as the graph.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from funcgrad import types

from .. import forward, modes
from ..backward import zeros
from ..dispatch import Face
from ..engine import running
from ..execute import Tracer
from ..graph import (
    FREED,
    NO_EDGE,
    Edge,
    Node,
    gradient_edge,
    sequence_numbers,
)
from ..hooks import RemovableHandle
from ..saved import (
    SavedTensor,
    check_normal,
)
from ..torch_function import overrides
from ..views import mark_view, rebase_function
from ..watching import Hooks
from . import batched, traced

_ids = itertools.count()

CLEARED = (
    "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on the "
    "autograd.Function. Keep the tensors in a variable, or do not set it."
)


class FunctionCtx:
    """What ``ctx`` offers to ``forward``, ``setup_context`` and ``backward``.

    >>> import stateful as torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)
    """

    to_save: tuple = ()
    saved_for_forward: tuple = ()
    dirty_tensors: tuple | None = None
    non_differentiable: tuple | None = None
    materialize_grads: bool = True
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for ``backward``, where they are ``ctx.saved_tensors``.

        Their versions are checked then. Anything that is no tensor goes on ``ctx`` as an attribute.
        """
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for ``jvp``, where they are ``ctx.saved_tensors``."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Face.tensor):
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save "
                    "non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs ``forward`` overwrote; it must return each of them."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient; ``backward`` gets zeros for them."""
        self.non_differentiable = args

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Nothing: shared storage is tracked by itself."""
        warnings.warn(
            "`mark_shared_storage` is deprecated. Tensors with shared storages are automatically "
            "tracked. Note that calls to `set_()` are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (the default) or None where no gradient arrived."""
        if not isinstance(value, bool):
            raise TypeError(
                "set_materialize_grads received an invalid combination of arguments - got "
                f"({type(value).__name__}), but expected (bool)"
            )
        self.materialize_grads = value


class _HookMixin:
    @staticmethod
    def _register_hook(backward_hooks, hook):
        backward_hooks = OrderedDict() if backward_hooks is None else backward_hooks
        handle = RemovableHandle(backward_hooks)
        backward_hooks[handle.id] = hook
        return backward_hooks, handle


class BackwardCFunction(Node, FunctionCtx, _HookMixin):
    """The node of a `Function`, and the ``ctx`` of its methods. Made by ``apply`` only.

    >>> import stateful as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> isinstance(Double.apply(x).grad_fn, torch.autograd.function.BackwardCFunction)
    True
    """

    _forward_cls: type[Function]
    _saved: tuple | None = ()
    _cleared: bool = False
    _is_tensor_input: tuple[bool, ...] = ()

    def __init__(self):
        pass

    __call__ = None  # type: ignore[assignment]

    @property
    def saved_tensors(self) -> tuple:
        """What `save_for_backward` kept; an error after the graph was freed."""
        if self.saved_for_forward:
            return self.saved_for_forward
        if self._saved is None:
            raise RuntimeError(CLEARED if self._cleared else FREED)
        unpacked = tuple([s.unpack(self) if type(s) is SavedTensor else s for s in self._saved])
        if self._forward_cls.clear_saved_tensors_on_access:
            self._saved, self._cleared = None, True
        return unpacked

    def maybe_clear_saved_tensors(self) -> None:
        """Let go of what was saved, if a backward pass runs that does not keep the graph."""
        if running.tasks and not running.tasks[-1].keep_graph:
            self.release()

    @property
    def saved_variables(self) -> tuple:
        """The old name of `saved_tensors`."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, 2)
        return self.saved_tensors

    @property
    def _raw_saved_tensors(self) -> tuple:
        if self._saved is None:
            raise RuntimeError(FREED)
        return tuple(SavedTensor.empty() if s is None else s for s in self._saved)

    @property
    def requires_grad(self) -> bool:
        """Whether any input needs a gradient."""
        return any(self.needs_input_grad)

    def release(self) -> None:
        self._saved = None

    def _user_backward(self) -> Callable:
        cls = self._forward_cls
        if cls.backward is not Function.backward and cls.vjp is not Function.vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        return cls.vjp if cls.vjp is not Function.vjp else cls.backward

    def apply(self, *grads: Any) -> Any:  # type: ignore[override]
        """Call the user's ``backward`` on the gradients of the outputs."""
        if self._forward_cls.boxed_grads_call:
            grads = (list(grads),)
        return self._user_backward()(self, *grads)

    def apply_jvp(self, *tangents: Any) -> Any:
        """Call the user's ``jvp`` on the tangents of the inputs."""
        return self._forward_cls.jvp(self, *tangents)

    def run(self, grads: Sequence[Any], needed: Sequence[bool]) -> list:
        materialize = self.materialize_grads
        seen = [
            Hooks.as_tensor(g) if g is not None
            else zeros(aval) if materialize and aval is not None
            else None
            for g, aval in zip(grads, self.avals, strict=False)
        ]  # fmt: skip
        results = self.apply(*seen)
        results = results if isinstance(results, tuple) else (results,)
        return self._checked(results)

    def _checked(self, results: tuple) -> list:
        """One gradient for each tensor input, in the order of the edges."""
        expected = self._is_tensor_input
        if len(results) > len(expected) and all(r is None for r in results[len(expected) :]):
            results = results[: len(expected)]
        if len(results) != len(expected):
            raise RuntimeError(
                f"function {type(self).__name__} returned an incorrect number of gradients "
                f"(expected {len(expected)}, got {len(results)})"
            )
        grads = []
        for position, (result, is_tensor) in enumerate(zip(results, expected, strict=True)):
            if result is not None and not is_tensor:
                raise RuntimeError(
                    f"function {type(self).__name__} returned a gradient different than None at "
                    f"position {position + 1}, but the corresponding forward input was not a "
                    f"Variable"
                )
            if result is not None and not isinstance(result, Face.tensor):
                raise RuntimeError(f"expected Variable or None (got {type(result).__name__})")
            if is_tensor:
                self._check_real(result, self.edges[len(grads)])
                grads.append(result)
        return grads

    def _check_real(self, grad: Any, edge: Edge) -> None:
        """Raise if a real input gets a complex gradient, whose imaginary part nobody could want."""
        if grad is None or edge.node is None or not types.is_complex(grad._aval.dtype):
            return
        aval = edge.node.avals[edge.nr]
        if aval is not None and aval.dtype is not None and not types.is_complex(aval.dtype):
            raise RuntimeError(
                f"function {type(self).__name__} returned a complex gradient for a real input. "
                "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == "
                "grad_is_complex) to be true, but got false: return its real part"
            )

    def __repr__(self):
        return object.__repr__(self)


class FunctionMeta(type):
    """Makes the node class of each `Function`: ``_backward_cls``, named ``<Name>Backward``.

    >>> import stateful as torch
    >>> isinstance(torch.autograd.Function, torch.autograd.function.FunctionMeta)
    True
    """

    def __init__(cls, name, bases, attrs):
        node = type(f"{name}Backward", (BackwardCFunction,), {"_forward_cls": cls})
        node._autograd_function_id = next(_ids)  # type: ignore[attr-defined]
        node.__module__ = FunctionCtx.__module__
        cls._backward_cls = node
        super().__init__(name, bases, attrs)


class Function(FunctionCtx, _HookMixin, metaclass=FunctionMeta):
    """Base class of ops with a backward of one's own: define ``forward`` and ``backward``.

    >>> import stateful as torch
    >>> class Exp(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         result = x.exp()
    ...         ctx.save_for_backward(result)
    ...         return result
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (result,) = ctx.saved_tensors
    ...         return grad * result
    >>> Exp.apply(torch.zeros(1, requires_grad=True))
    tensor([1.], grad_fn=<ExpBackward>)
    """

    _backward_cls: type[BackwardCFunction]
    generate_vmap_rule = False
    clear_saved_tensors_on_access = False
    boxed_grads_call = False

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method: make forward and backward "
            f"static and call {type(self).__name__}.apply(...)."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs. Takes ``ctx`` first, unless `setup_context` is defined."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> Any:
        """Save what ``backward`` needs, from the inputs and the output of ``forward``."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the inputs, from those of the outputs; None for inputs without one."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the outputs, from those of the inputs."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *args: Any) -> Any:
        """The outputs and their batch dimensions, from batched inputs."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and record it."""
        if cls.setup_context is not Function.setup_context:
            args = _positional(cls.forward, args, kwargs, True)
        elif kwargs:
            args = _positional(cls.forward, (None, *args), kwargs, False)[1:]
        return apply(cls, args, {})


def _positional(function: Callable, args: tuple, kwargs: dict, complete: bool) -> tuple:
    """All arguments by position, ``complete`` with defaults: gradients are counted by position."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"forward() {error}") from None
    if complete or bound.kwargs:
        bound.apply_defaults()
    for name in bound.kwargs:
        raise TypeError(
            f"forward() got an unexpected keyword argument '{name}': arguments of a custom "
            "function must have a position"
        )
    return bound.args


def apply(cls: type[Function], args: tuple, kwargs: dict) -> Any:
    """One call of a custom function."""
    ctx = object.__new__(cls._backward_cls)
    tensor = Face.tensor
    inputs = [a for a in args if isinstance(a, tensor)]
    if modes.vmap.frames or modes.transforms.depth:
        check_transforms(cls)
        if not records_or_pushes(inputs) and is_whole(cls, args):
            return batched.apply(cls, args)
    ctx.needs_input_grad = tuple([isinstance(a, tensor) and a.requires_grad for a in args])
    ctx._is_tensor_input = tuple([isinstance(a, tensor) for a in args])
    records = modes.state.grad_enabled and any(ctx.needs_input_grad)
    if records:
        ctx.edges = tuple([gradient_edge(a) for a in inputs])
        ctx.sequence_nr = next(sequence_numbers)
        if modes.anomaly.enabled:
            ctx.remember_origin()
    elif (
        not modes.forward.active
        and not modes.vmap.frames
        and any(isinstance(a._storage.value.array, Tracer) for a in inputs)
    ):
        return traced.apply(cls, args, kwargs, run_forward)
    if not modes.forward.active:
        output = run_forward(cls, ctx, args, kwargs)
        ctx.saved_for_forward = ()
        return _wrap_outputs(ctx, inputs, output, records)
    with forward.paused():
        output = run_forward(cls, ctx, args, kwargs)
        dirty = {id(t) for t in ctx.dirty_tensors or ()}
        outputs = _wrap_outputs(ctx, inputs, output, records)
        forward.push_function(ctx, args, outputs, dirty)
    ctx.saved_for_forward = ()
    return outputs


def records_or_pushes(inputs: list) -> bool:
    """Whether a call is recorded, or has tangents."""
    return modes.forward.active or modes.state.grad_enabled and any(t.requires_grad for t in inputs)


def is_whole(cls: type[Function], args: tuple) -> bool:
    """Whether a call inside of `vmap` is to be made for the whole batch."""
    return bool(modes.vmap.frames) and not cls.generate_vmap_rule and batched.is_batched(args)


def check_transforms(cls: type[Function]) -> None:
    """Raise if a custom function cannot be transformed."""
    if cls.setup_context is Function.setup_context:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, "
            "jacrev, ...), it must override the setup_context staticmethod: let forward take no "
            f"ctx, and save what backward needs in {cls.__name__}.setup_context."
        )
    if modes.vmap.frames:
        check_vmap(cls)


def check_vmap(cls: type[Function]) -> None:
    """Raise if a custom function does not say, once, how it is batched."""
    own = cls.vmap is not Function.vmap
    if own and cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overridden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            "overridden vmap staticmethod to avoid ambiguity."
        )
    if not own and not cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True."
        )


def run_forward(cls: type[Function], ctx: Any, args: tuple, kwargs: dict) -> Any:
    """The user's ``forward``, nothing recorded."""
    previous, modes.state.grad_enabled = modes.state.grad_enabled, False
    try:
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args, **kwargs)
        if is_whole(cls, args):
            output = batched.apply(cls, args)
        else:
            output = cls.forward(*args, **kwargs)
        cls.setup_context(ctx, args, output)
        return output
    finally:
        modes.state.grad_enabled = previous


def _wrap_outputs(ctx: BackwardCFunction, inputs: list, output: Any, records: bool) -> Any:
    many = isinstance(output, tuple)
    outputs = output if many else (output,)
    dirty = _marked(ctx, "dirty_tensors", _DIRTY)
    fixed = _marked(ctx, "non_differentiable", _FIXED)
    if dirty:
        _check_dirty(dirty, outputs)
    input_ids = {id(x) for x in inputs}
    dirty_ids, fixed_ids = {id(x) for x in dirty}, {id(x) for x in fixed}
    avals, wrapped = [], []
    differentiable = sum(
        isinstance(o, Face.tensor)
        and id(o) not in fixed_ids
        and types.is_differentiable(o._aval.dtype)
        for o in outputs
    )
    for number, out in enumerate(outputs):
        if not isinstance(out, Face.tensor):
            avals.append(None)
            wrapped.append(out)
            continue
        avals.append(out._aval)
        flows = records and id(out) not in fixed_ids and types.is_differentiable(out._aval.dtype)
        wrapped.append(
            _set_history(
                ctx, out, number, id(out) in input_ids, id(out) in dirty_ids, flows, differentiable
            )
        )
    ctx.avals = tuple(avals)
    if records:
        ctx._saved = tuple(_save(ctx, i, x) for i, x in enumerate(ctx.to_save))
    ctx.__dict__.pop("to_save", None)
    ctx.__dict__.pop("non_differentiable", None)
    ctx.__dict__.pop("dirty_tensors", None)
    return tuple(wrapped) if many else wrapped[0]


def _marked(ctx, field: str, message: str) -> tuple:
    marked = getattr(ctx, field) or ()
    for position, item in enumerate(marked):
        if not isinstance(item, Face.tensor):
            raise RuntimeError(message.format(position, type(item).__name__))
    return marked


_DIRTY = "mark_dirty can only accept variables, but argument {} is of type {}"
_FIXED = "mark_non_differentiable only accepts variable arguments, but got {1}"


def _check_dirty(dirty: tuple, outputs: tuple) -> None:
    returned = {id(o) for o in outputs}
    for tensor in dirty:
        tensor._counter.version += 1
        if id(tensor) not in returned:
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )


def _set_history(ctx, out, number, is_input, is_dirty, flows, differentiable) -> Any:
    """One output with its place in the graph."""
    if not flows:
        if out._requires_grad and is_input:
            return out.detach()
        if is_input and not is_dirty:
            return _as_it_is(out)
        if out._requires_grad and out._base is None:
            out.detach_()
        if out._base is not None:
            out._creation = "custom_function"
        return out
    if is_dirty:
        rebase_function(out, ctx, number, is_input and differentiable > 1)
        return out
    if is_input:
        out = _as_it_is(out)
    out._set_history(ctx, number)
    if out._base is not None:
        out._creation = "custom_function" if differentiable == 1 else "multi_output"
        out._grad_version = out._counter.version
    return out


def _as_it_is(tensor: Any) -> Any:
    """A view of an input that is returned as it is; its class decides of which class."""
    if not overrides(type(tensor)):
        return mark_view(tensor, "default")
    with modes.no_grad():
        seen = tensor.view_as(tensor)
    if seen._base is not None:
        seen._creation = "default"
    return seen


def _save(ctx, position: int, tensor: Any) -> Any:
    if tensor is None:
        return None
    if not isinstance(tensor, Face.tensor):
        raise TypeError(
            f"save_for_backward can only save variables, but argument {position} is of type "
            f"{type(tensor).__name__}"
        )
    check_normal(tensor)
    if tensor._node is ctx:
        return SavedTensor(tensor._alias(), tensor._output_nr, ctx)
    return SavedTensor(tensor)


def once_differentiable(fn: Callable) -> Callable:
    """Decorator of a ``backward`` that cannot be differentiated itself: trying to is an error.

    >>> import stateful as torch
    >>> from stateful.autograd.function import once_differentiable
    """

    @functools.wraps(fn)
    def wrapper(ctx, *args, **kwargs):
        with modes.no_grad():
            outputs = fn(ctx, *args, **kwargs)
        if not modes.state.grad_enabled:
            return outputs
        if not any(isinstance(a, Face.tensor) and a.requires_grad for a in args):
            return outputs
        many = isinstance(outputs, tuple)
        error = Error(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
        wrapped = tuple(error.attach(o) for o in (outputs if many else (outputs,)))
        return wrapped if many else wrapped[0]

    return wrapper


class Error(Node):
    """A node that raises when a gradient reaches it."""

    def __init__(self, message: str):
        super().__init__()
        self.message = message

    def attach(self, tensor: Any) -> Any:
        """``tensor`` as an output of this node."""
        self.edges = (*self.edges, NO_EDGE)
        if tensor is None:
            self.avals = (*self.avals, None)  # type: ignore[assignment]
            return None
        out = tensor.detach()
        self.avals = (*self.avals, out._aval)
        out._set_history(self, len(self.avals) - 1)
        return out

    def run(self, grads, needed):
        raise RuntimeError(self.message)


class InplaceFunction(Function):
    """A `Function` with an ``inplace`` flag; kept for old programs.

    >>> import stateful as torch
    >>> class Doubled(torch.autograd.function.InplaceFunction):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.mark_dirty(x)
    ...         return x.mul_(2)
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> Doubled.apply(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Kept for old programs: `Function` itself.

    >>> import stateful as torch
    >>> issubclass(torch.autograd.function.NestedIOFunction, torch.autograd.Function)
    True
    """


__all__ = [
    "BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction",
    "NestedIOFunction", "once_differentiable",
]  # fmt: skip


_SingleLevelFunction = Function


def _is_setup_context_defined(fn: Callable) -> bool:
    """Whether a `Function` whose ``setup_context`` is ``fn`` has one of its own."""
    return fn is not Function.setup_context


def _iter_tensors(obj: Any) -> Iterator[Any]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(obj, Face.tensor):
        yield obj
    elif isinstance(obj, tuple | list | dict):
        for item in obj.values() if isinstance(obj, dict) else obj:
            yield from _iter_tensors(item)
