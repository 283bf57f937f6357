"""`Optimizer`: parameter groups and state, as https://pytorch.org/docs/stable/optim.html."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from .. import modes
from ..dispatch import store, wrap
from ..lazy import flush
from ..tensor import RemovableHandle, Tensor
from . import fused


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Updates parameters by their gradients; subclasses say how (`_Rule`) or override `step`."""

    def __init__(self, params: Any, defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but "
                f"got {params.type()}"
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._step_pre_hooks: OrderedDict = OrderedDict()
        self._step_post_hooks: OrderedDict = OrderedDict()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with options of its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        named = [p for p in params if isinstance(p, tuple)]
        if named:
            param_group["param_names"] = [name for name, _ in named]
            params = [p for _, p in named]
        for param in params:
            _check_parameter(param)
        param_group["params"] = params
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
            param_group.setdefault(name, default)
        ids = [id(p) for p in params]
        if len(set(ids)) != len(ids):
            raise ValueError("some parameters appear in more than one parameter group")
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if taken & set(ids):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget, or set to zero, the gradient of every parameter."""
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                if set_to_none:
                    param.grad = None
                else:
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

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step."""
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle(self._step_post_hooks, hook)

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and options, parameters by number."""
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            numbers[id(k)] if isinstance(k, Tensor) else k: dict(v) for k, v in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        groups, saved = self.param_groups, state_dict["param_groups"]
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        params = [p for group in groups for p in group["params"]]
        ids = [i for group in saved for i in group["params"]]
        by_id = dict(zip(ids, params, strict=True))
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            param = by_id.get(key)
            self.state[key if param is None else param] = (
                value if param is None else {k: _like(v, param, k) for k, v in value.items()}
            )
        for group, given in zip(groups, saved, strict=True):
            group.update({k: v for k, v in given.items() if k != "params"})

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join([*lines, ")"])


def _with_hooks(step: Callable) -> Callable:
    @functools.wraps(step)
    def wrapper(self, *args, **kwargs):
        for hook in list(self._step_pre_hooks.values()):
            result = hook(self, args, kwargs)
            if result is not None:
                args, kwargs = result
        out = step(self, *args, **kwargs)
        flush()
        for hook in list(self._step_post_hooks.values()):
            hook(self, args, kwargs)
        return out

    return wrapper


def _check_parameter(param: Any) -> None:
    if not isinstance(param, Tensor):
        raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param)}")
    if not (param.is_leaf or param.retains_grad):
        raise ValueError("can't optimize a non-leaf Tensor")


def _like(value: Any, param: Tensor, name: str) -> Any:
    if not isinstance(value, Tensor):
        return value
    if name != "step" and param.is_floating_point():  # type: ignore[attr-defined]
        value = value.to(param.dtype)  # type: ignore[attr-defined]
    return value.clone()  # type: ignore[attr-defined]


def with_closure(closure: Callable | None) -> Any:
    """The loss that ``closure`` computes, with recording on."""
    if closure is None:
        return None
    with modes.enable_grad():
        return closure()


class RuleOptimizer(Optimizer):
    """An optimizer whose rule is one of `funcgrad.optim`, as one fused update for each group."""

    factory: Callable
    counts_steps = True
    from_start = False
    ignored = ("foreach", "fused", "capturable", "differentiable", "params", "param_names",
               "initial_lr")  # fmt: skip

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient; ``closure`` recomputes the loss first."""
        loss = with_closure(closure)
        with modes.no_grad():
            for group in self.param_groups:
                params = [p for p in group["params"] if p.grad is not None]
                if params:
                    self._update(group, params)
        return loss

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        known = self.defaults
        return {k: v for k, v in group.items() if k in known and k not in self.ignored}

    def _update(self, group: dict[str, Any], params: list[Tensor]) -> None:
        states = [self.state[p] for p in params]
        names = [tuple(sorted(k for k in s if k != "step")) if s else None for s in states]
        options = self._options(group)
        results = fused.run(self.factory, self.counts_steps, options, params, states, names)
        for param, state, (new, slots, count) in zip(params, states, results, strict=True):
            store(param, new)
            for name, value in slots.items():
                if name in state:
                    store(state[name], value)
                else:
                    state[name] = wrap(value)
            if self.counts_steps:
                state["step"] = wrap(count)
