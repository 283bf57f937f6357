"""Operations that PyTorch records although their gradient is zero: drawing numbers, comparing in
place. What a tensor was before it is overwritten gets no gradient from what it is afterwards.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from . import modes, sampling, shapes
from .execute import Function, execute
from .graph import Edge, Node, gradient_edge
from .not_implemented import NotImplemented
from .tensor import Tensor
from .views import rebase_history

ZEROS = Function(lambda shape, dtype: jnp.zeros(shape, dtype))


class ZeroGradient(Node):
    """Gives zeros to every input."""

    def __init__(self, edges: Sequence[Edge], aval: Any):
        super().__init__()
        self.edges, self.avals = tuple(edges), (aval,)

    def run(self, grads, needed):
        avals = [None if e.node is None else e.node.avals[e.nr] for e in self.edges]
        if grads[0] is None:
            return [None] * len(avals)
        return [None if a is None else execute(ZEROS, (), (a.shape, a.dtype))[0] for a in avals]


@functools.cache
def node_class(name: str) -> type[ZeroGradient]:
    """The class of the nodes of this name."""
    return type(name, (ZeroGradient,), {"__module__": "builtins"})


def overwriting(function: Callable, name_of: Callable[..., str]) -> Callable:
    """A method in place whose result does not depend on what the tensor was, recorded."""

    @functools.wraps(function)
    def method(self, *args, **kwargs):
        given = [self, *(item for item in args if isinstance(item, Tensor))]
        if not modes.state.grad_enabled or not any(item.requires_grad for item in given):
            return function(self, *args, **kwargs)
        node = node_class(name_of(*args))([gradient_edge(item) for item in given], self._aval)
        function(self, *args, **kwargs)
        rebase_history(self, node)
        return self

    return method


def drawing(function: Callable, name_of: Callable[..., str | None]) -> Callable:
    """A function that draws numbers around those of tensors, recorded.

    ``name_of``: the name of the node, None where PyTorch has no derivative.
    """

    @functools.wraps(function)
    def draw(*args, **kwargs):
        made = function(*args, **kwargs)
        given = [item for item in args if isinstance(item, Tensor)]
        if modes.state.grad_enabled and any(item.requires_grad for item in given):
            if kwargs.get("out") is None:
                name = name_of(*args, **kwargs)
                edges = [gradient_edge(item) for item in given]
                node = (
                    node_class(name)(edges, made._aval) if name is not None
                    else NotImplemented(function.__name__, given, made._aval)
                )  # fmt: skip
                made._set_history(node, 0)
        return made

    return draw


def _comparison(name: str) -> Callable[..., str]:
    return lambda other: f"{name}Backward{int(isinstance(other, Tensor))}"


def _fixed(name: str) -> Callable[..., str]:
    return lambda *args: name


_OVERWRITING = {
    "bernoulli_": lambda *args: (
        f"BernoulliBackward{1 if args and isinstance(args[0], Tensor) else 2}"
    ),
    "random_": lambda *args: f"RandomBackward{2 - len(args)}",
    **{f"{name.lower()}_": _comparison(name) for name in ("Eq", "Ne", "Lt", "Le", "Gt", "Ge")},
    **{
        f"{name}_": _fixed(f"{name.title().replace('_', '')}Backward0")
        for name in ("uniform", "normal", "exponential", "cauchy", "log_normal", "geometric")
    },
}
_DRAWING = {
    "bernoulli": lambda input, p=None, **_: "BernoulliBackward0" if p is None else None,
    "normal": lambda *args: (
        "NormalBackward"
        + str(sum(n for n, a in zip((1, 2), args, strict=False) if isinstance(a, Tensor)))
    ),
}
for _name, _name_of in _OVERWRITING.items():
    setattr(Tensor, _name, overwriting(getattr(Tensor, _name), _name_of))
for _name, _name_of in _DRAWING.items():
    sampling.SAMPLERS[_name] = drawing(sampling.SAMPLERS[_name], _name_of)
shapes.SHAPES["poisson"] = drawing(shapes.SHAPES["poisson"], _fixed("PoissonBackward0"))
Tensor.bernoulli = sampling.SAMPLERS["bernoulli"]  # type: ignore[attr-defined]
