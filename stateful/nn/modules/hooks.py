"""How a Module is called when it has hooks, and the hooks that all modules share."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from ... import modes
from ...backward import zeros
from ...graph import Edge, Node, gradient_edge
from ...hooks import RemovableHandle, attach
from ...tensor import Tensor
from .old_hooks import watch_grad_fn

_global: dict[str, OrderedDict] = {
    kind: OrderedDict()
    for kind in ("forward_pre", "forward", "backward_pre", "backward",
                 "module", "parameter", "buffer")
}  # fmt: skip
_forward_pre, _forward = _global["forward_pre"], _global["forward"]
_backward_pre, _backward = _global["backward_pre"], _global["backward"]
_global_flags: dict[str, Any] = {"full": None, "with_kwargs": set(), "always": set()}


def add(
    place: OrderedDict, hook: Callable, prepend: bool = False, kinds: Sequence[OrderedDict] = ()
) -> RemovableHandle:
    """Put a hook at the end, or the beginning, of those there are; ``kinds`` note what it is."""
    handle = attach(place, hook, kinds)
    if prepend:
        place.move_to_end(handle.id, last=False)
    return handle


def without_result(hook: Callable, *args: Any) -> None:
    """Call a hook that must return None."""
    result = hook(*args)
    if result is not None:
        raise RuntimeError(
            f"state_dict post-hook must return None, but {hook!r} returned {type(result).__name__}:"
            " change the dictionary in place"
        )


any_global = functools.partial(any, (_forward_pre, _forward, _backward_pre, _backward))
"""Whether a call hook for all modules is registered."""


def run_registration(kind: str, module: Any, name: str, item: Any) -> Any:
    """Tell the registration hooks that ``module`` gets ``item`` under ``name``."""
    for hook in _global[kind].values():
        result = hook(module, name, item)
        item = item if result is None else result
    return item


def call(module: Any, args: tuple, kwargs: dict) -> Any:
    """`forward` between its hooks."""
    called_always: set[int] = set()
    try:
        return _call(module, args, kwargs, called_always)
    except Exception:
        always = {*_global_flags["always"], *module._forward_hooks_always_called}
        for id_, hook in [*_forward.items(), *module._forward_hooks.items()]:
            if id_ in always and id_ not in called_always:
                try:
                    _forward_hook(module, id_, hook, args, kwargs, None)
                except Exception as error:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that "
                        "was silenced as another error was raised in forward: "
                        f"{error}", stacklevel=2,
                    )  # fmt: skip
        raise


def _call(module: Any, args: tuple, kwargs: dict, called: set[int]) -> Any:
    pre_hooks = [*_global["forward_pre"].items(), *module._forward_pre_hooks.items()]
    for id_, hook in pre_hooks:
        if id_ in module._forward_pre_hooks_with_kwargs:
            result = hook(module, args, kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {result}."
                    )
                args, kwargs = result
        else:
            result = hook(module, args)
            if result is not None:
                args = result if isinstance(result, tuple) else (result,)
    full, plain = _backward_hooks(module)
    pre = [*_global["backward_pre"].values(), *module._backward_pre_hooks.values()]
    watch = _BackwardWatch(module, full, pre) if full or pre else None
    if watch:
        args = watch.inputs(args)
    output = module.forward(*args, **kwargs)
    for id_, hook in [*_global["forward"].items(), *module._forward_hooks.items()]:
        called.add(id_)
        result = _forward_hook(module, id_, hook, args, kwargs, output)
        output = output if result is None else result
    if watch:
        if not isinstance(output, Tensor | tuple):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(output)}", stacklevel=2,
            )  # fmt: skip
        output = watch.outputs(output)
    if plain:
        watch_grad_fn(module, plain, args, output)
    return output


def _forward_hook(module, id_, hook, args, kwargs, output):
    if id_ in module._forward_hooks_with_kwargs or id_ in _global_flags["with_kwargs"]:
        return hook(module, args, kwargs, output)
    return hook(module, args, output)


def _backward_hooks(module: Any) -> tuple[list, list]:
    """Full and old-style backward hooks."""
    full, plain = [], []
    if _global_flags["full"] is not None:
        (full if _global_flags["full"] else plain).extend(_global["backward"].values())
    if module._is_full_backward_hook is not None:
        (full if module._is_full_backward_hook else plain).extend(module._backward_hooks.values())
    return full, plain


class BackwardHookFunctionBackward(Node):
    """Passes gradients on; the hooks of a Module watch it."""

    def __init__(self, edges: tuple[Edge, ...], avals: tuple):
        super().__init__()
        self.edges, self.avals = edges, avals

    def run(self, grads, needed):
        return [zeros(a) if g is None else g for g, a in zip(grads, self.avals, strict=True)]


def _through(tensors: list[Tensor]) -> tuple[list[Tensor], Node]:
    """Aliases of tensors behind one identity node."""
    node = BackwardHookFunctionBackward(
        tuple(gradient_edge(t) for t in tensors), tuple(t._aval for t in tensors)
    )
    made = []
    for nr, tensor in enumerate(tensors):
        alias = tensor.detach()
        if tensor._requires_grad:
            alias._set_history(node, nr)
        alias._base, alias._creation = tensor, "custom_function"
        alias._grad_version = alias._counter.version
        made.append(alias)
    return made, node


class _BackwardWatch:
    """Calls the full backward (pre-)hooks of one call of a Module."""

    def __init__(self, module: Any, hooks: list, pre_hooks: list):
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Any = None
        self.input_places: list[int] | None = None
        self.count = 0

    def inputs(self, args: tuple) -> tuple:
        """The arguments, tensors behind a node whose results are the input gradients."""
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        self.count = len(args)
        if not modes.state.grad_enabled or not any(args[i]._requires_grad for i in places):
            return args
        made, node = _through([args[i] for i in places])
        self.input_places = places
        node.register_hook(self._on_inputs)
        full = list(args)
        for place, tensor in zip(places, made, strict=True):
            full[place] = tensor
        return tuple(full)

    def outputs(self, output: Any) -> Any:
        """The outputs, tensors behind a node whose inputs are the output gradients."""
        outs = output if isinstance(output, tuple) else (output,)
        places = [i for i, o in enumerate(outs) if isinstance(o, Tensor)]
        if not modes.state.grad_enabled or not any(outs[i]._requires_grad for i in places):
            return output
        made, node = _through([outs[i] for i in places])
        node.register_prehook(lambda grads: self._on_outputs(grads, places, len(outs)))
        full = list(outs)
        for place, tensor in zip(places, made, strict=True):
            full[place] = tensor
        if not isinstance(output, tuple):
            return full[0]
        return tuple(full) if type(output) is tuple else type(output)(*full)

    def _on_outputs(self, grads: tuple, places: list[int], count: int) -> Any:
        full: list = [None] * count
        for place, grad in zip(places, grads, strict=True):
            full[place] = grad
        self.grad_outputs = tuple(full)
        for hook in self.pre_hooks:
            result = hook(self.module, self.grad_outputs)
            if result is not None:
                if len(result) != count:
                    raise RuntimeError(
                        "Backward pre hook returned an invalid number of grad_output, got "
                        f"{len(result)}, but expected {count}"
                    )
                self.grad_outputs = result
        found = self.grad_outputs
        if self.input_places is None:
            self._run_without_inputs()
        return tuple(found[i] for i in places)

    def _run_without_inputs(self) -> None:
        """The hooks of a module none of whose inputs requires a gradient."""
        if self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module "
                "outputs since no inputs require gradients. See "
                "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
                stacklevel=5,
            )
        for hook in self.hooks:
            result = hook(self.module, (None,) * self.count, self.grad_outputs)
            if result is not None and not (
                isinstance(result, tuple) and all(item is None for item in result)
            ):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
        self.grad_outputs = None

    def _on_inputs(self, grad_inputs: tuple, _: tuple) -> Any:
        if self.grad_outputs is None:  # the gradient came from inside, not through the output
            return None
        places = self.input_places or []
        full: list = [None] * self.count
        for place, grad in zip(places, grad_inputs, strict=True):
            full[place] = grad
        current = tuple(full)
        for hook in self.hooks:
            result = hook(self.module, current, self.grad_outputs)
            if result is not None:
                if len(result) != self.count:
                    raise RuntimeError(
                        "Backward hook returned an invalid number of grad_input, got "
                        f"{len(result)}, but expected {self.count}"
                    )
                current = result
        self.grad_outputs = None
        return tuple(current[i] for i in places)


# -- for all modules -------------------------------------------------------------------------------


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, args)`` before the `forward` of every module.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_forward_pre_hook
    >>> handle = register_module_forward_pre_hook(lambda module, args: print(module))
    >>> _ = torch.nn.ReLU()(torch.zeros(1))
    ReLU()
    >>> handle.remove()
    """
    return add(_global["forward_pre"], hook)


