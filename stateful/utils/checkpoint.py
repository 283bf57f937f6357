"""`torch.utils.checkpoint`: keep less during the forward pass, compute it again in the backward.

As https://pytorch.org/docs/stable/checkpoint.html. Without reentrance, what the region saves for
backward is replaced by empty `_Holder` objects; the first that is asked for in a backward pass runs
the region again, with hooks that collect what it saves this time.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import engine, modes
from ..amp import autocast_now
from ..autograd.function import Function
from ..autograd.graph import saved_tensors_hooks
from ..backward import backward
from ..random import default_generator, fork_rng
from ..saved import SavedTensor
from ..tensor import Tensor
from .execution_group import GraphExecGroup as GraphExecGroup
from .operation_log import DebugContexts
from .selective import SAC_IGNORED_OPS as SAC_IGNORED_OPS
from .selective import CheckpointPolicy as CheckpointPolicy
from .selective import SelectiveCheckpointContext as SelectiveCheckpointContext
from .selective import create_selective_checkpoint_contexts as create_selective_checkpoint_contexts

_early_stop: bool | None = None
_debug: bool | None = None


class CheckpointError(RuntimeError):
    """The region did something else when it was run again.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import CheckpointError, checkpoint
    >>> x, runs = torch.ones(2, requires_grad=True), []
    >>> def region(t):
    ...     runs.append(1)
    ...     return t.exp() if len(runs) == 1 else t * 2
    >>> try:
    ...     checkpoint(region, x, use_reentrant=False).sum().backward()
    ... except CheckpointError:
    ...     print("the second run did something else")
    the second run did something else
    """


class _Stop(Exception):
    """Everything that was saved in the forward pass has been computed again."""


def noop_context_fn() -> tuple:
    """Two contexts that do nothing: for the forward pass, and for running it again.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import noop_context_fn
    >>> forward, again = noop_context_fn()
    """
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether regions entered inside stop as soon as all that is needed was computed again.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint, set_checkpoint_early_stop
    >>> x = torch.ones(2, requires_grad=True)
    >>> with set_checkpoint_early_stop(False):
    ...     checkpoint(torch.exp, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """
    global _early_stop
    previous, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = previous


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Override ``debug`` of `checkpoint` inside.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint, set_checkpoint_debug_enabled
    >>> x = torch.ones(2, requires_grad=True)
    >>> with set_checkpoint_debug_enabled(False):
    ...     checkpoint(torch.exp, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """
    global _debug
    previous, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = previous


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args)``, which runs again in the backward pass instead of keeping what it
    computed.

    ``preserve_rng_state=True``: the second run draws the same random numbers. ``context_fn()``
    gives the contexts of the two runs. ``determinism_check``: ``"default"`` compares shapes and
    dtypes of what is saved in both, ``"none"`` does not. Raises `CheckpointError` if the two runs
    differ.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint
    >>> x = torch.ones(2, requires_grad=True)
    >>> checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4783, -2.4783])
    """
    if use_reentrant is None:
        _warn_of_default("torch.utils.checkpoint:")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs and use_reentrant:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if not use_reentrant:
        return _checkpoint_by_hooks(
            function, preserve, context_fn, determinism_check, debug, early_stop, args, kwargs
        )
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError(
            "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
        )
    return CheckpointFunction.apply(function, preserve, *args)


def _warn_of_default(start: str) -> None:
    warnings.warn(
        f"{start} the use_reentrant parameter should be passed explicitly. Starting in PyTorch "
        "2.9, calling checkpoint without use_reentrant will raise an exception. "
        "use_reentrant=False is recommended, but if you need to preserve the current default "
        "behavior, you can pass use_reentrant=True. Refer to docs for more details on the "
        "differences between the two variants.",
        stacklevel=3,
    )


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Apply ``functions`` (or the children of a Sequential) one after the other, in ``segments``
    checkpointed parts; the last one is not checkpointed.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint_sequential
    >>> x = torch.ones(2, requires_grad=True)
    >>> checkpoint_sequential([torch.exp, torch.sin], 2, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4783, -2.4783])
    """
    if use_reentrant is None:
        _warn_of_default("torch.utils.checkpoint.checkpoint_sequential:")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    children = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(children) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(
            _chain(children[start : start + size]), input, use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )  # fmt: skip
    return _chain(children[size * (segments - 1) :])(input)


def _chain(functions: Sequence[Callable]) -> Callable:
    def run(x):
        for function in functions:
            x = function(x)
        return x

    return run


# -- with reentrance -------------------------------------------------------------------------------


def check_backward_validity(inputs: Any) -> None:
    """Warn if no input needs a gradient.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import check_backward_validity
    >>> check_backward_validity([torch.ones(2, requires_grad=True)])
    """
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


def detach_variable(inputs: Any) -> tuple:
    """The inputs as leaves of a graph of their own.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import detach_variable
    >>> detach_variable((torch.ones(2, requires_grad=True) * 2,))
    (tensor([2., 2.], requires_grad=True),)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple([
        x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs
    ])  # fmt: skip


