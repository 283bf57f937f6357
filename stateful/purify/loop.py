"""`scan`: many steps as one compiled loop, the state carried from step to step."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funcgrad.random import State, to_traced

from ..dispatch import wrap
from ..execute import Value
from ..lazy import flush
from ..tensor import Tensor
from .arguments import Arguments
from .compiled import Compiled
from .errors import PurifyError
from .program import WORDS, Binding, Program, copied
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
    >>> scan(step, torch.ones(4))
    tensor([0.5000, 0.1250, 0.0312, 0.0078])
    """
    compiled = step if isinstance(step, Compiled) else _compiled.get(step)
    if compiled is None:
        compiled = _compiled[step] = Compiled(step)
    columns, length = _columns(batches)
    done, outputs = 0, []
    program: Program | None = None
    while done < length:
        arguments = Arguments(tuple(_slice(c, done) for c in columns), {})
        binding = compiled.binding(arguments)
        program = binding.program
        if program.transition is None:
            rest = [c if not done else _rest(c, done) for c in columns]
            outputs.append(_loop(binding, rest, length - done))
            break
        out = jax.tree.leaves(binding.run(arguments), is_leaf=is_tensor)
        outputs.append([x._array[None] if isinstance(x, Tensor) else x for x in out])
        done += 1
    if program is None:
        raise ValueError("scan needs at least one batch")
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


def _slice(column: Any, i: int) -> Tensor:
    with jax.enable_x64(True):
        return wrap(Value.of(column[i]))


def _rest(column: Any, start: int) -> Any:
    with jax.enable_x64(True):
        return column[start:]


def _loop(binding: Binding, columns: list, length: int) -> list:
    """All steps of a program that leads from its world to itself; returns the stacked outputs."""
    program = binding.program
    if program.writes:
        raise PurifyError("scan: the step writes to its arguments, which are slices; clone() them")
    flush()
    leaves = [copied(storage.value.read()) for storage in binding.written[: binding.donated]]
    words = [x for g in binding.generators for x in to_traced(g.state)]
    moving = [copied(words[i]) for i in program.moved]
    still = {i: words[i] for i in program.words if i not in program.moved}
    read = [storage.value.read() for storage in binding.read]
    rates = [binding.guard.vector] if program.has_rates else []
    loop = program.loops.get(length)
    if loop is None:
        loop = program.loops[length] = _compile(program, length)
    with jax.enable_x64(True):
        leaves, moving, outputs = loop(leaves, moving, still, read, rates, columns)
    for storage, array in zip(binding.written, leaves, strict=True):
        storage.value = Value(storage.value.aval, array)
        storage.version += length
    for i, word in zip(program.moved, moving, strict=True):
        words[i] = word
    if program.moved:
        for g, generator in enumerate(binding.generators):
            generator.state = State(*words[WORDS * g : WORDS * (g + 1)])
    return outputs


def _compile(program: Program, length: int) -> Callable:
    """The loop around a program.

    Carried are leaves that are read and written, and generator words. Leaves that are only written
    (gradients, say) are taken from the last step, which stands alone.
    """
    count, donated = program.count, len(program.donated)
    written = donated + len(program.written)
    alone = written > donated

    def loop(leaves, moving, still, read, rates, columns):
        def step(carry, items):
            leaves, moving = carry
            words = {**still, **dict(zip(program.moved, moving, strict=True))}
            outs = program.function(
                *leaves, *read, *[words[i] for i in program.words], *rates,
                *[items[i] for i in program.arguments],
            )  # fmt: skip
            moved = outs[count + written : count + written + len(program.moved)]
            return outs[:count], outs[count : count + written], list(moved)

        def body(carry, items):
            outputs, leaves, moving = step(carry, items)
            return (leaves[:donated], moving), outputs

        carry, most = (leaves, moving), length - alone
        carry, outputs = jax.lax.scan(body, carry, [c[:most] for c in columns], most)
        if not alone:
            return *carry, outputs
        last, leaves, moving = step(carry, [c[most] for c in columns])
        outputs = [jnp.concatenate([a, b[None]]) for a, b in zip(outputs, last, strict=True)]
        return leaves, moving, outputs

    with jax.enable_x64(True):
        return jax.jit(loop, donate_argnums=(0, 1))


def _stacked(program: Program, outputs: list[list]) -> Any:
    """The outputs of all steps as tensors; what is no tensor is the same at each step."""
    made = [[x for x in part if hasattr(x, "shape")] for part in outputs]
    with jax.enable_x64(True):
        columns = [c[0] if len(c) == 1 else jnp.concatenate(c) for c in zip(*made, strict=True)]
    items = iter(columns)
    parts = [wrap(Value.of(next(items))) if program.is_new(p) else p for p in program.template]
    return jax.tree.unflatten(program.tree, parts)
