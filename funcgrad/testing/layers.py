"""`first_divergence`: the layer in which two implementations of a model part first."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..transforms import named_parameters, vjp
from ..transforms.leaves import is_inexact
from .difference import Difference, compare_trees
from .match import params_of, random_like, to_numpy

_recorder: contextvars.ContextVar = contextvars.ContextVar("recorder", default=None)


def record(name: str, value: Any) -> Any:
    """Mark `value` as what the layer `name` puts out. Returns it, and does nothing by itself.

    `name` is the name of the PyTorch module that `value` corresponds to: `"layers.0"`.

    >>> record("layers.0", 3.0)
    3.0
    """
    recorder = _recorder.get()
    return value if recorder is None else recorder(name, value)


@contextlib.contextmanager
def _recording(recorder: Callable) -> Iterator[None]:
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


@dataclasses.dataclass(frozen=True)
class Divergence:
    """The first place where two models part.

    Attributes:
        layer: the name of the layer.
        kind: "activation", or "gradient" (of the loss with respect to what the layer puts out).
        difference: the worst entry.

    >>> print(Divergence("1", "activation", Difference("activation", (0,), 1.0, 2.0, 1.0, 8e6)))
    layer '1' parts first, in its activation[0]: jax 1.0, torch 2.0, difference 1, 8000000 ulp
    """

    layer: str
    kind: str
    difference: Difference

    def __str__(self) -> str:
        return f"layer {self.layer!r} parts first, in its {self.difference}"


def first_divergence(
    jax_fn: Callable | list[Callable],
    torch_module: Any,
    inputs: tuple,
    *,
    params: Any = None,
    to_params: Callable[[dict], Any] | None = None,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulps: float | None = None,
) -> Divergence | None:
    """The first layer whose activation, and else whose gradient, differs; None if none does.

    Activations are compared in the order in which PyTorch computes them, gradients (of the output
    weighted by random numbers) in the opposite order, in which they are computed.

    Args:
        jax_fn: `jax_fn(params, *inputs)`, which calls `record` with the names of the modules it
            wants compared; or a list of functions, each given the output of the one before, when
            `torch_module` is an `nn.Sequential`.
        torch_module: an `nn.Module`.
        inputs, params, to_params, seed, rtol, atol, max_ulps: as for `assert_matches_torch`. A list
            of functions takes no weights.

    Raises:
        ValueError: nothing was recorded, or a recorded name is no module.

    >>> import torch
    >>> torch_model = torch.nn.Sequential(torch.nn.Tanh(), torch.nn.Sigmoid())
    >>> ours = [jnp.tanh, jnp.sin]
    >>> first_divergence(ours, torch_model, (np.float32([0.5]),)).layer
    '1'
    """
    arrays = to_numpy(inputs)
    weights = {name: to_numpy(leaf) for name, leaf in torch_module.state_dict().items()}
    if params is not None:
        weights |= {name: np.asarray(leaf) for name, leaf in named_parameters(params).items()}
    if isinstance(jax_fn, list):
        function = lambda *values: _in_sequence(jax_fn, *values)  # noqa: E731
    else:
        weights_of = to_params or (lambda named: named)
        function = lambda *values: jax_fn(params_of(weights_of, params, weights), *values)  # noqa: E731
    ours = _jax_layers(function, arrays, seed)
    theirs = _torch_layers(torch_module, weights, arrays, list(ours[0]), seed)
    order = [name for name in theirs[0] if name in ours[0]]
    for kind, mine, others, names in (
        ("activation", ours[0], theirs[0], order),
        ("gradient", ours[1], theirs[1], order[::-1]),
    ):
        for name in names:
            worst, _ = compare_trees(mine[name], others[name], kind, rtol, atol, max_ulps)
            if worst is not None:
                return Divergence(name, kind, worst)
    return None


def _in_sequence(functions: list[Callable], value: Any) -> Any:
    for i, function in enumerate(functions):
        value = record(str(i), function(value))
    return value


def _jax_layers(function: Callable, arrays: tuple, seed: int) -> tuple[dict, dict]:
    """What every layer puts out, and the gradient there: that of a zero added to it."""
    arguments = jax.tree.map(jnp.asarray, arrays)
    activations: dict = {}

    def keep(name: str, value: Any) -> Any:
        if name in activations:
            raise ValueError(f"first_divergence: {name!r} was recorded twice")
        activations[name] = value
        return value

    with _recording(keep):
        output = function(*arguments)
    if not activations:
        raise ValueError(
            "first_divergence: the function recorded nothing; call record(name, value)"
        )
    zeros = {
        name: jnp.zeros_like(value) for name, value in activations.items() if is_inexact(value)
    }

    def shifted(zeros: dict) -> list:
        with _recording(lambda name, value: value + zeros[name] if name in zeros else value):
            return [leaf for leaf in jax.tree.leaves(function(*arguments)) if is_inexact(leaf)]

    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(output) if is_inexact(leaf)]
    (gradients,) = vjp(shifted, zeros)[1](random_like(leaves, seed))
    return activations, gradients


def _torch_layers(
    module: Any, weights: dict, arrays: tuple, names: list[str], seed: int
) -> tuple[dict, dict]:
    torch = importlib.import_module("torch")
    modules = dict(module.named_modules())
    unknown = [name for name in names if name not in modules]
    if unknown:
        raise ValueError(f"first_divergence: no module is named {unknown[0]!r}: {list(modules)}")
    activations: dict = {}

    def hook(name: str) -> Callable:
        def keep(_: Any, __: Any, output: Any) -> Any:
            if output.requires_grad:
                output.retain_grad()
            activations[name] = output
            # The next layer gets an alias, so that its in-place work does not change what we kept.
            return output.clone()

        return keep

    handles = [modules[name].register_forward_hook(hook(name)) for name in names]
    try:
        tensors = {name: torch.tensor(leaf) for name, leaf in weights.items()}
        values = jax.tree.map(
            lambda leaf: torch.tensor(leaf, requires_grad=bool(is_inexact(leaf))), arrays
        )
        output = torch.func.functional_call(module, tensors, tuple(values))
    finally:
        for handle in handles:
            handle.remove()
    leaves = [leaf for leaf in jax.tree.leaves(output) if leaf.requires_grad]
    cotangents = random_like([to_numpy(leaf) for leaf in leaves], seed)
    torch.autograd.backward(leaves, [torch.tensor(cotangent) for cotangent in cotangents])
    gradients = {
        name: to_numpy(torch.zeros_like(value) if value.grad is None else value.grad)
        for name, value in activations.items()
    }
    return {name: to_numpy(value) for name, value in activations.items()}, gradients
