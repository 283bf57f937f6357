"""Steps with ``differentiable=True``: recorded, so that gradients pass through them.

A kernel's function is differentiated by JAX, and so is its derivative: `Recorded` works for steps,
for their gradients, and for the gradients of those.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax

from funcgrad import types

from ..autograd.function import Function
from ..dispatch import wrap
from ..execute import execute
from ..tensor import Tensor
from . import fused


class Pullback:
    """The gradients of ``function`` for the leaves at ``places``, given those of its outputs."""

    def __init__(self, function: Any, count: int, places: tuple[int, ...]):
        self.function, self.count, self.places = function, count, places

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """``arrays``: the ``count`` leaves, then the gradients of the outputs."""
        leaves = list(arrays[: self.count])

        def outputs(*wanted):
            for place, array in zip(self.places, wanted, strict=True):
                leaves[place] = array
            return tuple(self.function.run(static, leaves))

        _, pull = jax.vjp(outputs, *[leaves[place] for place in self.places])
        return pull(tuple(arrays[self.count :]))

    trace = run


pullback = functools.cache(Pullback)


class Recorded(Function):
    """A kernel's function of tensors and numbers as one node of the graph."""

    @staticmethod
    def forward(ctx: Any, function: Any, static: tuple, *leaves: Any) -> Any:
        ctx.function, ctx.static = function, static
        ctx.leaves = [None if isinstance(x, Tensor) else x for x in leaves]
        ctx.save_for_backward(*[x for x in leaves if isinstance(x, Tensor)])
        values = [x._read() if isinstance(x, Tensor) else x for x in leaves]
        return tuple([wrap(value) for value in execute(function, values, static)])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        saved = iter(ctx.saved_tensors)
        leaves = [next(saved) if x is None else x for x in ctx.leaves]
        places = tuple(i for i, needed in enumerate(ctx.needs_input_grad[2:]) if needed)
        function = pullback(ctx.function, len(leaves), places)
        found = Recorded.apply(function, ctx.static, *leaves, *grads)
        results: list = [None] * (2 + len(leaves))
        for place, gradient in zip(places, found, strict=True):
            results[2 + place] = gradient
        return tuple(results)


def step(
    factory: Callable, options: dict[str, Any], static: Sequence[str], param: Any, state: dict,
    counts_steps: bool,
) -> None:  # fmt: skip
    """One recorded step of a parameter: it and its state are written in place.

    Copies of them are what the node saves, as they are written to afterwards.
    """
    fixed, _ = fused.split_options(options, static)
    names = fused.slot_names(factory, fixed, param._aval)
    count = fused.count_of(state, names, counts_steps)
    leaves = [x for name, value in options.items() if name not in static for x in _data(value)]
    if count is not None:
        leaves.append(wrap(count))
    leaves += [param.clone(), param.grad]
    if count is not None:
        leaves += [state[name].clone() for name in names]
    place = -1 if count is None else 0
    layout = fused.layout_of(fixed, place + 1, (place,), (names,), types.default_dtype())
    new, *slots = Recorded.apply(fused.step_of(factory), (layout,), *leaves)
    param.copy_(new)
    if counts_steps:
        state.setdefault("step", slots[-1].detach()).copy_(slots[-1].detach())
    for name, slot in zip(names, slots, strict=False):
        if state.get(name) is None:
            state[name] = slot
        else:
            state[name].copy_(slot)


def _data(value: Any) -> list:
    """The numbers and tensors in an option that are data, as `fused.split_options` takes them."""
    if isinstance(value, tuple | list):
        return [x for part in value for x in _data(part)]
    if isinstance(value, Tensor):
        return [value.reshape(())]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [float(value)] if is_number and value != 0 else []