class CheckpointFunction(Function):
    """A region that runs without being recorded, and again, recorded, inside the backward pass.

    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint
    >>> x = torch.ones(2, requires_grad=True)
    >>> checkpoint(torch.exp, x, use_reentrant=True).grad_fn.name()
    'CheckpointFunctionBackward'
    """

    @staticmethod
    def forward(ctx, function, preserve, *args):
        check_backward_validity(args)
        ctx.function, ctx.preserve = function, preserve
        ctx.rng_state = default_generator.state if preserve else None
        ctx.casts = autocast_now()
        ctx.inputs = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        with modes.no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx, *grads):
        if engine.current_task().reaching is not None:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        inputs = list(ctx.inputs)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[place] = tensor
        leaves = detach_variable(tuple(inputs))
        with _same_random_numbers(ctx.rng_state), ctx.casts, modes.enable_grad():
            outputs = ctx.function(*leaves)
        outputs = outputs if isinstance(outputs, tuple | list) else (outputs,)
        pairs = [
            (o, g) for o, g in zip(outputs, grads, strict=False)
            if isinstance(o, Tensor) and o.requires_grad
        ]  # fmt: skip
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        roots, gradients = map(list, zip(*pairs, strict=True))
        backward(roots, gradients)
        return None, None, *(x.grad if isinstance(x, Tensor) else None for x in leaves)


@contextlib.contextmanager
def _same_random_numbers(state: Any) -> Iterator[None]:
    """Inside, the default generator is in ``state``; None for as it is."""
    if state is None:
        yield
        return
    with fork_rng():
        default_generator.state = state
        yield


# -- without reentrance ----------------------------------------------------------------------------


class _Holder:
    """Stands for a saved tensor of a region: ``handles`` has a key to it for each backward pass."""

    def __init__(self):
        self.handles: dict[GraphExecGroup | int, _Handle | None] = {}


class _Handle:
    """The key of a tensor that was computed again."""


class _Region:
    """One checkpointed call: what its forward saved, and what running it again gave."""

    def __init__(self, run: Callable, args: Sequence, early_stop: bool, describe: Callable):
        self.run, self.early_stop, self.describe = run, early_stop, describe
        self.args = [SavedTensor(a) if isinstance(a, Tensor) else a for a in args]
        self.holders: list[weakref.ref] = []
        self.descriptions: list = []
        self.recomputed: dict[GraphExecGroup | int, weakref.WeakKeyDictionary] = {}
        self.counts: dict[GraphExecGroup | int, int] = {}
        self.complete = False
        self.unchecked = False
        self.logs: DebugContexts | None = None

    def pack(self, tensor: Any) -> _Holder:
        """The forward pass saves ``tensor``."""
        holder = _Holder()
        self.holders.append(weakref.ref(holder))
        with modes.no_grad():
            self.descriptions.append(self.describe(tensor))
        return holder

    def unpack(self, holder: _Holder) -> Any:
        """A backward pass wants what ``holder`` stands for; once in each."""
        if self.logs is None:
            return self._unpack(holder)
        try:
            return self._unpack(holder)
        except CheckpointError as error:
            raise CheckpointError(self.logs.message(error)) from error

    def _unpack(self, holder: _Holder) -> Any:
        task = _sharing()
        if task not in self.recomputed:
            self._run_again(task)
        handle = holder.handles.get(task)
        if handle is None:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already "
                f"unpacked once. {_OVERLAP if isinstance(task, GraphExecGroup) else ''}If you are "
                "calling ctx.saved_tensors in backward, make sure to do so only once."
            )
        holder.handles[task] = None
        return self.recomputed[task][handle]

    def _run_again(self, task: GraphExecGroup | int) -> None:
        self.recomputed[task] = weakref.WeakKeyDictionary()
        self.counts[task] = 0
        args = [a.current() if isinstance(a, SavedTensor) else a for a in self.args]
        region = weakref.ref(self)
        try:
            with (
                saved_tensors_hooks(lambda t: region()._collect(task, t), lambda t: t),  # type: ignore[union-attr]
                modes.enable_grad(),
            ):
                self.run(*args)
        except _Stop:
            pass
        self._check(task)

    def _collect(self, task: GraphExecGroup | int, tensor: Any) -> Any:
        """The second run saves ``tensor``."""
        tensor = tensor.detach() if tensor.requires_grad else tensor
        position = self.counts[task]
        self.counts[task] += 1
        if position >= len(self.holders):
            if not self.complete:
                self.unchecked = True
                return tensor
            raise CheckpointError(
                "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                f"during the original forward pass.{_TIP}"
            )
        holder = self.holders[position]()
        if holder is not None:
            handle = holder.handles[task] = _Handle()
            self.recomputed[task][handle] = tensor
        if self.early_stop and self.counts[task] == len(self.holders):
            raise _Stop
        return tensor

    def _check(self, task: GraphExecGroup | int) -> None:
        if self.unchecked:
            return
        if len(self.holders) != self.counts[task]:
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                f"original forward and recomputation.\nNumber of tensors saved during forward: "
                f"{len(self.holders)}\nNumber of tensors saved during recomputation: "
                f"{self.counts[task]}.{_TIP}"
            )
        different = []
        for position, reference in enumerate(self.holders):
            holder = reference()
            if holder is not None:
                now = self.describe(self.recomputed[task][holder.handles[task]])
                if now != self.descriptions[position]:
                    different.append(
                        f"tensor at position {position}:\nsaved metadata: "
                        f"{self.descriptions[position]}\nrecomputed metadata: {now}\n"
                    )
        if different:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass.\n{''.join(different)}.{_TIP}"
            )


