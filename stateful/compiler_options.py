"""Programs round where they say so; those without large matrix products use one thread.

What is cast to bfloat16 and back is rounded, as in PyTorch, though XLA would rather not.

XLA's CPU programs offer every product to a pool of threads. A small one is done before the others
have heard of it: a compiled step of a recurrent network takes a fifth less, a scanned step of a
tiny network a quarter (`benchmarks/README.md`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax

from .execute import Aval, Kernel

LARGE = 2**18
"""Multiplications in a matrix product that is worth the other threads."""
ROUNDING = {"xla_allow_excess_precision": False}
ONE_THREAD = {**ROUNDING, "xla_cpu_multi_thread_eigen": False}


def jit(function: Callable, products: Iterable[float], **settings: Any) -> Callable:
    """`jax.jit` for a program with ``products`` of these sizes."""
    plain = jax.jit(function, **settings)
    if not _is_known():
        return plain
    options = ROUNDING if any(size > LARGE for size in products) else ONE_THREAD
    best = jax.jit(function, compiler_options=options, **settings)

    def run(*args):
        try:
            return best(*args)
        except ValueError:  # inside of somebody's trace options are refused
            return plain(*args)

    return run


def products_of(kernels: Iterable[Kernel]) -> Iterator[float]:
    """How many multiplications each kernel makes at the most, if it is a matrix product.

    Of (m, k) @ (k, n) they are the root of the product of the three sizes. A convolution counts as
    large.
    """
    for kernel in kernels:
        inner = getattr(kernel.fn, "entries", None)
        if inner is not None:
            yield from products_of(k for k, _ in inner)
        elif sum(type(given) is Aval for given in kernel.inputs) > 1:
            avals = [x for x in (*kernel.inputs, *kernel.outputs) if type(x) is Aval]
            sizes = sorted(aval.struct.size for aval in avals)
            op = getattr(kernel.fn, "op", kernel.fn)  # of a backward, or the one that is called
            convolves = getattr(op, "name", "").startswith("convolution")
            yield math.inf if convolves else math.sqrt(math.prod(sizes[-3:]))


def products_in(jaxpr: Any) -> Iterator[float]:
    """The same for the equations of a traced program."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            yield math.inf
        if equation.primitive.name == "dot_general":
            variables = (*equation.invars, *equation.outvars)
            yield math.sqrt(math.prod(v.aval.size for v in variables))
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(inner):
                yield from products_in(getattr(inner, "jaxpr", inner))


def _is_program(item: Any) -> bool:
    return hasattr(item, "jaxpr") or hasattr(item, "eqns")


@functools.cache
def _is_known() -> bool:
    """Whether the compiler in use knows the option; the names of options are not for ever."""
    if jax.default_backend() != "cpu":
        return False
    try:
        jax.jit(lambda: 0, compiler_options=ONE_THREAD).lower().compile()
    except (RuntimeError, ValueError):
        return False
    return True
