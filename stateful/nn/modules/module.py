"""`Module`: parameters, buffers and submodules under names; calls with hooks; state_dict.

As https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

from ... import modes
from ...creation import FACTORIES
from ...dtypes import dtype as Dtype
from ...settings import typename
from ...tensor import RemovableHandle, Tensor
from ..parameter import Buffer, Parameter, is_lazy
from . import hooks
from .hooks import register_module_backward_hook as register_module_backward_hook
from .hooks import (
    register_module_buffer_registration_hook as register_module_buffer_registration_hook,
)
from .hooks import register_module_forward_hook as register_module_forward_hook
from .hooks import register_module_forward_pre_hook as register_module_forward_pre_hook
from .hooks import register_module_full_backward_hook as register_module_full_backward_hook
from .hooks import register_module_full_backward_pre_hook as register_module_full_backward_pre_hook
from .hooks import (
    register_module_module_registration_hook as register_module_module_registration_hook,
)
from .hooks import (
    register_module_parameter_registration_hook as register_module_parameter_registration_hook,
)
from .registered import learn

_Incompatible = namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])


class _IncompatibleKeys(_Incompatible):
    """What ``load_state_dict`` could not match."""

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()


class Module:
    """A function with state.

    >>> import stateful as torch
    >>> torch.nn.Linear(2, 1)
    Linear(in_features=2, out_features=1, bias=True)
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    dump_patches = call_super_init = False
    _version = 1

    def __init__(self, *args, **kwargs):
        if args or kwargs:
            extra = f"{len(args)} positional" if args else f"keyword {next(iter(kwargs))!r}"
            raise TypeError(f"{type(self).__name__}.__init__() got unexpected arguments: {extra}")
        fields: dict[str, Any] = {
            "training": True, "_parameters": {}, "_buffers": {}, "_modules": {},
            "_non_persistent_buffers_set": set(), "_backward_pre_hooks": OrderedDict(),
            "_backward_hooks": OrderedDict(), "_is_full_backward_hook": None,
            "_forward_hooks": OrderedDict(), "_forward_hooks_with_kwargs": OrderedDict(),
            "_forward_hooks_always_called": OrderedDict(), "_forward_pre_hooks": OrderedDict(),
            "_forward_pre_hooks_with_kwargs": OrderedDict(), "_state_dict_hooks": OrderedDict(),
            "_state_dict_pre_hooks": OrderedDict(), "_load_state_dict_pre_hooks": OrderedDict(),
            "_load_state_dict_post_hooks": OrderedDict(),
        }  # fmt: skip
        self.__dict__.update(fields)

    # -- calling ---------------------------------------------------------------------------------

    def forward(self, *args, **kwargs) -> Any:
        """What the module computes; subclasses define it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args, **kwargs) -> Any:
        if not (
            self._forward_hooks or self._forward_pre_hooks or self._backward_hooks
            or self._backward_pre_hooks or hooks.any_global()
        ):  # fmt: skip
            return self.forward(*args, **kwargs)
        return hooks.call(self, args, kwargs)

    # -- attributes ------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        fields = self.__dict__
        if isinstance(value, Parameter):
            self._need_init("parameters")
            _remove_from(fields, self._buffers, self._modules, name=name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._need_init("module")
            _remove_from(fields, self._parameters, self._buffers, name=name)
            hooks.run_registration("module", self, name, value)
            self._modules[name] = value
            _learn(self, "_modules", name)
        elif isinstance(value, Buffer):
            _remove_from(fields, self._parameters, self._modules, name=name)
            self.register_buffer(name, value, getattr(value, "persistent", True))
        elif name in fields.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, None)
        elif name in fields.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' "
                    "(torch.nn.Module or None expected)"
                )
            self._modules[name] = None
        elif name in fields.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _need_init(self, what: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__
        for place in ("_parameters", "_modules", "_buffers"):
            if place in fields and name in fields[place]:
                return fields[place][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for place in (self._parameters, self._buffers, self._modules):
            if name in place:
                del place[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        names = [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]
        return sorted(name for name in set(names) if name.isidentifier())

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``."""
        self._need_init("parameter")
        _check_name(self, name, self._parameters, "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                "created explicitly. To express '{0}' as a function of another Tensor, compute the "
                "value in the forward() method.".format(name)
            )
        if param is not None:
            param = hooks.run_registration("parameter", self, name, param)
        self._parameters[name] = param
        _learn(self, "_parameters", name)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not a parameter."""
        self._need_init("buffer")
        _check_name(self, name, self._buffers, "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        tensor = hooks.run_registration("buffer", self, name, tensor)
        self._buffers[name] = tensor
        _learn(self, "_buffers", name)
        (self._non_persistent_buffers_set.discard if persistent
         else self._non_persistent_buffers_set.add)(name)  # fmt: skip

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under ``name``."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        _check_name(self, name, self._modules, "module")
        module = hooks.run_registration("module", self, name, module)
        self._modules[name] = module
        _learn(self, "_modules", name)

    register_module = add_module

    # -- walking ---------------------------------------------------------------------------------

    def named_modules(
        self, memo=None, prefix="", remove_duplicate=True
    ) -> Iterator[tuple[str, Any]]:
        """This module and all below, each once, with their dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, below, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names, each once."""
        seen: set = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct submodules, each once."""
        return (module for _, module in self.named_children())

    def _named_members(self, place, prefix, recurse, remove_duplicate) -> Iterator[tuple[str, Any]]:
        seen: set = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for module_prefix, module in modules if recurse else [(prefix, self)]:
            for name, item in getattr(module, place).items():
                if item is None or id(item) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(item))
                yield f"{module_prefix}.{name}" if module_prefix else name, item

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Parameters with their dotted names, each once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters, each once."""
        return (item for _, item in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Buffers with their dotted names, each once."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers, each once."""
        return (item for _, item in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The submodule with a dotted name."""
        module: Module = self
        for name in filter(None, target.split(".")):
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module where another one is, or in a new place unless ``strict``.

        >>> import stateful as torch
        >>> net = torch.nn.Sequential(torch.nn.ReLU())
        >>> net.set_submodule("0", torch.nn.Tanh())
        >>> net[0]
        Tanh()
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        present = getattr(parent, name, None)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(present, Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name."""
        return self._member(target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name."""
        return self._member(target)

    def _member(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        return getattr(module, name)

    # -- changing --------------------------------------------------------------------------------

    def apply(self, fn: Callable) -> Module:
        """Call ``fn`` on every module below, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Set ``training`` here and below."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Module:
        """Clear ``training`` here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Set ``requires_grad`` of every parameter."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget, or set to zero, the gradient of every parameter."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad.detach_()
                parameter.grad.zero_()

    def _apply(self, fn: Callable, recurse: bool = True) -> Module:
        """Replace every parameter and buffer, in place, by what ``fn`` makes of it."""
        for module in self.modules() if recurse else [self]:
            for parameter in module._parameters.values():
                if parameter is None:
                    continue
                with modes.no_grad():
                    parameter.data = fn(parameter.detach())
                    if parameter.grad is not None:
                        parameter.grad = fn(parameter.grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs) -> Module:
        """Move every parameter and buffer; a dtype is for floating ones only."""
        dtype = kwargs.pop("dtype", None)
        rest = []
        for arg in args:
            if isinstance(arg, int) and not isinstance(arg, bool):
                raise RuntimeError("Cannot access accelerator device when none is available.")
            if isinstance(arg, Dtype):
                dtype = arg
            elif isinstance(arg, Tensor):
                dtype, kwargs["device"] = arg.dtype, arg.device
            else:
                rest.append(arg)

        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        memory_format = kwargs.pop("memory_format", None)

        def convert(tensor):
            if memory_format is not None and tensor.dim() in (4, 5):
                tensor = tensor.to(memory_format=memory_format)
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            return tensor.to(*rest, **({"dtype": wanted} if wanted else {}), **kwargs)

        return self._apply(convert)

    def _floating(self, name: str) -> Module:
        return self._apply(lambda t: getattr(t, name)() if t.is_floating_point() else t)

    def float(self) -> Module:
        """Convert every floating parameter and buffer to float32.

        >>> import stateful as torch
        >>> torch.nn.Linear(2, 1).float().weight.dtype
        torch.float32
        """
        return self._floating("float")

    def double(self) -> Module:
        """Convert every floating parameter and buffer to float64.

        >>> import stateful as torch
        >>> torch.nn.Linear(2, 1).double().weight.dtype
        torch.float64
        """
        return self._floating("double")

    def half(self) -> Module:
        """Convert every floating parameter and buffer to float16.

        >>> import stateful as torch
        >>> torch.nn.Linear(2, 1).half().weight.dtype
        torch.float16
        """
        return self._floating("half")

    def bfloat16(self) -> Module:
        """Convert every floating parameter and buffer to bfloat16.

        >>> import stateful as torch
        >>> torch.nn.Linear(2, 1).bfloat16().weight.dtype
        torch.bfloat16
        """
        return self._floating("bfloat16")

    def type(self, dst_type: Any) -> Module:
        """Convert every parameter and buffer."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Module:
        """Move every parameter and buffer to host memory."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Module:
        """Move every parameter and buffer to a GPU."""
        return self._apply(lambda t: t.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Module:
        """Move every parameter and buffer without its elements, which are not to be relied on.

        >>> import stateful as torch
        >>> torch.nn.Linear(2, 1, device="meta").to_empty(device="cpu").weight.shape
        torch.Size([1, 2])
        """
        return self._apply(lambda t: FACTORIES["empty_like"](t, device=device), recurse=recurse)

    def share_memory(self) -> Module:
        """Nothing to do: JAX arrays are immutable."""
        return self

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, detached unless ``keep_vars``."""
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: "
                "state_dict(destination=..., prefix=..., keep_vars=...).",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = given["destination"] if destination is None else destination
            prefix = given.get("prefix", prefix)
            keep_vars = given.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]
        if hasattr(destination, "_metadata"):
            metadata: Any = destination._metadata  # type: ignore[attr-defined]
            metadata[prefix[:-1]] = {"version": self._version}
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, {"version": self._version})
            destination = destination if result is None else result
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars) -> None:
        buffers = {
            k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set
        }
        for name, item in {**self._parameters, **buffers}.items():
            if item is not None:
                destination[prefix + name] = item if keep_vars else item.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[f"{prefix}_extra_state"] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """More for the state_dict; with `set_extra_state`."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called."
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called."
        )

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
        """Copy what ``state_dict`` holds into the parameters and buffers of these names.

        Raises RuntimeError, and names the keys, if names or shapes differ (names only if
        ``strict``).
        """
        if not hasattr(state_dict, "items"):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        state = OrderedDict(state_dict)
        metadata = getattr(state_dict, "_metadata", {}) or {}
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        for prefix, module in self.named_modules(remove_duplicate=False):
            dotted = f"{prefix}." if prefix else ""
            local = {**metadata.get(prefix, {}), "assign_to_params_buffers": assign}
            module._load_from_state_dict(state, dotted, local, True, missing, unexpected, errors)
        unexpected += [key for key in state if not self._owns(key)]
        result = _IncompatibleKeys(missing, unexpected)
        for module in self.modules():
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, result) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                        "expected to return new values, if incompatible_keys need to be modified, "
                        "it should be done inplace."
                    )
        if strict and unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        if strict and missing:
            errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(errors)
            )
        return result

    def _owns(self, key: str) -> bool:
        path, _, name = key.rpartition(".")
        module: Any = self
        for part in filter(None, path.split(".")):
            module = module._modules.get(part)
            if module is None:
                return False
        buffers = (
            module._buffers.get(name) is not None and name not in module._non_persistent_buffers_set
        )
        extra = (
            name == "_extra_state" and type(module).get_extra_state is not Module.get_extra_state
        )
        return module._parameters.get(name) is not None or buffers or extra

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ) -> None:
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        buffers = {
            k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set
        }
        for name, item in {**self._parameters, **buffers}.items():
            key = prefix + name
            if item is None:
                continue
            if key not in state_dict:
                missing_keys.append(key)
                continue
            given = state_dict[key]
            if not isinstance(given, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or '
                    f"Tensor-like object from checkpoint but received {type(given)}"
                )
            elif not is_lazy(item) and given.shape != item.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {given.shape} from "
                    f"checkpoint, the shape in current model is {item.shape}."
                )
            elif local_metadata.get("assign_to_params_buffers"):
                keep = isinstance(item, Parameter) and not isinstance(given, Parameter)
                setattr(self, name, Parameter(given, item.requires_grad) if keep else given)
            else:
                with modes.no_grad():
                    item.copy_(given)
        if type(self).set_extra_state is not Module.set_extra_state:
            key = f"{prefix}_extra_state"
            if key in state_dict:
                self.set_extra_state(state_dict[key])
            else:
                missing_keys.append(key)

    # -- hooks -----------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook, *, prepend=False, with_kwargs=False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`; it may return other arguments."""
        kinds = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return hooks.add(self._forward_pre_hooks, hook, prepend, kinds)

    def register_forward_hook(
        self, hook, *, prepend=False, with_kwargs=False, always_call=False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`; it may return another output."""
        kinds = [self._forward_hooks_with_kwargs] if with_kwargs else []
        if always_call:
            kinds.append(self._forward_hooks_always_called)
        return hooks.add(self._forward_hooks, hook, prepend, kinds)

    def register_full_backward_pre_hook(self, hook, prepend=False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are there."""
        return hooks.add(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the inputs have their gradients."""
        self._set_backward_kind(True)
        return hooks.add(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook) -> RemovableHandle:
        """Deprecated: see `register_full_backward_hook`."""
        self._set_backward_kind(False)
        return hooks.add(self._backward_hooks, hook)

    def _set_backward_kind(self, full: bool) -> None:
        if self._is_full_backward_hook not in (None, full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = full

    def register_state_dict_post_hook(self, hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after `state_dict`.

        It may change the dictionary in place, and must return None.
        """
        return hooks.add(self._state_dict_hooks, functools.partial(hooks.without_result, hook))

    def _register_state_dict_hook(self, hook) -> RemovableHandle:
        """As `register_state_dict_post_hook`, and the hook may return another dictionary."""
        return hooks.add(self._state_dict_hooks, hook)

    def register_state_dict_pre_hook(self, hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict`."""
        return hooks.add(self._state_dict_pre_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, ...)`` before loading."""
        return hooks.add(self._load_state_dict_pre_hooks, functools.partial(hook, self))

    def _register_load_state_dict_pre_hook(self, hook, with_module=False) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`, of which the hook need not take the module."""
        return hooks.add(
            self._load_state_dict_pre_hooks, functools.partial(hook, self) if with_module else hook
        )

    def register_load_state_dict_post_hook(self, hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading."""
        return hooks.add(self._load_state_dict_post_hooks, hook)

    # -- printing --------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What to print between the parentheses."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        body = "\n  ".join(itertools.chain(lines, children))
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"


def _remove_from(*places: dict, name: str) -> None:
    for place in places:
        place.pop(name, None)


def _learn(module: Module, place: str, name: str) -> None:
    """Let the class of a module find a name, unless somebody looks names up in a way of his own."""
    if type(module).__getattr__ is Module.__getattr__:
        learn(type(module), place, name)


def _check_name(module: Module, name: Any, place: dict, what: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} name should be a string. Got {type(name).__name__}")
    if "." in name:
        raise KeyError(f'{what} name can\'t contain ".", got: {name}')
    if not name:
        raise KeyError(f'{what} name can\'t be empty string ""')
    if hasattr(module, name) and name not in place:
        raise KeyError(f"attribute '{name}' already exists")


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)