def register_module_forward_hook(hook: Callable, *, with_kwargs=False, always_call=False):
    """Call ``hook(module, args, output)`` after the `forward` of every module.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_forward_hook
    >>> handle = register_module_forward_hook(lambda module, args, output: output + 1)
    >>> torch.nn.ReLU()(torch.zeros(1))
    tensor([1.])
    >>> handle.remove()
    """
    handle = add(_global["forward"], hook)
    if with_kwargs:
        _global_flags["with_kwargs"].add(handle.id)
    if always_call:
        _global_flags["always"].add(handle.id)
    return handle


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` in the backward of every module.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_full_backward_pre_hook
    >>> x = torch.ones(1, requires_grad=True)
    >>> handle = register_module_full_backward_pre_hook(lambda module, grad: print(grad))
    >>> torch.nn.ReLU()(x).backward()
    (tensor([1.]),)
    >>> handle.remove()
    """
    return add(_global["backward_pre"], hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in the backward of every module.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_full_backward_hook
    >>> x = torch.ones(1, requires_grad=True)
    >>> handle = register_module_full_backward_hook(lambda module, gin, gout: print(gin))
    >>> torch.nn.ReLU()(x).backward()
    (tensor([1.]),)
    >>> handle.remove()
    """
    return _add_backward(hook, True)


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """Deprecated: see `register_module_full_backward_hook`.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_backward_hook
    >>> handle = register_module_backward_hook(lambda module, gin, gout: print(gin))
    >>> handle.remove()
    """
    return _add_backward(hook, False)


def _add_backward(hook: Callable, full: bool) -> RemovableHandle:
    if _global["backward"] and _global_flags["full"] is not full:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _global_flags["full"] = full
    return add(_global["backward"], hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` whenever a submodule is registered.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_module_registration_hook
    >>> handle = register_module_module_registration_hook(lambda module, name, child: print(name))
    >>> _ = torch.nn.Sequential(torch.nn.ReLU())
    0
    >>> handle.remove()
    """
    return add(_global["module"], hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` whenever a parameter is registered.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_parameter_registration_hook
    >>> handle = register_module_parameter_registration_hook(lambda module, name, p: print(name))
    >>> _ = torch.nn.Linear(1, 1)
    weight
    bias
    >>> handle.remove()
    """
    return add(_global["parameter"], hook)


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever a buffer is registered.

    >>> import stateful as torch
    >>> from stateful.nn.modules.module import register_module_buffer_registration_hook
    >>> handle = register_module_buffer_registration_hook(lambda module, name, b: print(name))
    >>> torch.nn.Module().register_buffer("mean", torch.zeros(1))
    mean
    >>> handle.remove()
    """
    return add(_global["buffer"], hook)
