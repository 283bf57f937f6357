"""`Tensor`: storage, view, history; the properties that people print and test.

The methods that are ops are attached from their declarations in ``methods.py``.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from funcgrad import types

from . import backward as _backward
from . import dtypes, modes
from .described import Described
from .devices import preserve_format
from .dispatch import CAST, Face, call, store, wrap
from .execute import Aval, Value, execute
from .graph import AccumulateGrad, Node
from .hooks import RemovableHandle, attach
from .layout import set_like
from .ownership import counts_for_others, is_free, is_laid_as
from .renewal import step_avals
from .rules import check_data, check_grad, warn_non_leaf
from .saved import SavedTensor
from .views import (
    CopySlices,
    Counter,
    Step,
    Storage,
    View,
    current_grad_fn,
)  # fmt: skip
from .watching import Hooks, run_accumulated


class Tensor(Described):
    """A mutable array with a history, with PyTorch's interface and semantics.

    >>> import stateful as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    _storage: Storage
    _counter: Counter
    _view: View | None = None
    _node: Node | None = None
    _output_nr: int = 0
    _requires_grad: bool = False
    _grad: Tensor | None = None
    _grad_aval: Any = None
    _base: Tensor | None = None
    _grad_version: int = 0
    _creation: str = "default"
    _accumulator: weakref.ref | None = None
    _hooks: OrderedDict | None = None
    _post_accumulate_hooks: OrderedDict | None = None
    _retains: bool = False
    _inference: bool = False
    _tangents: dict | None = None
    name: str | None = None

    if TYPE_CHECKING:  # the ops, which are attached from their declarations

        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args, **kwargs):
        return Face.construct(cls, args)

    def _as(self, cls: type) -> Any:
        """A tensor of class ``cls`` that shares everything but history."""
        out = object.__new__(cls)
        out.__dict__.update(self._alias().__dict__)
        out._inference = self._inference
        return out

    # -- autograd --------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether ops on this tensor are recorded."""
        if self._requires_grad or self._base is None:
            return self._requires_grad
        return self._base._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if not self.is_leaf:
            if value:
                raise RuntimeError("you can only change requires_grad flags of leaf variables.")
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
        if value and not types.is_differentiable(self._aval.dtype):
            raise RuntimeError(
                "only Tensors of floating point and complex dtype can require gradients, but this "
                f"one is of dtype {self.dtype}"
            )
        if value and self._inference and not modes.state.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed."
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` in place and return the tensor."""
        if not isinstance(requires_grad, bool):
            kind = type(requires_grad).__name__
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not " + kind
            )
        modes.check_untransformed("requires_grad_")
        if requires_grad and not types.is_differentiable(self._aval.dtype):
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients, or of complex dtype; "
                f"this one is {self.dtype}"
            )
        if not (requires_grad and self._node is not None):
            self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, not by a recorded op."""
        return self._current_grad_fn() is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor."""
        return self._current_grad_fn()

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this is."""
        return self._output_nr

    def _current_grad_fn(self) -> Node | None:
        return self._node if self._base is None else current_grad_fn(self)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` accumulated."""
        if self._grad is None and self._node is not None and not self._retains:
            warn_non_leaf()
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def _version(self) -> int:
        if self._inference and self._counter is self._storage:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter.version

    def _is_view(self) -> bool:
        return self._base is not None

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None) -> None:
        """Accumulate the gradients of this tensor into the leaves. See `autograd.backward`."""
        _backward.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    @property
    def data(self) -> Tensor:
        """A tensor that shares storage, without history and with a version counter of its own."""
        out = self._alias()
        out._counter = Counter()
        out._inference = self._inference
        return out

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        check_data(self, value)
        if value._aval.dtype != self._aval.dtype:
            self._accumulator = None  # gradients in the old dtype are no longer for this tensor
        if not counts_for_others(self):
            self._counter = Counter(self._counter.version)
        self._storage, self._view = value._storage, value._view
        self._inference = value._inference

    @data.deleter
    def data(self) -> None:
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    def _alias(self) -> Tensor:
        out = object.__new__(Tensor)
        out._storage, out._counter, out._view = self._storage, self._counter, self._view
        return out

    def _with_history(self, node: Node, output_nr: int) -> Tensor:
        out = self._alias()
        out._set_history(node, output_nr)
        if self._tangents is not None:
            out._tangents = dict(self._tangents)
        return out

    def _set_history(self, node: Node, output_nr: int) -> None:
        if self._retains and self._node is not None and self._node.retained:
            self._node.retained.pop(self._output_nr, None)
        self._node, self._output_nr, self._requires_grad = node, output_nr, True
        if self._retains:
            node.watched = True
            node.retained = {**(node.retained or {}), output_nr: weakref.ref(self)}

    def retain_grad(self) -> None:
        """Keep the gradient of a non-leaf in ``.grad``."""
        modes.check_untransformed("retain_grad")
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self._retains:
            return
        self._retains = True
        self._set_history(self.grad_fn, self._output_nr)  # type: ignore[arg-type]

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this non-leaf."""
        return self._retains

    def _retain(self, grad: Tensor) -> None:
        """Add a gradient that passed by to ``.grad`` of this non-leaf.

        In a batched pass it may be one of many, which nobody could look at afterwards.
        """
        for frame in modes.vmap.frames:
            if frame.batches(grad._array) and not frame.batches(self._array):
                return
        self._grad = grad.clone() if self._grad is None else self._grad + grad  # type: ignore

    def _accumulate(self, grad: Any) -> None:
        """Add an arriving gradient to ``.grad``: in place, unless the gradient has a history."""
        if grad is None:
            pass  # the hooks are told all the same
        elif self._grad is None:
            self._grad = wrap(grad) if type(grad) is Value else self._first(grad)
            if self._view is not None and not is_laid_as(self._grad, self):
                set_like(self._grad, self, preserve_format)
        elif modes.state.grad_enabled:
            self._grad = self._grad + Hooks.as_tensor(grad)  # type: ignore[operator]
        else:
            value = grad if type(grad) is Value else grad._read()
            store(self._grad, Hooks.add(self._grad._read(), value))
        if self._post_accumulate_hooks:
            run_accumulated(self, self._post_accumulate_hooks)

    def _first(self, grad: Tensor) -> Tensor:
        """A tensor of its own with the elements of the first gradient that arrives."""
        if modes.state.grad_enabled and grad._requires_grad:
            return _backward.zeros(grad._aval).copy_(grad)  # type: ignore[attr-defined]
        return grad._alias() if is_free(grad, self) else wrap(grad._read())

    def register_hook(self, hook: Callable) -> Any:
        """Call ``hook(grad)`` once the gradient of this tensor is known; it may return another."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        hooks = self._backward_hooks  # of a stale view: those of the history that it had
        if hooks is None:
            node = self._current_grad_fn()
            hooks = OrderedDict() if node is None else node.tensor_hooks(self._output_nr)
            if node is None:
                self._hooks = hooks
        return attach(hooks, hook)

    @property
    def _backward_hooks(self) -> OrderedDict | None:
        node = self._node
        return self._hooks if node is None else (node.pre_hooks or {}).get(self._output_nr)

    def register_post_accumulate_grad_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(tensor)`` after a gradient was added to ``.grad`` of this leaf."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = OrderedDict()
        return attach(self._post_accumulate_hooks, hook)

    # -- used by the layers below ------------------------------------------------------------------

    def __funcgrad_op__(self, op, args, kwargs):
        return call(op, args, kwargs)

    def _apply_step(self, step: Step) -> Tensor:
        """One view step, recorded."""
        args = step.op.unbind(step.template, [self])
        result = call(step.op, args[: step.op.positional], dict(
            zip(step.op.names[step.op.positional :], args[step.op.positional :], strict=True)
        ))  # fmt: skip
        return result[step.output] if isinstance(result, tuple | list) else result

    def _pull_back(self, steps, base_aval) -> Tensor:
        """This gradient of a view as that of its base, recorded."""
        grad: Any = self
        for step, aval in zip(reversed(steps), reversed(step_avals(steps, base_aval)), strict=True):
            below = _backward.zeros(aval)
            args = step.op.unbind(step.template, [below])
            grads = [grad]
            if isinstance(step.op.outputs, str):
                outs = step.op(*args)
                grads = [_backward.zeros(o._aval) for o in outs]
                grads[step.output] = grad
            saved = step.op.saved_values(["self"], args, [])
            grad = step.op.apply_formula("self", grads, saved)
            if grad._aval.shape != aval.shape:
                grad = _summed_to(grad, aval.shape)
        return grad

    def _fit(self, aval: Aval) -> Tensor:
        grad: Any = self
        if grad._aval.shape != aval.shape:
            grad = _summed_to(grad, aval.shape)
        if types.is_complex(grad._aval.dtype) and not types.is_complex(aval.dtype):
            grad = grad.real
        return grad if grad._aval.dtype == aval.dtype else grad.to(dtypes.from_numpy(aval.dtype))

    def _cast(self, dtype: np.dtype) -> Value:
        return execute(CAST, (self._read(),), (dtype,))[0]


def _summed_to(grad: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed over what was broadcast, recorded."""
    if not shape:
        return grad.sum()
    lead = grad.ndim - len(shape)
    ones = [i + lead for i, n in enumerate(shape) if n == 1 and grad.shape[i + lead] != 1]
    grad = grad.sum([*range(lead), *ones], keepdim=True)
    return grad.view(shape) if lead else grad


def _on_storage(storage: Storage) -> Tensor:
    out = object.__new__(Tensor)
    out._storage = out._counter = storage
    return out


def _as_tensor(grad: Any) -> Tensor:
    return grad if isinstance(grad, Tensor) else wrap(grad)


AccumulateGrad.pre_hooks = property(  # type: ignore[assignment]
    lambda self: {0: self.variable._hooks} if self.variable._hooks else None
)
Face.tensor = Tensor
Face.dtype = staticmethod(lambda aval: dtypes.from_numpy(aval.dtype))
Hooks.as_tensor = Node.as_tensor = staticmethod(_as_tensor)
SavedTensor.on_storage = staticmethod(_on_storage)
CopySlices._tensor = staticmethod(_as_tensor)
