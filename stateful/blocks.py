"""Stretches of kernels as functions of their own, so that no program is too long for its compiler.

A program is a list of entries (kernel, places): a place says where an argument comes from, ``n``
the n-th result of all kernels so far, ``~n`` the n-th input of the program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax

from funcgrad.mode import plain

from .execute import Aval, Kernel

Entry = tuple[Kernel, tuple[int, ...]]


class Block:
    """Kernels in order as one function of arrays, which `execute` runs. Equal ones are one object.

    ``outputs`` are places of results. ``weight``: how many kernels it amounts to.
    """

    def __init__(self, entries: tuple[Entry, ...], outputs: tuple[int, ...]):
        self.entries, self.outputs = entries, outputs
        self.weight = sum(kernel.weight for kernel, _ in entries)
        made = [aval for kernel, _ in entries for aval in kernel.outputs]
        self.known_outputs = tuple([made[place] for place in outputs])

    def run(self, static: tuple, arrays: Sequence) -> tuple:
        """The outputs, from arrays."""
        with plain():
            return self._evaluate(arrays, lambda kernel, args: kernel.run(*args))

    def trace(self, static: tuple, arrays: Sequence) -> tuple:
        """The outputs, from tracers."""
        return self._evaluate(arrays, lambda kernel, args: kernel.fn.trace(kernel.static, args))

    def _evaluate(self, arrays, run) -> tuple:
        values: list = []
        for kernel, places in self.entries:
            outs = run(kernel, [values[p] if p >= 0 else arrays[~p] for p in places])
            values.extend(outs if isinstance(outs, tuple | list) else (outs,))
        return tuple([values[p] for p in self.outputs])

    @functools.cached_property
    def jitted(self) -> Any:
        """The compiled function."""
        return jax.jit(lambda *arrays: self.run((), arrays))

    def __repr__(self):
        return f"<block of {self.weight} kernels>"


block_of = functools.cache(Block)


class Part(NamedTuple):
    """A block in its place: the places that it ``takes``, and those of the results it ``gives``."""

    block: Block
    takes: tuple[int, ...]
    gives: tuple[int, ...]


def split(entries: Sequence[Entry], outputs: Sequence[int], size: int) -> list[Part]:
    """A program as parts of at most ``size`` entries, which together compute ``outputs``."""
    ends = [0]
    for kernel, _ in entries:
        ends.append(ends[-1] + len(kernel.outputs))
    wanted = {place for place in outputs if place >= 0}
    parts = []
    for start in range((len(entries) - 1) // size * size, -1, -size):
        stretch = entries[start : start + size]
        first, last = ends[start], ends[start + len(stretch)]
        gives = tuple(sorted(place for place in wanted if first <= place < last))
        takes = tuple(dict.fromkeys(p for _, places in stretch for p in places if p < first))
        local = {place: ~i for i, place in enumerate(takes)}
        local.update((place, place - first) for place in range(first, last))
        renamed = tuple([(k, tuple([local[p] for p in places])) for k, places in stretch])
        parts.append(Part(block_of(renamed, tuple([p - first for p in gives])), takes, gives))
        wanted = wanted.difference(gives).union(p for p in takes if p >= 0)
    return parts[::-1]


# -- programs that a compiler of loops makes longer than they are ----------------------------------

LONGEST = 1500
"""Elementwise kernels that XLA may compute over and over in one program, before it is split."""
PIECE = 60
"""Kernels in each part of such a program."""


def repeats(entries: Sequence[Entry], outputs: Sequence[int]) -> int:
    """How many elementwise kernels a program runs if each output computes its own.

    XLA's CPU compiler fuses a chain of elementwise operations into every output that depends on it:
    for a long chain with many outputs, time and size of the program grow with the square.
    """
    if len(entries) <= PIECE or len(outputs) <= 1:
        return 0
    lengths: list[int] = []
    for kernel, places in entries:
        before = max((lengths[p] for p in places if p >= 0), default=0)
        lengths += [before + kernel.weight if _is_elementwise(kernel) else 0] * len(kernel.outputs)
    return sum(lengths[p] for p in outputs if p >= 0)


def _is_elementwise(kernel: Kernel) -> bool:
    if "elementwise" not in kernel.memo:
        examples = [i.struct if type(i) is Aval else i() for i in kernel.inputs]
        with jax.enable_x64(True), plain():
            closed = jax.make_jaxpr(kernel.run)(*examples)
        kernel.memo["elementwise"] = not any(map(_ends_fusion, _primitives(closed.jaxpr)))
    return kernel.memo["elementwise"]


def _ends_fusion(name: str) -> bool:
    return name.startswith(_ENDS)


_ENDS = ("dot_general", "conv_general", "reduce", "arg", "cum", "sort", "gather", "scatter",
         "while", "scan", "cond", "custom_call", "ffi", "fft")  # fmt: skip


def _primitives(jaxpr: Any) -> Iterator[str]:
    for equation in jaxpr.eqns:
        inner = [p for p in equation.params.values() if hasattr(p, "jaxpr")]
        if inner and equation.primitive.name in ("jit", "pjit", "custom_jvp_call"):
            for closed in inner:
                yield from _primitives(closed.jaxpr)
        else:
            yield equation.primitive.name
