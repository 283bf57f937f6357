"""`torch.autograd.graph`: nodes and edges as objects, hooks on what the graph saves."""

from __future__ import annotations

import abc
import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .. import engine, modes
from ..devices import device
from ..dispatch import Face
from ..graph import Node as GraphNode
from ..graph import gradient_edge
from ..hooks import RemovableHandle
from ..saved import check_hooks
from .mutation import _AllowMutationOnSavedContext as _AllowMutationOnSavedContext
from .mutation import allow_mutation_on_saved_tensors as allow_mutation_on_saved_tensors

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks", "set_override_stale_capture_stream",
    "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Accepted, without effect: XLA orders what runs on a device, there are no streams to mix.

    >>> import stateful as torch
    >>> torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    """


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Accepted for compatibility: there are no streams, and none is captured.

    >>> import stateful as torch
    >>> torch.autograd.graph.set_override_stale_capture_stream(False)
    """


class Node(abc.ABC):
    """What a ``grad_fn`` is: ``isinstance(y.grad_fn, torch.autograd.graph.Node)``.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> isinstance((x * 2).grad_fn, torch.autograd.graph.Node)
    True
    """

    @abc.abstractmethod
    def name(self) -> str:
        """The name that is printed."""

    @property
    @abc.abstractmethod
    def next_functions(self) -> tuple:
        """The nodes that receive this node's results, with their output numbers."""

    @abc.abstractmethod
    def metadata(self) -> dict:
        """A dictionary for the user's own notes."""

    @abc.abstractmethod
    def register_hook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` after the node."""

    @abc.abstractmethod
    def register_prehook(self, fn: Callable) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before the node."""

    @classmethod
    def __subclasshook__(cls, subclass):
        return True if cls is Node and issubclass(subclass, GraphNode) else NotImplemented


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor goes; stands for the tensor in `grad` and `backward`.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> edge = torch.autograd.graph.get_gradient_edge(x * 2)
    >>> isinstance(edge, torch.autograd.graph.GradientEdge), edge.output_nr
    (True, 0)
    >>> torch.autograd.grad(edge, x, torch.ones(2))
    (tensor([2., 2.]),)
    """

    node: Any
    output_nr: int
    ownership_token: Any = None

    @property
    def nr(self) -> int:
        return self.output_nr


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge of a tensor that requires a gradient.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    return GradientEdge(_get_grad_fn_or_grad_acc(tensor), tensor._output_nr)


def _get_grad_fn_or_grad_acc(item: Any) -> Any:
    """The node that an edge or a tensor stands for."""
    if hasattr(item, "node"):
        return item.node
    node = gradient_edge(item).node
    if node is None:
        raise AssertionError("Expected gradient function to be set")
    return node


def _calculate_shape(output: Any, grad: Any, is_grads_batched: bool) -> tuple[Any, Any]:
    """The shapes of an output and of its gradient, that of a batch of gradients without it."""
    if not isinstance(output, GradientEdge):
        return output.shape, grad.shape[1:] if is_grads_batched else grad.shape
    if is_grads_batched:
        raise RuntimeError("Batched grads are not supported with GradientEdge")
    return output.node._input_metadata[output.output_nr].shape, grad.shape


def increment_version(tensor: Any) -> None:
    """Count an in-place change made behind the library's back, for one tensor or several.

    >>> import stateful as torch
    >>> x = torch.ones(2)
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    if not isinstance(tensor, Iterable):
        raise RuntimeError(
            "increment_version expect a Iterable[Tensor] as input, or one Tensor, but got "
            f"{type(tensor).__name__}"
        )
    items: Any = (tensor,) if isinstance(tensor, Face.tensor) else tensor
    for item in items:
        if not isinstance(item, Face.tensor):
            raise RuntimeError(
                "increment_version expects each element of the iterable to be a tensor"
            )
        if not item._inference:
            item._counter.version += 1


class saved_tensors_hooks:
    """Inside, every tensor saved for backward is kept as ``pack_hook(tensor)``.

    ``unpack_hook`` makes a tensor of it again when it is needed.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), torch.tensor):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if modes.state.saved_hooks_disabled is not None:
            raise RuntimeError(modes.state.saved_hooks_disabled)
        check_hooks(self.pack_hook, self.unpack_hook)
        modes.state.saved_hooks = (*modes.state.saved_hooks, (self.pack_hook, self.unpack_hook))

    def __exit__(self, *exc) -> None:
        modes.state.saved_hooks = modes.state.saved_hooks[:-1]


class save_on_cpu(saved_tensors_hooks):
    """Inside, tensors saved for backward are kept in host memory.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda"):
        host = device("cpu")

        def pack(tensor):
            return tensor.device, tensor.to(host)

        def unpack(packed):
            origin, tensor = packed
            return tensor.to(origin)

        super().__init__(pack, unpack)


class disable_saved_tensors_hooks(modes.ContextDecorator):
    """Inside, entering `saved_tensors_hooks` raises RuntimeError with ``error_message``.

    >>> import stateful as torch
    >>> with torch.autograd.graph.disable_saved_tensors_hooks("no hooks here"):
    ...     try:
    ...         with torch.autograd.graph.save_on_cpu():
    ...             pass
    ...     except RuntimeError as error:
    ...         print(error)
    no hooks here
    """

    def __init__(self, error_message: str):
        self.error_message = error_message

    def clone(self):
        return type(self)(self.error_message)

    def __enter__(self):
        if modes.state.saved_hooks:
            raise RuntimeError(self.error_message)
        self._previous = modes.state.saved_hooks_disabled
        modes.state.saved_hooks_disabled = self.error_message

    def __exit__(self, *exc):
        modes.state.saved_hooks_disabled = self._previous


class _MultiHandle(RemovableHandle):
    """Removes several hooks at once."""

    def __init__(self, handles: Sequence[RemovableHandle]):
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable, *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once in a backward, for several tensors.

    ``"all"``: with the list of gradients, None where none was computed, as soon as all that will be
    computed are there. ``"any"``: with the first one.

    >>> import stateful as torch
    >>> x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> def hook(grads):
    ...     print(len(grads))
    >>> handle = torch.autograd.graph.register_multi_grad_hook((x, y), hook)
    >>> (x * y).sum().backward()
    2
    """
    if mode == "all":
        return _MultiHandle(_register_all(tensors, fn))
    if mode == "any":
        return _MultiHandle(_register_any(tensors, fn))
    raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")


def _register_all(tensors: Sequence[Any], fn: Callable) -> list[RemovableHandle]:
    nodes = [_get_grad_fn_or_grad_acc(t) for t in tensors]
    seen: dict[int, list] = {}
    left: dict[int, int] = {}
    lock = threading.Lock()

    def hook_of(position: int) -> Callable:
        def hook(grad):
            task = engine.current_task()
            with lock:
                if task.id not in seen:
                    seen[task.id] = [None] * len(nodes)
                    left[task.id] = sum(task.will_execute(node) for node in nodes)
                seen[task.id][position] = grad
                left[task.id] -= 1
                done = left[task.id] == 0
            if done:
                del left[task.id]
                fn(seen.pop(task.id))

        return hook

    return [t.register_hook(hook_of(i)) for i, t in enumerate(tensors)]


def _register_any(tensors: Sequence[Any], fn: Callable) -> list[RemovableHandle]:
    ran: set[int] = set()
    lock = threading.Lock()

    @functools.wraps(fn)
    def hook(grad):
        task = engine.current_task().id
        with lock:
            first = task not in ran
            ran.add(task)
        if first:
            fn(grad)

    return [t.register_hook(hook) for t in tensors if t.requires_grad]
