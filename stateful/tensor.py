"""`Tensor`: storage, view, history; the properties that people print and test.

The methods that are ops are attached from their declarations in ``methods.py``.
"""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from funcgrad import types

from . import backward as _backward
from . import devices, dtypes, geometry, layout, modes, printing
from .dispatch import CAST, TYPE_NAMES, Face, call, store, type_name, wrap
from .engine import Hooks
from .execute import Aval, Value, execute
from .graph import AccumulateGrad, InputMetadata, Node
from .hooks import RemovableHandle, attach
from .sizes import Size
from .views import (
    CopySlices,
    Counter,
    Step,
    Storage,
    View,
    current_grad_fn,
    read,
    step_avals,
)  # fmt: skip


class Tensor:
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
    _grad_fn: Node | None = None
    _output_nr: int = 0
    _requires_grad: bool = False
    _grad: Tensor | None = None
    _base: Tensor | None = None
    _grad_version: int = 0
    _creation: str = "default"
    _accumulator: weakref.ref | None = None
    _hooks: OrderedDict | None = None
    _post_accumulate_hooks: OrderedDict | None = None
    _retains: bool = False
    _inference: bool = False
    _tangent: Tensor | None = None
    name: str | None = None

    if TYPE_CHECKING:  # the ops, which are attached from their declarations

        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args, **kwargs):
        return Face.construct(cls, args)

    def _as(self, cls: type) -> Any:
        """A tensor of class ``cls`` that shares everything but history."""
        out = object.__new__(cls)
        out.__dict__.update(self._alias().__dict__)
        return out

    # -- reading ---------------------------------------------------------------------------------

    def _read(self) -> Value:
        return read(self._storage, self._view)

    @property
    def _aval(self) -> Aval:
        view = self._view
        return self._storage.value.aval if view is None else view.value.aval

    @property
    def _array(self) -> jax.Array:
        return self._read().read()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The elements as a numpy array (a copy: JAX arrays cannot be written to).

        Raises RuntimeError if the tensor requires a gradient, unless ``force``.
        """
        if self._requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return np.array(self._read().numpy())

    def item(self) -> Any:
        """The only element as a Python number."""
        array = self._read().numpy()
        if array.size != 1:
            raise RuntimeError(
                f"a Tensor with {array.size} elements cannot be converted to Scalar"
            )
        return array.item() if array.dtype.name != "bfloat16" else float(array.reshape(()))

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self._read().numpy().tolist()

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __jax_array__(self):
        return self._array

    # -- what it is ------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return tuple.__new__(Size, self._aval.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its entries."""
        return self.shape if dim is None else self._aval.shape[_checked_dim(dim, self)]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._aval.shape)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self._aval.shape)

    ndimension = dim

    @property
    def dtype(self) -> dtypes.dtype:
        """The dtype, as ``torch.float32``."""
        return dtypes.from_numpy(self._aval.dtype)

    @property
    def device(self) -> devices.device:
        """Where the elements are."""
        array = self._storage.value.array
        if isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer):
            return devices.from_jax(next(iter(array.devices())))
        return devices.device("cpu")

    def stride(self, dim: int | None = None) -> Any:
        """How far apart in storage neighbours along each dimension are, in elements."""
        stride = layout.of(self).stride
        return stride if dim is None else stride[_checked_dim(dim, self)]

    def storage_offset(self) -> int:
        """Where in storage the first element is."""
        return layout.of(self).offset

    def is_contiguous(self, memory_format=devices.contiguous_format) -> bool:
        """Whether the elements lie in storage in the order of the dimensions."""
        if layout.is_default(self) and memory_format is devices.contiguous_format:
            return True
        return geometry.is_contiguous(layout.of(self), memory_format)

    def _has_overlap(self) -> bool:
        return geometry.has_internal_overlap(layout.of(self))

    def _overlaps(self, other: Tensor) -> bool:
        """Whether this and another view of the same storage share some elements but are not the same."""
        mine, theirs = layout.of(self), layout.of(other)
        if mine == theirs or not all(map(geometry.is_non_overlapping_and_dense, (mine, theirs))):
            return False
        return (
            mine.offset < theirs.offset + theirs.numel and theirs.offset < mine.offset + mine.numel
        )

    def element_size(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    def data_ptr(self) -> int:
        """A number that is equal for tensors that start at the same place of the same storage."""
        return id(self._storage) + self.storage_offset() * self.element_size()

    def numel(self) -> int:
        """The number of elements."""
        return self.shape.numel()

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.itemsize

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self.device.type == "cuda"

    @property
    def layout(self):
        """Always strided."""
        return devices.strided

    def __len__(self) -> int:
        if not self._aval.shape:
            raise TypeError("len() of a 0-d tensor")
        return self._aval.shape[0]

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no values' if not self.numel() else 'more than one value'}"
                " is ambiguous"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.numel() != 1 or types.is_differentiable(self._aval.dtype):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __iter__(self):
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))  # type: ignore[attr-defined]

    def __pos__(self) -> Tensor:
        return self

    __hash__ = object.__hash__

    def __repr__(self, *, tensor_contents=None) -> str:
        return _text(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.ndim else object.__format__(self, spec)

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
                "only Tensors of floating point dtype can require gradients, or of complex dtype; "
                f"this one is {self.dtype}"
            )
        if value and self._inference and not modes.state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` in place and return the tensor."""
        if not (requires_grad and self._grad_fn is not None):
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
        return self._grad_fn if self._base is None else current_grad_fn(self)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` accumulated."""
        if self._grad is None and self._grad_fn is not None and not self._retains:
            _warn_non_leaf()
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            _check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def _version(self) -> int:
        if self._inference:
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
        self._storage, self._view = value._storage, value._view
        if self._counter is not self._storage:
            self._counter = value._counter

    def _alias(self) -> Tensor:
        out = object.__new__(Tensor)
        out._storage, out._counter, out._view = self._storage, self._counter, self._view
        return out

    def _with_history(self, node: Node, output_nr: int) -> Tensor:
        out = self._alias()
        out._set_history(node, output_nr)
        if self._tangent is not None:
            out._tangent = self._tangent
        return out

    def _set_history(self, node: Node, output_nr: int) -> None:
        if self._retains and self._grad_fn is not None and self._grad_fn.retained:
            self._grad_fn.retained.pop(self._output_nr, None)
        self._grad_fn, self._output_nr, self._requires_grad = node, output_nr, True
        if self._retains:
            node.retained = {**(node.retained or {}), output_nr: weakref.ref(self)}

    def retain_grad(self) -> None:
        """Keep the gradient of a non-leaf in ``.grad``."""
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
        """Add a gradient that passed by to ``.grad`` of this non-leaf."""
        self._grad = grad.clone() if self._grad is None else self._grad + grad  # type: ignore

    def _accumulate(self, grad: Any) -> None:
        """Add an arriving gradient to ``.grad``: in place, unless the gradient has a history."""
        if self._grad is None:
            self._grad = self._first(grad)
        elif modes.state.grad_enabled:
            self._grad = self._grad + Hooks.as_tensor(grad)  # type: ignore[operator]
        else:
            value = grad if type(grad) is Value else grad._read()
            store(self._grad, Hooks.add(self._grad._read(), value))
        for hook in list((self._post_accumulate_hooks or {}).values()):
            hook(self)

    def _first(self, grad: Any) -> Tensor:
        """A tensor of its own with the elements of the first gradient that arrives."""
        if type(grad) is Value:
            return wrap(grad)
        if modes.state.grad_enabled and grad._requires_grad:
            return _backward.zeros(grad._aval).copy_(grad)  # type: ignore[attr-defined]
        return wrap(grad._read())

    def register_hook(self, hook: Callable) -> Any:
        """Call ``hook(grad)`` when a gradient for this tensor is computed; it may return another."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self._current_grad_fn()
        if node is not None:
            return attach(node.tensor_hooks(self._output_nr), hook)
        if self._hooks is None:
            self._hooks = OrderedDict()
        return attach(self._hooks, hook)

    @property
    def _backward_hooks(self) -> OrderedDict | None:
        node = self._grad_fn
        return self._hooks if node is None else (node.pre_hooks or {}).get(self._output_nr)

    def register_post_accumulate_grad_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(tensor)`` after a gradient was added to ``.grad`` of this leaf."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = OrderedDict()
        return attach(self._post_accumulate_hooks, hook)

    def type(self, dtype: Any = None) -> Any:
        """The legacy type name, ``"torch.FloatTensor"``; with an argument, a conversion."""
        if dtype is None:
            return f"torch.{type_name(self._aval.dtype)}Tensor"
        if isinstance(dtype, str):
            return self.to(dtypes.from_numpy(type_dtype(dtype)))  # type: ignore[attr-defined]
        return self.to(getattr(dtype, "_dtype", dtype))  # type: ignore[attr-defined]

    # -- used by the layers below --------------------------------------------------------------------

    def __funcgrad_op__(self, op, args, kwargs):
        return call(op, args, kwargs)

    def _apply_step(self, step: Step) -> Tensor:
        """One view step, recorded."""
        args = step.op.unbind(step.template, [self])
        result = call(step.op, args[: step.op._positional], dict(
            zip(step.op.names[step.op._positional :], args[step.op._positional :], strict=True)
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
    lead = grad.ndim - len(shape)
    ones = [i + lead for i, n in enumerate(shape) if n == 1 and grad.shape[i + lead] != 1]
    grad = grad.sum([*range(lead), *ones], keepdim=True)
    return grad.view(shape) if lead else grad


def _checked_dim(dim: int, tensor: Tensor) -> int:
    from funcgrad.errors import dimension_error

    if not -max(tensor.ndim, 1) <= dim < max(tensor.ndim, 1):
        raise dimension_error(dim, tensor.ndim)
    return dim


def _warn_non_leaf() -> None:
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
        "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
        "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If "
        "you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead.",
        stacklevel=3,
    )


def _check_grad(tensor: Tensor, grad: Any) -> None:
    if not isinstance(grad, Tensor):
        raise TypeError(
            f"assigned grad expected to be a Tensor or None but got grad of type {type(grad).__name__}"
        )
    if grad is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if grad._aval.dtype != tensor._aval.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{grad.dtype}' to a tensor with grad_dtype "
            f"'{tensor.dtype}'. The gradient must match the tensor's grad_dtype (defaults to the "
            "tensor's dtype)."
        )
    if grad._aval.shape != tensor._aval.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size "
            f"'{list(tensor.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def _text(tensor: Tensor) -> str:
    node = tensor.grad_fn
    return printing.tensor_repr(
        tensor._read().numpy(),
        grad_fn_name=node.name().rpartition("::")[2] if node is not None else None,
        requires_grad=tensor._requires_grad,
    )


def type_dtype(name: str) -> np.dtype:
    """The dtype of a legacy type name."""
    short = name.removeprefix("torch.").removesuffix("Tensor")
    return np.dtype(next(k for k, v in TYPE_NAMES.items() if v == short))


def _as_tensor(grad: Any) -> Tensor:
    return grad if isinstance(grad, Tensor) else wrap(grad)


AccumulateGrad.pre_hooks = property(  # type: ignore[assignment]
    lambda self: {0: self.variable._hooks} if self.variable._hooks else None
)
Face.tensor = Tensor
Face.dtype = staticmethod(lambda aval: dtypes.from_numpy(aval.dtype))
Hooks.as_tensor = Node.as_tensor = staticmethod(_as_tensor)
InputMetadata.dtype_of, InputMetadata.size_of = staticmethod(Face.dtype), Size
CopySlices._tensor = staticmethod(_as_tensor)
