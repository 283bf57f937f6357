"""Modules as functions of their parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .. import modes
from ..dispatch import wrap
from ..execute import Value
from ..methods import FUNCTIONS
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.utils import stateless


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other parameters and buffers, given by name.

    >>> import stateful as torch
    >>> layer = torch.nn.Linear(1, 1, bias=False)
    >>> torch.func.functional_call(layer, {"weight": torch.tensor([[2.0]])}, torch.tensor([3.0]))
    tensor([6.])
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, tuple | list):
        if not all(isinstance(d, dict) for d in parameter_and_buffer_dicts):
            raise ValueError(
                "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
            )
        counts = Counter(key for d in parameter_and_buffer_dicts for key in d)
        repeated = [key for key, n in counts.items() if n > 1]
        if repeated:
            raise ValueError(
                f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
                "ambiguous"
            )
        given = {k: v for d in parameter_and_buffer_dicts for k, v in d.items()}
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    return stateless.functional_call(
        module, given, args, kwargs, tie_weights=tie_weights, strict=strict
    )


def stack_module_state(models: Sequence[Any]) -> tuple[dict, dict]:
    """The parameters and the buffers of several equal modules, stacked, by name.

    >>> import stateful as torch
    >>> params, buffers = torch.func.stack_module_state([torch.nn.Linear(2, 3) for _ in range(4)])
    >>> params["weight"].shape
    torch.Size([4, 3, 2])
    """
    start = "stack_module_state: Expected "
    if not models:
        raise RuntimeError(f"{start}at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError(f"{start}all models to have the same training/eval mode.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError(f"{start}all models to be of the same class.")
    return (
        _stacked([dict(m.named_parameters()) for m in models]),
        _stacked([dict(m.named_buffers()) for m in models]),
    )


def _stacked(states: list[dict]) -> dict:
    return {name: _stack(name, [state[name] for state in states]) for name in states[0]}


def _stack(name: str, tensors: list) -> Any:
    wanted = {t.requires_grad for t in tensors}
    if len(wanted) > 1:
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    stacked = FUNCTIONS["torch"]["stack"](tensors, 0)
    return stacked.detach().requires_grad_() if wanted == {True} else stacked


def functionalize(func: Callable, *, remove: str = "mutations") -> Callable:
    """``func`` itself: in-place operations already are pure underneath.

    >>> import stateful as torch
    >>> torch.func.functionalize(lambda x: x.add_(1))(torch.zeros(2))
    tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. "
            "Valid options are: remove='mutations', remove='mutations_and_views'."
        )
    return func


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """What a transform made ``tensor`` of: all slices, without history; ``recurse``: of all
    transforms rather than the innermost. A tensor from outside is returned as it is.

    >>> import stateful as torch
    >>> seen = []
    >>> _ = torch.vmap(lambda t: (seen.append(torch.func.debug_unwrap(t)), t)[1])(torch.ones(3))
    >>> seen
    [tensor([1., 1., 1.])]
    """
    array = tensor._array
    frames = [frame for frame in modes.vmap.frames if frame.batches(array)]
    if not frames:
        return tensor.detach() if modes.transforms.open else tensor
    for frame in reversed(frames if recurse else frames[-1:]):
        array, _ = frame.unbatch(array)
    return wrap(Value.of(array))


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """``root`` with batch norms that keep no running statistics: so that `vmap` can run them.

    >>> import stateful as torch
    >>> model = torch.nn.Sequential(torch.nn.BatchNorm1d(2))
    >>> torch.func.replace_all_batch_norm_modules_(model)[0].running_mean is None
    True
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
