"""`Optimizer`: parameter groups and state, as https://pytorch.org/docs/stable/optim.html."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from funcgrad import types

from .. import modes
from ..creation import new_tensor
from ..dtypes import from_numpy
from ..hooks import RemovableHandle, attach
from ..lazy import flush
from ..tensor import Tensor


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()

_KINDS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post",
          "load_state_dict_pre", "load_state_dict_post")  # fmt: skip
_global: dict[str, OrderedDict] = {kind: OrderedDict() for kind in ("step_pre", "step_post")}


class Optimizer:
    """Updates parameters by their gradients; subclasses define `step`.

    ``params``: tensors, (name, tensor) pairs, or dicts with a key "params" and its own options.

    >>> import stateful as torch
    >>> class Signs(torch.optim.Optimizer):
    ...     @torch.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.sub_(p.grad.sign(), alpha=group["lr"])
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> w.sum().backward()
    >>> Signs([w], {"lr": 0.25}).step()
    >>> w
    Parameter containing:
    tensor([0.7500], requires_grad=True)
    """

    def __init__(self, params: Any, defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params.type()}"  # type: ignore[attr-defined]
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._hooks: dict[str, OrderedDict] = {kind: OrderedDict() for kind in _KINDS}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("defaults", "state", "param_groups")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", {kind: OrderedDict() for kind in _KINDS})
        self.__dict__.setdefault("defaults", {})
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)
        for slots in self.state.values():
            if isinstance(slots, dict) and isinstance(slots.get("step"), int | float):
                slots["step"] = count_tensor(slots["step"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with options of its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, Tensor):
            given = [given]
        elif isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        names, params = _named(list(given))
        param_group["params"] = params
        if names is not None:
            param_group["param_names"] = names
        for param in params:
            _check_parameter(param, self.defaults.get("differentiable"))
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_group(self, param_group: dict[str, Any]) -> None:
        ids = {id(p) for p in param_group["params"]}
        if len(ids) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see https://github.com/pytorch/pytorch/issues/40967 for more "
                "information", stacklevel=4,
            )  # fmt: skip
        if any(id(p) in ids for group in self.param_groups for p in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        named = "param_names" in param_group
        if self.param_groups and ("param_names" in self.param_groups[0]) != named:
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer"
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget, or set to zero, the gradient of every parameter."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param._grad = None
                elif param.grad is not None:
                    if param.grad.grad_fn is not None:
                        param.grad.detach_()
                    else:
                        param.grad.requires_grad_(False)
                    param.grad.zero_()

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient; ``closure`` recomputes the loss first."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    # -- hooks -----------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step."""
        return self._add_hook("step_pre", hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._add_hook("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend=False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return self._add_hook("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend=False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another."""
        return self._add_hook("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable, prepend=False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another."""
        return self._add_hook("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable, prepend=False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return self._add_hook("load_state_dict_post", hook, prepend)

    def _add_hook(self, kind: str, hook: Callable, prepend: bool = False) -> RemovableHandle:
        handle = attach(self._hooks[kind], hook)
        if prepend:
            self._hooks[kind].move_to_end(handle.id, last=False)
        return handle

    def _run_hooks(self, kind: str, *state_dict: Any) -> Any:
        """Call the hooks of a kind, each on what the one before returned."""
        for hook in list(self._hooks[kind].values()):
            result = hook(self, *state_dict)
            state_dict = state_dict if result is None or not state_dict else (result,)
        return state_dict[0] if state_dict else None

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and options, parameters by number."""
        self._run_hooks("state_dict_pre")
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return self._run_hooks("state_dict_post", {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        state_dict = self._run_hooks("load_state_dict_pre", dict(state_dict))
        groups, saved = self.param_groups, copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        params = [p for group in groups for p in group["params"]]
        by_number = dict(zip([i for s in saved for i in s["params"]], params, strict=True))
        state: Any = defaultdict(dict)
        for key, value in state_dict["state"].items():
            param = by_number.get(key)
            state[key if param is None else param] = value if param is None else _cast(value, param)
        for group, given in zip(groups, saved, strict=True):
            given["params"] = group["params"]
            if "param_names" in group and "param_names" not in given:
                given["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        self._run_hooks("load_state_dict_post")

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(
                f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"
            )
        return text + ")"


for _kind in _KINDS:  # what PyTorch calls them
    _hooks_of = functools.partial(lambda self, kind: self._hooks[kind], kind=_kind)
    setattr(Optimizer, f"_optimizer_{_kind}_hooks", property(_hooks_of))
_global_optimizer_pre_hooks = _global["step_pre"]
_global_optimizer_post_hooks = _global["step_post"]


def _use_grad_for_differentiable(step: Callable) -> Callable:
    """Decorator of a ``step``, which is recorded if the optimizer is ``differentiable``."""

    @functools.wraps(step)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with modes.set_grad_enabled(bool(args[0].defaults["differentiable"])):
            return step(*args, **kwargs)

    return wrapper


def _get_value(x: Any) -> Any:
    """A number, which may come as a tensor."""
    return x.item() if isinstance(x, Tensor) else x


def register_optimizer_step_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of every optimizer.

    >>> import stateful as torch
    >>> from stateful.optim.optimizer import register_optimizer_step_pre_hook
    >>> handle = register_optimizer_step_pre_hook(lambda optimizer, *_: print("steps"))
    >>> torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5).step()
    steps
    >>> handle.remove()
    """
    return attach(_global["step_pre"], hook)


def register_optimizer_step_post_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of every optimizer.

    >>> import stateful as torch
    >>> from stateful.optim.optimizer import register_optimizer_step_post_hook
    >>> handle = register_optimizer_step_post_hook(lambda optimizer, *_: print("stepped"))
    >>> torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5).step()
    stepped
    >>> handle.remove()
    """
    return attach(_global["step_post"], hook)


def _with_hooks(step: Callable) -> Callable:
    @functools.wraps(step)
    def wrapper(*args, **kwargs):
        self = args[0]
        for hook in [*_global["step_pre"].values(), *self._hooks["step_pre"].values()]:
            result = hook(self, args, kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got "
                        f"{result}."
                    )
                args, kwargs = result
        out = step(*args, **kwargs)
        flush()
        for hook in [*self._hooks["step_post"].values(), *_global["step_post"].values()]:
            hook(self, args, kwargs)
        return out

    return wrapper


def _named(given: list) -> tuple[list[str] | None, list]:
    """Names, if there are any, and parameters."""
    pairs = [item for item in given if isinstance(item, tuple)]
    if not pairs:
        return None, given
    if len(pairs) != len(given):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [name for name, _ in pairs], [param for _, param in pairs]


def _check_parameter(param: Any, differentiable: Any) -> None:
    if not isinstance(param, Tensor):
        raise TypeError(
            f"optimizer can only optimize Tensors, but one of the params is {type(param)}"
        )
    if not (differentiable or param.is_leaf or param.retains_grad):
        raise ValueError("can't optimize a non-leaf Tensor")


def _cast(value: Any, param: Any, name: str | None = None) -> Any:
    """A loaded state with the dtype of its parameter, except step counts."""
    if isinstance(value, Tensor):
        if name == "step":
            return value
        return value.to(param.dtype) if param.is_floating_point() else value  # type: ignore
    if isinstance(value, dict):
        return {key: _cast(item, param, key) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return type(value)(_cast(item, param) for item in value)  # type: ignore[call-arg]
    return value


def count_tensor(number: float) -> Tensor:
    """A step count: float32, or float64 where that is the default dtype."""
    default = types.default_dtype()
    dtype = from_numpy(default if default.name == "float64" else "float32")
    return new_tensor(float(number), dtype)


def with_closure(closure: Callable | None) -> Any:
    """The loss that ``closure`` computes, with recording on."""
    if closure is None:
        return None
    with modes.enable_grad():
        return closure()
