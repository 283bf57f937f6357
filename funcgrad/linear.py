"""Linear functions that keep their derivative when JAX transposes them.

A gradient formula is linear in the gradient. JAX transposes it for forward mode, and once more for
reverse mode, by its primitives; what is differentiated after that are primitives, and no longer
ops with formulas of their own. Here both directions are one primitive: transposing it is turning
it round, and differentiating it is differentiating the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive, jaxpr_as_fun
from jax.interpreters import ad, batching, mlir

Avals = tuple[jax.ShapeDtypeStruct, ...]
_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)


class LinearMap(NamedTuple):
    """``function(*values, *vectors)``, linear in its vectors, or its transpose."""

    function: Callable
    inputs: Avals
    outputs: Avals
    turned: bool = False

    def turn(self) -> LinearMap:
        """The transpose."""
        return self._replace(turned=not self.turned)

    @property
    def results(self) -> Avals:
        """What `apply` gives."""
        return self.inputs if self.turned else self.outputs

    def apply(self, values: Sequence, vectors: Sequence) -> list:
        """The function of the vectors."""
        return self._directed(lambda *inputs: self.function(*values, *inputs), vectors)

    def push(self, values: Sequence, moving: Sequence[int], dots: Sequence, vectors: Sequence):
        """The derivative along ``dots`` with respect to the values at the places ``moving``."""

        def derivative(*inputs):
            def of(*some):
                full = list(values)
                for place, value in zip(moving, some, strict=True):
                    full[place] = value
                return self.function(*full, *inputs)

            return jax.jvp(of, tuple(values[i] for i in moving), tuple(dots))[1]

        return self._directed(derivative, vectors)

    def _directed(self, function: Callable, vectors: Sequence) -> list:
        if not self.turned:
            return list(function(*vectors))
        return list(jax.linear_transpose(function, *self.inputs)(list(vectors)))


linear_p = Primitive("linear")
linear_p.multiple_results = True


def linear(function: Callable, values: Sequence, inputs: Sequence, outputs: Sequence) -> Callable:
    """The transpose of ``function(*values, *vectors) -> list`` at these values.

    ``inputs``, ``outputs``: the avals of the vectors and of the results. The function is traced
    here, once, if it can be: what a mask selects has a shape only outside of a trace.
    """
    try:
        function = jaxpr_as_fun(jax.make_jaxpr(function)(*values, *inputs))
    except _NEEDS_VALUES:
        pass
    made = LinearMap(function, tuple(inputs), tuple(outputs), turned=True)

    def transposed(*cotangents):
        return linear_p.bind(*values, *cotangents, map=made, count=len(values))

    return transposed


def _apply(*args, map, count):
    return map.apply(args[:count], args[count:])


@linear_p.def_abstract_eval
def _abstract(*args, map, count):
    return [ShapedArray(a.shape, a.dtype) for a in map.results]


def _jvp(primals, tangents, *, map, count):
    values, vectors = primals[:count], primals[count:]
    outs = linear_p.bind(*primals, map=map, count=count)
    terms = []
    if not all(type(t) is ad.Zero for t in tangents[count:]):
        dots = [_filled(t) for t in tangents[count:]]
        terms.append(linear_p.bind(*values, *dots, map=map, count=count))
    moving = [i for i, t in enumerate(tangents[:count]) if _moves(t)]
    if moving:
        terms.append(map.push(values, moving, [tangents[i] for i in moving], vectors))
    return outs, [sum(column[1:], column[0]) for column in zip(*terms, strict=True)]


def _transpose(cotangents, *args, map, count):
    cotangents = [_filled(c) for c in cotangents]
    unknown = [i for i, x in enumerate(args) if ad.is_undefined_primal(x)]
    if unknown == list(range(count, len(args))):
        found = linear_p.bind(*args[:count], *cotangents, map=map.turn(), count=count)
    else:  # linear in values, too: in those that are gradients themselves

        def of(*some):
            full = list(args)
            for place, value in zip(unknown, some, strict=True):
                full[place] = value
            return map.apply(full[:count], full[count:])

        avals = [jax.ShapeDtypeStruct(args[i].aval.shape, args[i].aval.dtype) for i in unknown]
        found = jax.linear_transpose(of, *avals)(cotangents)
    results: list[Any] = [None] * len(args)
    for place, value in zip(unknown, found, strict=True):
        results[place] = value
    return results


def _batch(args, dims, *, map, count):
    size = next(x.shape[d] for x, d in zip(args, dims, strict=True) if d is not None)
    moved = [x if d is None else jnp.moveaxis(x, d, 0) for x, d in zip(args, dims, strict=True)]
    vectors = [
        jnp.broadcast_to(x, (size, *x.shape)) if d is None else x
        for x, d in zip(moved[count:], dims[count:], strict=True)
    ]
    axes = [None if d is None else 0 for d in dims[:count]] + [0] * len(map.inputs)
    batched = LinearMap(
        jax.vmap(map.function, axes, axis_size=size),
        _stacked(map.inputs, size), _stacked(map.outputs, size), map.turned,
    )  # fmt: skip
    outs = linear_p.bind(*moved[:count], *vectors, map=batched, count=count)
    return outs, [0] * len(outs)


def _stacked(avals: Avals, size: int) -> Avals:
    return tuple(jax.ShapeDtypeStruct((size, *a.shape), a.dtype) for a in avals)


def _moves(tangent) -> bool:
    return type(tangent) is not ad.Zero and tangent.dtype != jax.dtypes.float0


def _filled(tangent):
    if type(tangent) is not ad.Zero:
        return tangent
    aval: Any = tangent.aval
    return jnp.zeros(aval.shape, aval.dtype)


linear_p.def_impl(_apply)
ad.primitive_jvps[linear_p] = _jvp
ad.primitive_transposes[linear_p] = _transpose
batching.primitive_batchers[linear_p] = _batch
mlir.register_lowering(linear_p, mlir.lower_fun(_apply, multiple_results=True))
