"""`scan`: many steps as one compiled loop, the state carried from step to step."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..compiler_options import jit, products_in
from ..dispatch import wrap
from ..execute import Value
from ..tensor import Tensor
from .arguments import Arguments
from .compiled import Compiled
from .errors import PurifyError
from .program import Binding, Program
from .trace import is_tensor

_compiled: weakref.WeakKeyDictionary[Callable, Compiled] = weakref.WeakKeyDictionary()


def scan(step: Callable, batches: Any) -> Any:
    """Run ``step`` once for each of ``batches`` as one program; returns its outputs, stacked.

    ``batches``: a number of steps, for a step without arguments; a Tensor or array, whose slices
    along the first dimension are the argument; a tuple of such, for several arguments; or a list
    of batches, each an argument or a tuple of arguments. The tensors, optimizers and generators
    that the step works on are afterwards as after a loop. Steps that add to the state (the first
    one adds gradients and optimizer state) run on their own before.

    Raises ValueError for lengths that differ, and what `compile` raises.

    >>> import stateful as torch
    >>> w = torch.zeros((), requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> def step(target):
    ...     optimizer.zero_grad()
    ...     loss = (w - target) ** 2 / 2
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> torch.scan(step, torch.ones(4))
    tensor([0.5000, 0.1250, 0.0312, 0.0078])
    """
    compiled = step if isinstance(step, Compiled) else _compiled.get(step)
    if compiled is None:
        compiled = _compiled[step] = Compiled(step)
    columns, length = _columns(batches)
    if length < 1:
        raise ValueError("scan needs at least one batch")
    example = Arguments(tuple(map(_example, columns)), {})
    outputs: list[list] = []
    program: Any = None
    while len(outputs) < length:
        binding = compiled.binding(example)
        program, done = binding.program, len(outputs)
        if program.transition is None:
            rest = [c if not done else _rest(c, done) for c in columns]
            outputs.append(_run(binding, rest, length - done))
            break
        out = binding.run(Arguments(tuple(_slice(c, done) for c in columns), {}))
        leaves = jax.tree.leaves(out, is_leaf=is_tensor)
        outputs.append([x._array[None] if isinstance(x, Tensor) else x for x in leaves])
    return _stacked(program, outputs)


def _columns(batches: Any) -> tuple[list[Any], int]:
    """Arrays with the steps along the first dimension, one for each argument."""
    if isinstance(batches, int):
        return [], batches
    if isinstance(batches, list):
        rows = [row if isinstance(row, tuple) else (row,) for row in batches]
        with jax.enable_x64(True):
            columns = [jnp.stack(list(map(_array, c))) for c in zip(*rows, strict=True)]
        return columns, len(rows)
    columns = [_array(x) for x in (batches if isinstance(batches, tuple) else (batches,))]
    lengths = {len(c) if c.ndim else -1 for c in columns}
    if len(lengths) != 1 or -1 in lengths:
        raise ValueError(
            "scan: the arguments need the same number of steps along their first dimension, but "
            f"have the shapes {[list(c.shape) for c in columns]}"
        )
    return columns, lengths.pop()


def _array(x: Any) -> Any:
    return x._array if isinstance(x, Tensor) else x if isinstance(x, jax.Array) else np.asarray(x)


def _example(column: Any) -> Tensor:
    """A tensor like the slices, which tells what the program depends on; nobody reads it."""
    return wrap(Value.of(np.broadcast_to(np.zeros((), column.dtype), column.shape[1:])))


def _slice(column: Any, i: int) -> Tensor:
    with jax.enable_x64(True):
        return wrap(Value.of(column[i]))


def _rest(column: Any, start: int) -> Any:
    with jax.enable_x64(True):
        return column[start:]


def _run(binding: Binding, columns: list, length: int) -> list:
    """All steps of a program that leads from its world to itself; returns the stacked outputs."""
    program = binding.program
    if program.writes:
        raise PurifyError("scan: the step writes to its arguments, which are slices; clone() them")
    loop = program.loops.get(length)
    if loop is None:
        loop = program.loops[length] = _loop(program, length)
    outs, _ = binding.advance(loop, columns, length)
    return outs[: program.count]


def _loop(program: Program, length: int) -> Callable:
    """A loop with the signature of the program, whose arguments and outputs are stacked.

    Carried are leaves and generator words that are read and change. What only changes (gradients,
    say) is taken from the last step, which then stands alone.
    """
    count, settled, batch = program.count, program.settled, len(program.arguments)
    carried = program.carried()

    def step(feed, carry, items):
        arrays = [*feed[: len(feed) - batch], *items]
        for (_, place), array in zip(carried, carry, strict=True):
            arrays[place] = array
        return program.function(*arrays)

    def loop(*feed):
        def body(carry, items):
            outs = step(feed, carry, items)
            return [outs[i] for i, _ in carried], outs[:count]

        columns = feed[len(feed) - batch :]
        alone = settled - count > len(carried)
        most = length - alone
        carry = [feed[place] for _, place in carried]
        carry, outputs = jax.lax.scan(body, carry, [c[:most] for c in columns], most)
        if not alone:
            return [*outputs, *carry]
        last = step(feed, carry, [c[most] for c in columns])
        joined = [jnp.concatenate([a, b[None]]) for a, b in zip(outputs, last, strict=False)]
        return [*joined, *last[count:settled]]

    with jax.enable_x64(True):
        products = products_in(program.closed.jaxpr)
        return jit(loop, products, donate_argnums=tuple(range(len(program.donated))))


def _stacked(program: Program, outputs: list[list]) -> Any:
    """The outputs of all steps as tensors; what is no tensor is the same at each step."""
    made = [[x for x in part if hasattr(x, "shape")] for part in outputs]
    with jax.enable_x64(True):
        columns = [c[0] if len(c) == 1 else jnp.concatenate(c) for c in zip(*made, strict=True)]
    items = iter(columns)
    parts = [wrap(Value.of(next(items))) if program.is_new(p) else p for p in program.template]
    return jax.tree.unflatten(program.tree, parts)
