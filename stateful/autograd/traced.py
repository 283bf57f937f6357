"""A custom function under `jax.jit` or `jax.grad`: it becomes a `jax.custom_vjp`.

The user's ``forward`` and ``backward`` run on Tensors that hold tracers. What ``ctx`` keeps
between them travels as residuals: tensors as arrays, everything else as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..dispatch import Face, wrap
from ..execute import Value


def apply(cls: type, args: tuple, kwargs: dict, run_forward: Callable) -> Any:
    """``cls.apply(*args)`` as one differentiable function of the tensors among ``args``."""
    call = _Call(cls, args, kwargs, run_forward)
    outs = call.function(*call.arrays)
    items = iter(outs)
    wrapped = tuple(wrap(Value.of(next(items))) if o is _ARRAY else o for o in call.outputs)
    return wrapped if call.many else wrapped[0]


_ARRAY = object()


@jax.tree_util.register_pytree_node_class
class _Residuals:
    """What ``ctx`` holds: arrays are children, the rest rides along."""

    def __init__(self, arrays: Any, ctx: Any):
        self.arrays, self.ctx = arrays, ctx

    def tree_flatten(self):
        return (self.arrays,), self.ctx

    @classmethod
    def tree_unflatten(cls, ctx, children):
        return cls(children[0], ctx)


class _Call:
    """One call: which arguments are tensors, and the pure function of their arrays."""

    def __init__(self, cls, args, kwargs, run_forward):
        self.cls, self.args, self.kwargs, self.run_forward = cls, args, kwargs, run_forward
        self.arrays = [a._array for a in args if isinstance(a, Face.tensor)]
        self.outputs: list = []
        self.many = False
        self.function = jax.custom_vjp(lambda *arrays: self.forward(arrays)[0])
        self.function.defvjp(lambda *arrays: self.forward(arrays), self.backward)

    def forward(self, arrays):
        """The output arrays, and what backward needs."""
        items = iter(arrays)
        args = tuple(
            wrap(Value.of(next(items))) if isinstance(a, Face.tensor) else a for a in self.args
        )
        ctx = object.__new__(self.cls._backward_cls)
        ctx.needs_input_grad = tuple(isinstance(a, Face.tensor) for a in args)
        ctx._is_tensor_input = ctx.needs_input_grad
        output = self.run_forward(self.cls, ctx, args, self.kwargs)
        self.many = isinstance(output, tuple)
        outs = output if self.many else (output,)
        self.outputs = [_ARRAY if isinstance(o, Face.tensor) else o for o in outs]
        kept = {"to_save": ctx.to_save, **ctx.__dict__}
        tensors, rest = {}, {}
        for name, value in kept.items():
            tree = jax.tree.flatten(value, is_leaf=lambda x: isinstance(x, Face.tensor))
            if any(isinstance(x, Face.tensor) for x in tree[0]):
                tensors[name] = jax.tree.map(
                    lambda x: x._array if isinstance(x, Face.tensor) else x,
                    value,
                    is_leaf=lambda x: isinstance(x, Face.tensor),
                )
            else:
                rest[name] = value
        arrays_out = tuple(o._array for o in outs if isinstance(o, Face.tensor))
        avals = [getattr(o, "_aval", None) for o in outs]
        return arrays_out, _Residuals(tensors, _Static(rest, avals))

    def backward(self, residuals, cotangents):
        """The user's backward on the cotangents (JAX's are the conjugates of PyTorch's)."""
        ctx = object.__new__(self.cls._backward_cls)
        ctx.__dict__.update(residuals.ctx.attributes)
        for name, value in residuals.arrays.items():
            setattr(ctx, name, jax.tree.map(lambda x: wrap(Value.of(jnp.asarray(x))), value))
        ctx._saved = tuple(ctx.to_save)
        ctx.avals = tuple(residuals.ctx.avals)
        items = iter(cotangents)
        grads = [None if aval is None else _tensor(next(items), aval) for aval in ctx.avals]
        results = ctx.run(grads, [True] * len(self.arrays))
        return tuple(
            _cotangent(result, array) for result, array in zip(results, self.arrays, strict=True)
        )


class _Static:
    """The part of ``ctx`` that holds no arrays."""

    def __init__(self, attributes: dict, avals: list):
        self.attributes, self.avals = attributes, avals


def _tensor(cotangent: Any, aval: Any) -> Any:
    if cotangent.dtype == jax.dtypes.float0:
        return None
    return wrap(Value.of(jnp.conj(cotangent) if jnp.iscomplexobj(cotangent) else cotangent))


def _cotangent(result: Any, primal: Any) -> Any:
    if not jnp.issubdtype(primal.dtype, jnp.inexact):
        return np.zeros(primal.shape, jax.dtypes.float0)
    if result is None:
        return jnp.zeros(primal.shape, primal.dtype)
    array = result._array
    return (jnp.conj(array) if jnp.iscomplexobj(array) else array).astype(primal.dtype)