_TIP = "\nThe function must do the same in both runs: look for state that it changes."
_OVERLAP = (
    "Performing two backward calls that overlap (i.e. require the same saved activation in order "
    "to compute gradients) is not allowed while under the torch.utils.checkpoint.GraphExecGroup "
    "context. "
)
_outside = itertools.count()


def _sharing() -> GraphExecGroup | int:
    """What shares a second run: a group, or the running backward pass; outside of both nothing."""
    group = GraphExecGroup._get_current_group()
    if group is not None:
        return group
    return engine.running.tasks[-1].id if engine.running.tasks else -1 - next(_outside)


_DESCRIPTIONS: dict[str, Callable] = {
    "default": lambda t: {"shape": t.shape, "dtype": t.dtype, "device": t.device},
    "none": lambda t: None,
}


def _checkpoint_by_hooks(
    function, preserve, context_fn, determinism_check, debug, early_stop, args, kwargs
) -> Any:
    logs = DebugContexts() if (debug if _debug is None else _debug) else None
    if logs is not None:
        if context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        context_fn = logs
    if determinism_check not in _DESCRIPTIONS:
        raise ValueError(
            f"determinism_check should be one of {list(_DESCRIPTIONS)}, but got {determinism_check}"
        )
    forward_context, again_context = context_fn()
    if not modes.is_grad_enabled():
        return function(*args, **kwargs)
    state, casts = default_generator.state if preserve else None, autocast_now()

    def run_again(*arguments):
        with _same_random_numbers(state), casts, again_context:
            function(*arguments, **kwargs)

    stops = early_stop if _early_stop is None else _early_stop
    region = _Region(run_again, args, stops, _DESCRIPTIONS[determinism_check])
    region.logs = logs
    finished = False
    with saved_tensors_hooks(region.pack, region.unpack), forward_context:
        result = function(*args, **kwargs)
        finished = True
    if not finished:
        raise RuntimeError(
            "torch.utils.checkpoint: the forward context provided by context_fn suppressed an "
            "exception raised during the checkpointed forward. This is not supported because "
            "checkpoint cannot return a value for a failed forward."
        )
    region.complete = True
    return result


class DefaultDeviceType:
    """The kind of device whose random numbers a checkpoint keeps beside those of the CPU.

    >>> from stateful.utils.checkpoint import DefaultDeviceType
    >>> DefaultDeviceType.get_device_type()
    'cpu'
    """

    _default_device_type = "cpu"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Name another kind of device."""
        DefaultDeviceType._default_device_type = device

    @staticmethod
    def get_device_type() -> str:
        """The kind of device."""
        return DefaultDeviceType._default_device_type


def get_device_states(*args: Any) -> tuple[list, list]:
    """The devices of these tensors beside the CPU, and the states of their generators: none have
    one of their own, here all draw from that of the CPU.

    >>> import stateful as torch
    >>> torch.utils.checkpoint.get_device_states(torch.ones(2))
    ([], [])
    """
    return [], []


def set_device_states(devices: list, states: list, *, device_type: str | None = None) -> None:
    """Restore what `get_device_states` gave: nothing.

    >>> import stateful as torch
    >>> torch.utils.checkpoint.set_device_states(*torch.utils.checkpoint.get_device_states())
    """


__all__ = [
    "CheckpointError", "CheckpointFunction", "DefaultDeviceType", "GraphExecGroup",
    "check_backward_validity", "checkpoint", "checkpoint_sequential", "detach_variable",
    "get_device_states", "noop_context_fn", "set_device_states",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip
